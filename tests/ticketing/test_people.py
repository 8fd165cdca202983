"""Staff, their tokens, devices, visitors."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from knox.models import AuthToken

from realtime import user_tokens
from realtime.errors import Refused
from realtime.user_tokens import ACCESS_CHANGED
from ticketing.models import Device, Ticket, TicketEvent, Visitor
from ticketing.services import devices, people, tickets, tokens, visitors

pytestmark = pytest.mark.django_db


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_tells_who_it_is_and_is_not_kept(desk) -> None:
    token = people.issue_token(staff=desk.ana)
    login = tokens.staff_of_token(token)
    assert (login.staff_id, login.name) == (desk.ana.pk, "Ana")
    row = AuthToken.objects.get()
    assert token not in (row.digest, row.token_key)
    assert tokens.staff_of_digest(login.digest) == login
    tokens.require_token(login.digest)


@pytest.mark.parametrize("text", ["", "x", "0" * 64, "ü" * 64, "a" * 10_000, "\x00" * 64])
def test_other_text_is_no_token(desk, text: str) -> None:
    assert tokens.staff_of_token(text) is None


def end_by_expiry(staff, login) -> None:
    AuthToken.objects.update(expiry=AuthToken.objects.get().created - timedelta(seconds=1))


def end_by_account(staff, login) -> None:
    staff.user.is_active = False
    staff.user.save()


def end_by_staff(staff, login) -> None:
    staff.is_active = False
    people.save_staff(staff=staff)


@pytest.mark.parametrize(
    "end",
    [
        end_by_expiry,
        end_by_account,
        end_by_staff,
        lambda staff, login: people.revoke_tokens(staff=staff),
        lambda staff, login: staff.delete(),
        lambda staff, login: (staff.delete(), staff.user.delete()),
    ],
    ids=["expired", "account", "staff", "revoked", "staff deleted", "account deleted"],
)
def test_what_ends_a_token(desk, end) -> None:
    token = people.issue_token(staff=desk.ana)
    login = tokens.staff_of_token(token)
    end(desk.ana, login)
    assert tokens.staff_of_token(token) is None
    assert tokens.valid_digests({login.digest}) == set()
    with pytest.raises(Refused, match="TOKEN_INVALID"):
        tokens.require_token(login.digest)


def test_one_of_several_tokens_is_revoked_alone(desk) -> None:
    first, second = people.issue_token(staff=desk.ana), people.issue_token(staff=desk.ana)
    people.revoke_token(token=first)
    people.revoke_token(token="no token")
    assert tokens.staff_of_token(first) is None
    assert tokens.staff_of_token(second) is not None
    assert people.revoke_tokens(staff=desk.ana) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda desk: people.revoke_tokens(staff=desk.ana), True),
        (lambda desk: people.save_staff(staff=desk.ana), True),
        (lambda desk: desk.ana.user.save(), True),
        (lambda desk: AuthToken.objects.all()[0].delete(), True),
        (lambda desk: desk.ana.user.save(update_fields=["last_login"]), False),
    ],
)
def test_every_process_hears_of_changed_access(
    desk, monkeypatch, django_capture_on_commit_callbacks, change, told: bool
) -> None:
    people.issue_token(staff=desk.ana)
    sent = []
    monkeypatch.setattr(
        user_tokens.runtime, "send_from_thread", lambda group, kind, message: sent.append(kind)
    )
    with django_capture_on_commit_callbacks(execute=True):
        change(desk)
    assert (ACCESS_CHANGED in sent) is told


# --- Devices --------------------------------------------------------------------------------------


def test_a_device_is_found_by_its_token_alone() -> None:
    device, token = devices.create_device(kind="kiosk", name="Door", prefix="K")
    assert devices.find_device(kind="kiosk", token=token) == device
    assert devices.find_device(kind="display", token=token) is None
    for wrong in ("", token[:-1], token.upper(), device.token_digest, "x" * 10_000, "\ud800"):
        assert devices.find_device(kind="kiosk", token=wrong) is None
    assert token not in (device.token_digest, device.token_start)


def test_what_ends_a_devices_token() -> None:
    device, token = devices.create_device(kind="display", name="Hall")
    held = {device.pk: device.token_digest}
    assert devices.list_valid(held) == {device.pk}
    renewed = devices.renew_token(device=device)
    assert devices.find_device(kind="display", token=token) is None
    assert devices.list_valid(held) == set()
    device.is_active = False
    devices.save_device(device=device)
    assert devices.find_device(kind="display", token=renewed) is None
    devices.delete_device(device=device)
    assert not Device.objects.exists()


def test_a_wrong_device_is_refused() -> None:
    devices.create_device(kind="kiosk", name="Door")
    for kind, name, prefix in (("kiosk", "Door", ""), ("toaster", "A", ""), ("kiosk", "B", "abc")):
        with pytest.raises(ValidationError):
            devices.create_device(kind=kind, name=name, prefix=prefix)


# --- Visitors -------------------------------------------------------------------------------------


def test_a_name_is_found_however_the_address_is_written(desk) -> None:
    desk.ticket("Ada", "Ada@Example.org")
    assert visitors.find_name(email="aDA@eXAMPLE.ORG") == "Ada"
    with pytest.raises(Refused, match="UNKNOWN_VISITOR"):
        visitors.find_name(email="nobody@example.org")
    with pytest.raises(Refused, match="UNKNOWN_VISITOR"):
        visitors.find_name(email="ada\x00@example.org")  # PostgreSQL would refuse the query


def test_erasing_leaves_the_visit_without_the_visitor(desk) -> None:
    done, waiting, serving = (desk.ticket("Ada", "ada@example.org") for _ in range(3))
    other = desk.ticket("Bob", "bob@example.org")
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, done)
    tickets.complete_ticket(ticket_id=done, staff_id=desk.ana.pk)
    desk.claim(desk.ana, serving)
    assert visitors.erase_visitor(visitor=Visitor.objects.get(name="Ada"), actor="admin") == 3
    assert [desk.state(pk) for pk in (done, waiting, serving, other)] == [
        "completed",
        "cancelled",
        "cancelled",
        "waiting",
    ]
    assert set(Ticket.objects.exclude(pk=other).values_list("email", "name", "visitor")) == {("", "", None)}
    assert Ticket.objects.get(pk=other).name == "Bob"
    # Nothing else knows them: every text there is.
    assert "ada" not in str(list(TicketEvent.objects.values())).lower()
