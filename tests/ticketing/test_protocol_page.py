"""The published page of the protocol says what the code does."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from realtime.close_codes import describe
from ticketing import events
from ticketing.consumers import DeskConsumer
from ticketing.models import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, MAX_TABLE_NUMBER
from ticketing.protocol import client, codec
from ticketing.protocol.messages import (
    ERROR_TEXTS,
    MAX_FRAME_BYTES,
    QUERY_LIMIT,
    QUERY_WINDOW_S,
    Failure,
    ServerMessage,
    failure,
)
from ticketing.rules import Entry, Floor, TableView, TicketView

PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "ticketing.md").read_text(encoding="utf-8")
DECODERS = {"staff": codec.decode_staff, "kiosk": codec.decode_kiosk}


def examples(direction: str) -> list[str]:
    """The lines in all blocks of that direction, each with the socket's name in front."""
    blocks = re.findall(
        rf"^```text {direction} (\w+)(?:, extended)?\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL
    )
    assert blocks
    return [f"{socket} {line}" for socket, block in blocks for line in block.split("\n")]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.mark.parametrize("example", examples("to"))
def test_lines_of_the_server_are_what_it_sends(example):
    _, _, line = example.partition(" ")
    assert codec.encode(client.decode(line)) == line.encode()


@pytest.mark.parametrize("example", examples("from"))
def test_lines_of_clients_are_understood(example):
    socket, _, line = example.partition(" ")
    assert client.encode(DECODERS[socket](line)) == line


def test_every_message_has_an_example():
    told = {type(client.decode(example.partition(" ")[2])) for example in examples("to")}
    assert told == {*get_args(ServerMessage)} - {Failure}
    assert {example.split(" ")[1] for example in examples("from")} == {*codec._STAFF, *codec._KIOSK}


def test_every_error_is_listed_and_no_other():
    lines = [codec.encode(failure(verb or "{verb}", code)).decode() for verb, code in ERROR_TEXTS]
    assert sorted(row[0].strip("`") for row in table("Errors")) == sorted(lines)


@pytest.mark.parametrize("row", table("Close codes"), ids=lambda row: row[0])
def test_close_codes_say_whether_to_come_back(row):
    info = describe(int(row[0]))
    assert info != describe(4999)
    assert row[2].startswith("yes") is info.reconnect


def test_limits_are_those_in_the_code():
    numbers = [int(number) for row in table("Limits") for number in re.findall(r"\d+", row[1])]
    assert numbers == [
        MAX_FRAME_BYTES,
        DeskConsumer.frame_burst,
        DeskConsumer.frame_rate_per_s,
        QUERY_LIMIT,
        QUERY_WINDOW_S,
        len(str(10**18 - 1)),
        MAX_EMAIL_LENGTH,
        MAX_NAME_LENGTH,
        MAX_TABLE_NUMBER,
    ]


# --- what is told when ---------------------------------------------------------------------------

TABLES = {number: TableView(number, f"Counter {number}") for number in (1, 2, 3)}
ANA, BEN = {"staff_id": 1, "staff_name": "Ana"}, {"staff_id": 2, "staff_name": "Ben"}


def ticket(ticket_id: int) -> TicketView:
    return TicketView(ticket_id, "ada@example.org", "Ada", f"A-{ticket_id:03d}", 1_569_903_139)


class Scene:
    """Ana at table 1, Ben at table 2; ticket 4 is Ana's where `holding`."""

    def __init__(self, *, holding: bool) -> None:
        self.floor = Floor()
        self.do("picked", **ANA, table=TABLES[1], pick_id=1)
        self.do("picked", **BEN, table=TABLES[2], pick_id=2)
        if holding:
            self.do("created", ticket=ticket(4))
            self.do("claimed", **ANA, table=TABLES[1], ticket=ticket(4))

    def do(self, kind: str, **what: object) -> dict[str, list[str]]:
        """One entry of the journal; gives what plain sockets of each audience are told."""
        entry = Entry(seq=self.floor.seq + 1, kind=kind, at=1.0, **what)
        change = self.floor.apply(entry)
        told: dict[str, list[str]] = {events.DISPLAY: [], events.SEATED: [], events.UNSEATED: []}
        for line in events.tell(entry, change, self.floor):
            if not line.extended_only:
                told[line.audience].append(re.sub(r"\{.*\}", "{ticket}", line.head.decode()))
        return told

    def ticket_5(self, *, claimed: bool = True) -> None:
        self.do("created", ticket=ticket(5))
        if claimed:
            self.do("claimed", **ANA, table=TABLES[1], ticket=ticket(5))


def of_ticket_5(kind: str, **what: object) -> Callable[[Scene], Iterator[dict[str, list[str]]]]:
    def happen(scene: Scene) -> Iterator[dict[str, list[str]]]:
        scene.ticket_5(claimed=kind != "claimed" and bool(what))
        yield scene.do(kind, ticket=ticket(5), **what)

    return happen


def of_the_table(
    kind: str, before: str = "", **what: object
) -> Callable[[Scene], Iterator[dict[str, list[str]]]]:
    def happen(scene: Scene) -> Iterator[dict[str, list[str]]]:
        if before:
            scene.do(before, **ANA, table=TABLES[1])
        yield scene.do(kind, **{**ANA, "table": TABLES[1], **what})

    return happen


def taken(scene: Scene) -> Iterator[dict[str, list[str]]]:
    yield scene.do("created", ticket=ticket(5))


def cancelled_or_absent(scene: Scene) -> Iterator[dict[str, list[str]]]:
    for kind in ("cancelled", "no_show"):
        scene.ticket_5()
        yield scene.do(kind, **ANA, table=TABLES[1], ticket=ticket(5))


AT_1 = {**ANA, "table": TABLES[1]}
HAPPENINGS = {
    "ticket 5 is taken": taken,
    "Ana claims ticket 5": of_ticket_5("claimed", **AT_1),
    "Ana completes ticket 5": of_ticket_5("completed", **AT_1),
    "Ana cancels ticket 5, or the visitor does not show up": cancelled_or_absent,
    "ticket 5 goes back to the line": of_ticket_5("released", **AT_1),
    "ticket 5 is handed on to table 2": of_ticket_5("transferred", **BEN, table=TABLES[2], left_table=1),
    "ticket 5 is called again": of_ticket_5("recalled", **AT_1),
    "ticket 5 is cancelled while it waits": of_ticket_5("cancelled"),
    "Ana leaves table 1": of_the_table("unpicked"),
    "Ana picks table 1": of_the_table("picked", before="unpicked", pick_id=3),
    "Ana moves to table 3": of_the_table("picked", table=TABLES[3], left_table=1, pick_id=3),
    "table 1 is paused": of_the_table("paused"),
    "table 1 is resumed": of_the_table("resumed", before="paused"),
}


def lines(cell: str, *, holding: bool) -> list[str]:
    """The lines in a cell, with or without those in brackets."""
    return re.findall("`([^`]+)`", cell if holding else re.sub(r"\[.*?\]", "", cell))


@pytest.mark.parametrize("holding", [False, True], ids=["one ticket", "two tickets"])
@pytest.mark.parametrize("row", table("What is told when"), ids=lambda row: row[0])
def test_what_happens_is_told_as_the_page_says(row, holding):
    what, *cells = row
    for told in HAPPENINGS[what](Scene(holding=holding)):
        for audience, cell in zip((events.DISPLAY, events.SEATED, events.UNSEATED), cells, strict=True):
            assert told[audience] == lines(cell, holding=holding), audience


def test_every_row_is_known():
    assert [row[0] for row in table("What is told when")] == list(HAPPENINGS)


def test_who_ends_a_waiting_ticket_is_nobody():
    """The page: `staff` is the two characters {} and `end` is set."""
    scene = Scene(holding=False)
    scene.ticket_5(claimed=False)
    entry = Entry(seq=9, kind="cancelled", at=1_569_903_200.7, ticket=ticket(5))
    told = events.tell(entry, scene.floor.apply(entry), scene.floor)
    (line,) = [
        line.head.decode() for line in told if line.audience == events.SEATED and not line.extended_only
    ]
    shown = json.loads(line.removeprefix("claimed "))
    assert (shown["staff"], shown["end"]) == ("{}", "2019-10-01T04:13:20Z")
