"""Tables, staff, visitors and devices in the admin; secrets are shown once."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from tests.realtime.admin_pages import page_of
from tests.ticketing.admin_pages import DEVICES, JOURNAL, STAFF, TABLES, TICKETS, VISITORS
from tests.ticketing.desk import Desk
from ticketing.models import Device, Pick, Staff, Table, Ticket, TicketEvent, Visitor
from ticketing.services.devices import create_device, find_device
from ticketing.services.people import issue_token, staff_of_user
from ticketing.services.tokens import staff_of_token

pytestmark = pytest.mark.django_db


# --- Tables ----------------------------------------------------------------------------------------------


def test_tables_are_made_changed_and_switched_off(admin_client: Client, desk: Desk):
    assert (
        admin_client.post(TABLES + "add/", {"number": 9, "name": "Window", "is_active": "on"}).status_code
        == 302
    )
    table = Table.objects.get(number=9)
    assert desk.kinds()[-1] == "table_changed"
    desk.pick(desk.ana, 9)
    admin_client.post(f"{TABLES}{table.pk}/change/", {"number": 10, "name": "Door"})
    table.refresh_from_db()
    # Without the box of "active", and with a number that is not to be changed.
    assert (table.number, table.name, table.is_active) == (9, "Door", False)
    assert desk.kinds()[-2:] == ["table_changed", "unpicked"]
    assert not Pick.objects.filter(released_at=None).exists()
    assert admin_client.post(f"{TABLES}{table.pk}/delete/", {"post": "yes"}).status_code == 403


def test_who_sits_where_and_serves_whom(admin_client: Client, desk: Desk):
    desk.pick(desk.ana, 1)
    desk.claim(desk.ana, desk.ticket())
    desk.claim(desk.ana, desk.ticket("Grace"))
    desk.pick(desk.ben, 2)
    page = page_of(admin_client.get(TABLES))
    rows = [re.sub(r"<[^>]+>", " ", row) for row in page.split("<tbody")[1:]]
    assert "Serving Ana A-001 , A-002" in " ".join(rows[1].split())
    assert "Ben" in rows[2]
    assert "Free" in rows[2]
    assert "Not in use" in rows[3]


def test_freeing_a_table(admin_client: Client, desk: Desk):
    desk.pick(desk.ana, 1)
    one, two = Table.objects.get(number=1), Table.objects.get(number=2)
    assert "Free this table" in page_of(admin_client.get(f"{TABLES}{one.pk}/change/"))
    assert "Free this table" not in page_of(admin_client.get(f"{TABLES}{two.pk}/change/"))
    form = {"action": "free_selected", "_selected_action": [one.pk, two.pk]}
    page = page_of(admin_client.post(TABLES, form, follow=True))
    assert "Counter 1 can be picked again." in page
    assert "Counter 2: Nobody is at that table." in page
    event = TicketEvent.objects.order_by("seq").last()
    assert event is not None
    assert (event.kind, event.actor, event.staff) == ("unpicked", "admin", desk.ana)
    desk.pick(desk.ben, 1)
    admin_client.post(f"{TABLES}{one.pk}/free/")
    assert not Pick.objects.filter(released_at=None).exists()


# --- Staff -----------------------------------------------------------------------------------------------


def test_an_account_becomes_staff_and_stops_to_be(admin_client: Client, desk: Desk):
    user = User.objects.create_user("dora")
    admin_client.post(STAFF + "add/", {"user": user.pk, "name": "Dora", "is_active": "on"})
    dora = Staff.objects.get(name="Dora")
    desk.pick(dora, 1)
    token = issue_token(staff=dora)
    other = User.objects.create_user("other")
    admin_client.post(f"{STAFF}{dora.pk}/change/", {"user": other.pk, "name": "Dora D."})
    dora.refresh_from_db()
    assert (dora.user, dora.name, dora.is_active) == (user, "Dora D.", False)
    assert staff_of_user(user) is None
    assert staff_of_token(token) is None
    assert not Pick.objects.filter(released_at=None).exists()
    assert admin_client.post(f"{STAFF}{dora.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_account_with_a_place_at_the_desk_is_not_deleted(admin_client: Client, desk: Desk):
    desk.pick(desk.ana, 1)
    path = f"/admin/auth/user/{desk.ana.user_id}/delete/"
    assert "Cannot delete" in page_of(admin_client.get(path))
    assert "Cannot delete" in page_of(admin_client.post(path, {"post": "yes"}))
    assert Staff.objects.filter(pk=desk.ana.pk).exists()


def test_a_token_is_shown_once(admin_client: Client, desk: Desk):
    response = admin_client.post(f"{STAFF}{desk.ana.pk}/token/", {"expiry": "month"})
    assert "no-store" in response["Cache-Control"]
    (token,) = re.findall(r'readonly value="([^"]+)"', page_of(response))
    login = staff_of_token(token)
    assert login is not None
    assert login.staff_id == desk.ana.pk
    row = AuthToken.objects.get()
    assert row.expiry - row.created >= timedelta(days=29)
    page = page_of(admin_client.get(f"{STAFF}{desk.ana.pk}/change/"))
    assert token not in page
    assert row.token_key in page
    admin_client.post(f"{STAFF}{desk.ana.pk}/token/", {"expiry": "never"})
    assert AuthToken.objects.filter(expiry=None).count() == 1


def test_no_token_is_made_where_it_should_not(admin_client: Client, desk: Desk):
    path = f"{STAFF}{desk.ana.pk}/token/"
    assert admin_client.get(path).status_code == 302
    assert admin_client.post(path, {"expiry": "a century"}).status_code == 302
    User.objects.filter(pk=desk.ana.user_id).update(is_active=False)
    page = page_of(admin_client.post(path, {"expiry": "day"}, follow=True))
    assert "a token would open nothing" in page
    assert "Issue a token" not in page
    assert not AuthToken.objects.exists()


def test_revoking_tokens_asks_first(admin_client: Client, desk: Desk):
    ana, ben = issue_token(staff=desk.ana), issue_token(staff=desk.ben)
    issue_token(staff=desk.ana)
    path = f"{STAFF}{desk.ana.pk}/revoke/"
    assert "Sign Ana out everywhere?" in page_of(admin_client.get(path))
    assert staff_of_token(ana) is not None
    assert "Revoked: 2." in page_of(admin_client.post(path, follow=True))
    assert staff_of_token(ana) is None
    assert staff_of_token(ben) is not None


def test_the_package_does_not_show_tokens_of_its_own():
    assert not admin.site.is_registered(AuthToken)


# --- Visitors --------------------------------------------------------------------------------------------


def test_visitors_are_found_with_their_tickets(admin_client: Client, desk: Desk):
    first, second = desk.ticket("Ada", email="ada@example.org"), desk.ticket("Ada", email="ADA@example.org")
    desk.ticket("Grace")
    page = page_of(admin_client.get(VISITORS, {"q": "Ada@EXAMPLE"}))
    assert "ADA@example.org" in page
    assert "grace" not in page
    visitor = Visitor.objects.get(email_key="ada@example.org")
    page = page_of(admin_client.get(f"{VISITORS}{visitor.pk}/change/"))
    for ticket in (first, second):
        assert f'href="{TICKETS}{ticket}/change/"' in page


@pytest.mark.parametrize("many", [False, True])
def test_erasing_asks_first_and_leaves_no_trace(admin_client: Client, desk: Desk, many: bool):
    open_ticket = desk.ticket("Ada Lovelace", email="ada@example.org")
    desk.ticket("Grace")
    visitor = Visitor.objects.get(email="ada@example.org")
    path, form = f"{VISITORS}{visitor.pk}/erase/", {}
    if many:
        path, form = VISITORS, {"action": "erase_selected", "_selected_action": [visitor.pk]}
    page = page_of(admin_client.post(path, form) if many else admin_client.get(path))
    assert "Ada Lovelace (ada@example.org)" in page
    assert Visitor.objects.count() == 2
    page = page_of(admin_client.post(path, {**form, "confirmed": "yes"}, follow=True))
    assert "Erased: 1 visitor, in 1 ticket(s)." in page
    assert Visitor.objects.count() == 1
    ticket = Ticket.objects.get(pk=open_ticket)
    assert (ticket.name, ticket.email, ticket.state) == ("", "", "cancelled")
    assert TicketEvent.objects.order_by("-seq")[0].actor == "admin"
    entry = LogEntry.objects.get()
    assert "Ada" not in entry.object_repr + entry.change_message
    assert "(erased)" in page_of(admin_client.get(TICKETS))
    assert "data was erased" in page_of(admin_client.get(f"{TICKETS}{open_ticket}/change/"))


def test_visitors_are_not_edited_or_deleted(admin_client: Client, desk: Desk):
    desk.ticket()
    visitor = Visitor.objects.get()
    for path in ("add/", f"{visitor.pk}/delete/", f"{visitor.pk}/change/"):
        assert admin_client.post(VISITORS + path, {"post": "yes", "name": "x"}).status_code == 403


# --- Devices ---------------------------------------------------------------------------------------------


def test_a_device_is_made_and_let_in_by_what_is_shown_once(admin_client: Client):
    response = admin_client.post(DEVICES + "add/", {"kind": "kiosk", "name": "Hall <1>", "prefix": "H"})
    assert "no-store" in response["Cache-Control"]
    address, token = re.findall(r'readonly value="([^"]+)"', page_of(response))
    device = find_device(kind="kiosk", token=token)
    assert device is not None
    assert (device.name, device.prefix) == ("Hall <1>", "H")
    assert address == f"http://testserver{reverse('ticketing:kiosk')}?token={token}"
    assert token not in page_of(admin_client.get(f"{DEVICES}{device.pk}/change/"))


@pytest.mark.parametrize("fields", [{"prefix": "h"}, {"kind": "robot"}, {"name": ""}], ids=str)
def test_a_device_that_cannot_be_made(admin_client: Client, fields: dict[str, str]):
    page_of(admin_client.post(DEVICES + "add/", {"kind": "kiosk", "name": "Hall", "prefix": "H"} | fields))
    assert not Device.objects.exists()


def test_renewing_switching_off_and_deleting_a_device(admin_client: Client):
    device, old = create_device(kind="display", name="Hall")
    path = f"{DEVICES}{device.pk}/"
    assert "A new token for Hall?" in page_of(admin_client.get(path + "token/"))
    assert find_device(kind="display", token=old) is not None
    new = re.findall(r'readonly value="([^"]+)"', page_of(admin_client.post(path + "token/")))[-1]
    assert find_device(kind="display", token=old) is None
    assert find_device(kind="display", token=new) is not None
    admin_client.post(path + "change/", {"kind": "kiosk", "name": "Hall"})
    device.refresh_from_db()
    assert (device.kind, device.is_active) == ("display", False)
    assert find_device(kind="display", token=new) is None
    admin_client.post(path + "delete/", {"post": "yes"})
    assert not Device.objects.exists()


# --- The journal -----------------------------------------------------------------------------------------


def test_the_journal_is_read_and_nothing_else(admin_client: Client, desk: Desk):
    ticket = desk.ticket()
    page = page_of(admin_client.get(JOURNAL, {"kind__exact": "created"}))
    assert f'href="{TICKETS}{ticket}/change/"' in page
    assert page.index("Ticket taken") > 0
    seq = TicketEvent.objects.latest("seq").seq
    for path in ("add/", f"{seq}/delete/", f"{seq}/change/"):
        assert admin_client.post(JOURNAL + path, {"post": "yes", "kind": "x"}).status_code == 403
