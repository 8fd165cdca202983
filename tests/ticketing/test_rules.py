"""Pure decisions: numbers, addresses, the estimate, and what an entry changes on the floor."""

import pytest

from ticketing.rules import Change, Entry, Floor, TableView, TicketView, email_key, ticket_label

T0, T1 = TableView(0, "Counter 0"), TableView(1, "Counter 1")
A, B = (TicketView(pk, "a@example.org", "Ada", f"A-00{pk}", 1_000) for pk in (1, 2))
ANA, BEN = 7, 8


class Story:
    """Entries applied one after the other, with numbers of their own."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.floor.tables = {0: T0, 1: T1}
        self.at = 1_000.0

    def tell(self, kind: str, **fields) -> Change:
        self.at += fields.pop("after", 60)
        return self.floor.apply(Entry(seq=self.floor.seq + 1, kind=kind, at=self.at, **fields))

    def pick(self, table: TableView, staff_id: int = ANA, pick_id: int = 1, **fields) -> Change:
        return self.tell("picked", table=table, staff_id=staff_id, pick_id=pick_id, **fields)

    def claim(self, ticket: TicketView, staff_id: int = ANA, **fields) -> Change:
        return self.tell("claimed", ticket=ticket, staff_id=staff_id, **fields)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.mark.parametrize(
    ("prefix", "number", "label"), [("A", 1, "A-001"), ("", 7, "007"), ("KB", 1234, "KB-1234")]
)
def test_numbers_as_people_read_them(prefix: str, number: int, label: str) -> None:
    assert ticket_label(prefix, number) == label


def test_addresses_are_compared_whatever_their_case() -> None:
    assert email_key("ADA@Example.ORG") == email_key("ada@example.org")
    assert email_key("ada@example.org") != email_key("ada@example.com")


def test_a_visit_from_the_kiosk_to_the_end(story: Story) -> None:
    assert story.tell("created", ticket=A) == Change(line=True)
    assert story.pick(T0) == Change(opened=[0], taken=True)
    assert story.claim(A) == Change(calls=[(0, A)], said=[(0, A)], line=True)
    assert story.floor.table_state(0) == "serving"
    assert story.tell("completed", ticket=A, staff_id=ANA) == Change(ended=0, line=True)
    assert story.floor.table_state(0) == "free"
    assert story.floor.serving == {}


def test_a_table_that_finishes_one_ticket_shows_the_one_it_called_before(story: Story) -> None:
    story.pick(T0)
    story.claim(A)
    assert story.claim(B).calls == [(0, B)]
    change = story.tell("completed", ticket=B, staff_id=ANA)
    assert change == Change(ended=0, calls=[(0, A)]), "shown, and not called again"


def test_a_recall_makes_a_ticket_the_one_shown(story: Story) -> None:
    story.pick(T0)
    story.claim(A)
    story.claim(B)
    assert story.tell("recalled", ticket=A, staff_id=ANA) == Change(calls=[(0, A)], said=[(0, A)])
    assert story.floor.shown() == [(0, [B, A])]


def test_moving_takes_tickets_along(story: Story) -> None:
    story.pick(T0)
    story.claim(A)
    change = story.pick(T1, pick_id=2, left_table=0)
    assert change == Change(closed=[0], opened=[1], calls=[(1, A)], said=[(1, A)], taken=True)
    assert story.floor.taken() == [1]


def test_tickets_stay_with_staff_that_has_no_table(story: Story) -> None:
    story.pick(T0)
    story.claim(A)
    assert story.tell("unpicked", table=T0, staff_id=ANA) == Change(closed=[0], taken=True)
    assert story.floor.shown() == []
    assert story.pick(T1, pick_id=2).calls == [(1, A)]


def test_a_handed_on_ticket_leaves_one_table_for_the_other(story: Story) -> None:
    story.pick(T0)
    story.pick(T1, BEN, 2)
    story.claim(A)
    story.claim(B)
    change = story.tell("transferred", ticket=B, staff_id=BEN, table=T1, left_table=0)
    assert change == Change(ended=0, calls=[(0, A), (1, B)], said=[(1, B)], line=True)


def test_a_paused_table_is_not_shown(story: Story) -> None:
    story.pick(T0)
    story.claim(A)
    assert story.tell("paused", table=T0, staff_id=ANA) == Change(closed=[0])
    assert (story.floor.shown(), story.floor.taken(), story.floor.table_state(0)) == ([], [0], "paused")
    assert story.tell("completed", ticket=A, staff_id=ANA) == Change()
    assert story.tell("resumed", table=T0, staff_id=ANA) == Change(opened=[0], line=True)
    story.tell("paused", table=T0, staff_id=ANA)
    assert story.tell("unpicked", table=T0, staff_id=ANA) == Change(taken=True), "closed before"


def test_released_goes_back_to_its_place(story: Story) -> None:
    for ticket in (A, B):
        story.tell("created", ticket=ticket)
    story.pick(T0)
    story.claim(A)
    assert story.floor.line() == [B]
    assert story.tell("released", ticket=A, staff_id=ANA, table=T0) == Change(ended=0, line=True)
    assert story.floor.line() == [A, B]
    assert (story.floor.ahead_of(A.id), story.floor.ahead_of(B.id)) == (0, 1)


def test_cancelled_while_waiting_is_nobodys(story: Story) -> None:
    story.tell("created", ticket=A)
    assert story.tell("cancelled", ticket=A) == Change(line=True)
    assert story.floor.line() == []


def test_tables_by_what_goes_on_there(story: Story) -> None:
    assert story.floor.table_state(0) == "offline"
    story.tell("table_changed", table=TableView(0, "Closed", is_active=False))
    assert story.floor.table_state(0) == "off"
    assert story.floor.table_state(99) == "off"
    assert story.floor.tables[0].name == "Closed"


def busy(story: Story, gaps: list[float], table: TableView = T0) -> None:
    """Calls with these times between them, while others wait all along."""
    story.pick(table)
    for gap in [60, *gaps]:
        story.claim(A, after=gap)


def test_the_estimate_is_the_pace_of_the_last_calls(story: Story) -> None:
    assert story.floor.estimate_s(0) is None, "nobody sits anywhere"
    busy(story, [120])
    assert story.floor.estimate_s(0) is None, "one time says nothing"
    story.claim(A, after=120)
    assert story.floor.estimate_s(0) == 120
    assert story.floor.estimate_s(4) == 600
    story.claim(A, after=86_400)
    # A night does not count as one long visit: 120, 120 and the longest pause that counts.
    assert story.floor.estimate_s(0) == (120 + 120 + 1800) // 3


def test_where_a_table_is_free_one_is_called_at_once(story: Story) -> None:
    busy(story, [100, 100])
    story.pick(T1, BEN, 2)
    assert story.floor.estimate_s(0) == 0
    assert story.floor.estimate_s(1) == 100
    story.tell("paused", table=T1, staff_id=BEN)
    assert story.floor.estimate_s(0) == 100


def test_times_in_which_nobody_waited_do_not_count(story: Story) -> None:
    """They say how rarely somebody comes, not how long it takes."""
    story.pick(T0)
    for _ in range(5):
        late = TicketView(9, "b@example.org", "Bob", "A-009", int(story.at) + 500)
        story.claim(late, after=720)
    assert story.floor.estimate_s(0) is None


def test_only_the_last_calls_count(story: Story) -> None:
    busy(story, [1000] * 20)
    for _ in range(20):
        story.claim(A, after=10)
    assert story.floor.estimate_s(0) == 10


def test_who_was_called_to_a_table_is_not_called_there_again(story: Story) -> None:
    story.pick(T0)
    assert story.claim(A).said == [(0, A)]
    story.tell("unpicked", table=T0, staff_id=ANA)
    back = story.pick(T0, pick_id=2)
    assert (back.calls, back.said) == ([(0, A)], [])
    assert story.pick(T1, pick_id=3, left_table=0).said == [(1, A)]
    story.tell("paused", table=T1, staff_id=ANA)
    assert story.tell("resumed", table=T1, staff_id=ANA).said == []
    assert story.tell("recalled", ticket=A, staff_id=ANA).said == [(1, A)]
