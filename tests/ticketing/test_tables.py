"""Tables: picking, moving, pausing, and letting go of those whose staff is gone."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from realtime.errors import Refused
from ticketing.models import Pick, Table, Ticket, TicketEvent
from ticketing.services import tables
from ticketing.services.people import save_staff

pytestmark = pytest.mark.django_db


def refused(code: str):
    return pytest.raises(Refused, match=f"^{code}:")


def at(number: int) -> str | None:
    """Who sits there."""
    pick = Pick.objects.filter(table__number=number, released_at=None).first()
    return pick.staff.name if pick else None


def test_a_table_is_picked_by_one(desk) -> None:
    entry = desk.pick(desk.ana, 0)
    assert (entry.kind, entry.table.number, entry.staff_name) == ("picked", 0, "Ana")
    with refused("TABLE_UNAVAILABLE"):
        desk.pick(desk.ben, 0)
    assert at(0) == "Ana"


@pytest.mark.parametrize("table", ["3", "9", "-1", "x", "", "0x0", "٠", "1.0", "99999", "0 ", 3])
def test_what_is_no_active_table_is_not_available(desk, table) -> None:
    desk.pick(desk.ana, 1)
    with refused("TABLE_UNAVAILABLE"):
        tables.pick_table(table=table, staff_id=desk.ana.pk)
    assert at(1) == "Ana", "and the one before is kept"


def test_picking_another_moves(desk) -> None:
    desk.pick(desk.ana, 0)
    entry = desk.pick(desk.ana, 2)
    assert (entry.kind, entry.table.number, entry.left_table) == ("picked", 2, 0)
    assert (at(0), at(2)) == (None, "Ana")
    desk.pick(desk.ben, 0)


def test_picking_the_same_again_is_coming_back(desk) -> None:
    first = desk.pick(desk.ana, 0)
    tables.let_go(first.pick_id)
    again = desk.pick(desk.ana, 0)
    assert (again.kind, again.pick_id) == ("returned", first.pick_id)
    assert Pick.objects.get().held_until > timezone.now() + timedelta(seconds=25)


def test_a_connection_that_changes_hands_leaves_the_other_ones_table(desk) -> None:
    first = desk.pick(desk.ana, 0)
    with refused("TABLE_UNAVAILABLE"):
        tables.pick_table(table=9, staff_id=desk.ben.pk, pick_id=first.pick_id)
    assert at(0) == "Ana"
    tables.pick_table(table=1, staff_id=desk.ben.pk, pick_id=first.pick_id)
    assert (at(0), at(1)) == (None, "Ben")


def test_leaving(desk) -> None:
    with refused("NO_TABLE"):
        tables.unpick_table(staff_id=desk.ana.pk)
    desk.pick(desk.ana, 0)
    assert tables.unpick_table(staff_id=desk.ana.pk).kind == "unpicked"
    assert at(0) is None
    with refused("TABLE_EMPTY"):
        tables.free_table(number=0)
    desk.pick(desk.ben, 0)
    tables.free_table(number=0, actor="admin")
    assert at(0) is None


def test_pausing_is_for_whoever_sits_there_and_managers(desk) -> None:
    desk.pick(desk.ana, 0)
    with refused("NOT_OWNER"):
        tables.pause_table(number=0, staff_id=desk.ben.pk)
    with refused("NOT_PAUSED"):
        tables.resume_table(number=0, staff_id=desk.ana.pk)
    tables.pause_table(number=0, staff_id=desk.ana.pk)
    with refused("ALREADY_PAUSED"):
        tables.pause_table(number=0, staff_id=None)
    tables.resume_table(number=0, staff_id=None)
    with refused("TABLE_EMPTY"):
        tables.pause_table(number=1, staff_id=None)
    assert desk.kinds()[-3:] == ["picked", "paused", "resumed"]


# --- Holding on, letting go -----------------------------------------------------------------------


def test_a_table_is_kept_for_the_grace_period_and_not_longer(desk, settings, monkeypatch) -> None:
    settings.TICKETING_GRACE_S = 20
    now = timezone.now()
    entry = desk.pick(desk.ana, 0)
    desk.pick(desk.ben, 1)

    def wait(seconds: float) -> int:
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=seconds))
        tables.hold_picks([Pick.objects.get(staff=desk.ben).pk])
        return tables.release_unheld()

    monkeypatch.setattr(timezone, "now", lambda: now)
    tables.let_go(entry.pick_id)
    assert [wait(19), wait(21), wait(60)] == [0, 1, 0]
    assert (at(0), at(1)) == (None, "Ben")
    assert desk.kinds()[-1] == "unpicked"


def test_a_pick_that_no_process_holds_any_more_is_released(desk, settings, monkeypatch) -> None:
    """What a killed process leaves behind: nobody let go, nobody holds."""
    settings.TICKETING_GRACE_S = 0
    desk.pick(desk.ana, 0)
    later = timezone.now() + timedelta(seconds=7)
    assert tables.release_unheld() == 0
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert tables.release_unheld() == 1


def test_a_released_pick_is_not_held_or_let_go_again(desk) -> None:
    entry = desk.pick(desk.ana, 0)
    tables.unpick_table(staff_id=desk.ana.pk)
    before = Pick.objects.get().held_until
    tables.hold_picks([entry.pick_id])
    tables.let_go(entry.pick_id)
    assert Pick.objects.get().held_until == before


def test_nothing_to_release_costs_one_query(desk, django_assert_num_queries) -> None:
    desk.pick(desk.ana, 0)
    with django_assert_num_queries(1):
        tables.release_unheld()


# --- Managing -------------------------------------------------------------------------------------


def test_a_table_that_is_not_active_any_more_is_freed(desk) -> None:
    desk.pick(desk.ana, 0)
    table = Table.objects.get(number=0)
    table.is_active = False
    tables.save_table(table=table, actor="admin")
    assert at(0) is None
    assert desk.kinds()[-2:] == ["table_changed", "unpicked"]


def test_two_tables_of_one_number_cannot_be(desk) -> None:
    with pytest.raises(ValidationError):
        tables.save_table(table=Table(number=0))


def test_staff_that_is_not_active_any_more_leaves(desk) -> None:
    desk.pick(desk.ana, 0)
    desk.ana.is_active = False
    save_staff(staff=desk.ana)
    assert at(0) is None


def test_who_has_a_new_name_is_told_of_once(desk) -> None:
    desk.ana.name = "Anna"
    save_staff(staff=desk.ana)
    save_staff(staff=desk.ana)
    assert desk.kinds()[-2:] == ["table_changed", "staff_changed"]
    assert TicketEvent.objects.get(kind="staff_changed").staff == desk.ana


def test_who_is_being_served_comes_along_to_another_table(desk) -> None:
    ticket = desk.ticket()
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, ticket)
    desk.pick(desk.ana, 2)
    assert Ticket.objects.get().table.number == 2


# --- What the database itself refuses -------------------------------------------------------------


def test_a_table_cannot_have_two_picks_nor_staff_two_tables(desk) -> None:
    pick = Pick.objects.get(pk=desk.pick(desk.ana, 0).pick_id)
    other = Table.objects.get(number=1)
    for fields in ({"table": pick.table, "staff": desk.ben}, {"table": other, "staff": desk.ana}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Pick.objects.create(**fields, picked_at=pick.picked_at, held_until=pick.held_until)


def test_a_pick_written_past_the_journal_is_the_protocols_own_error(desk, monkeypatch) -> None:
    pick = Pick.objects.get(pk=desk.pick(desk.ana, 0).pick_id)
    create = Pick.objects.create

    def meanwhile(**fields):
        create(**{**fields, "staff": desk.chidi})
        return create(**fields)

    monkeypatch.setattr(type(Pick.objects), "create", lambda self, **fields: meanwhile(**fields))
    with refused("TABLE_UNAVAILABLE"):
        desk.pick(desk.ben, 1)
    assert pick.table.number == 0
