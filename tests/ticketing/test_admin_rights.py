"""Who may do what in the desk's admin."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.realtime.admin_pages import page_of
from tests.ticketing.admin_pages import (
    DEVICES,
    FIGURES,
    JOURNAL,
    ROOT,
    STAFF,
    TABLES,
    TICKETS,
    VISITORS,
    somebody,
)
from tests.ticketing.desk import Desk
from ticketing.models import Pick, Table, Visitor
from ticketing.services.devices import create_device, find_device
from ticketing.services.people import issue_token
from ticketing.services.tokens import staff_of_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", [TICKETS, TABLES, STAFF, VISITORS, DEVICES, JOURNAL, FIGURES])
def test_strangers_are_sent_to_the_login_and_others_away(client: Client, path: str):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))
    assert somebody().get(path).status_code == 403


def test_looking_is_not_doing(desk: Desk):
    viewer = somebody("view_ticket", "view_table", "view_staff", "view_visitor", "view_device")
    ticket, table = desk.ticket(), Table.objects.get(number=1)
    visitor = Visitor.objects.get()
    device, token = create_device(kind="kiosk", name="Hall")
    key = issue_token(staff=desk.ana)
    desk.pick(desk.ana, 1)
    pages = {
        f"{TICKETS}{ticket}/": ["cancel/", "release/", "complete/"],
        f"{TABLES}{table.pk}/": ["free/"],
        f"{STAFF}{desk.ana.pk}/": ["token/", "revoke/"],
        f"{VISITORS}{visitor.pk}/": ["erase/"],
        f"{DEVICES}{device.pk}/": ["token/"],
    }
    for path, commands in pages.items():
        page = page_of(viewer.get(path + "change/"))
        for command in commands:
            assert path + command not in page
            assert viewer.get(path + command).status_code == 403
            assert viewer.post(path + command, {"expiry": "day"}).status_code == 403
    for path, action, row in (
        (TICKETS, "cancel_selected", ticket),
        (TABLES, "free_selected", table.pk),
        (VISITORS, "erase_selected", visitor.pk),
    ):
        page = page_of(viewer.get(path))
        assert action not in page
        form = {"action": action, "_selected_action": [row], "confirmed": "yes"}
        page_of(viewer.post(path, form, follow=True))
    assert desk.state(ticket) == "waiting"
    assert Pick.objects.filter(released_at=None).exists()
    assert Visitor.objects.exists()
    assert find_device(kind="kiosk", token=token) is not None
    assert staff_of_token(key) is not None
    assert somebody("change_ticket").get(TICKETS + "export.csv").status_code == 200
    assert somebody("view_table").get(TICKETS + "export.csv").status_code == 403


@pytest.mark.parametrize(
    ("permissions", "path", "done"),
    [
        (("view_ticket", "change_ticket"), "ticket/{ticket}/cancel/", 302),
        (("view_table", "change_table"), "table/{table}/free/", 302),
        (("view_staff", "change_staff"), "staff/{ana}/revoke/", 302),
        (("view_visitor", "delete_visitor"), "visitor/{visitor}/erase/", 302),
        (("view_visitor", "change_visitor"), "visitor/{visitor}/erase/", 403),
        (("view_device", "change_device"), "device/{device}/token/", 200),
    ],
    ids=str,
)
def test_each_thing_has_its_permission(desk: Desk, permissions: tuple[str, ...], path: str, done: int):
    ids = {
        "ticket": desk.ticket(),
        "visitor": Visitor.objects.get().pk,
        "table": Table.objects.get(number=1).pk,
        "ana": desk.ana.pk,
        "device": create_device(kind="kiosk", name="Hall")[0].pk,
    }
    assert somebody(*permissions).post(ROOT + path.format(**ids)).status_code == done


@pytest.mark.parametrize("command", ["ticket/{}/cancel/", "table/{}/free/", "staff/{}/token/"])
def test_a_form_without_its_token_does_nothing(desk: Desk, command: str):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    assert client.post(ROOT + command.format(1)).status_code == 403


@pytest.mark.parametrize("command", ["ticket/{}/cancel/", "table/{}/free/", "visitor/{}/erase/"])
def test_what_is_not_there_is_not_found(admin_client: Client, command: str):
    assert admin_client.post(ROOT + command.format(10**6)).status_code == 404
