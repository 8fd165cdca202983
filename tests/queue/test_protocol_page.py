"""The published page of the protocol says what the code does."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from queue import events, rules
from queue.consumers import QueueConsumer
from queue.models import Policy
from queue.protocol import codec, messages
from queue.protocol.messages import ErrorCode, EventCode, LoginType
from queue.services.commands import MAX_LOGINS_FOR_A_PLACE
from queue.services.upkeep import LEASE_S

PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "queue.md").read_text(encoding="utf-8")
STRUCTS = {
    EventCode.SHOULD_QUEUE: messages.ShouldQueue,
    EventCode.LOGIN: messages.LoginAnswer,
    EventCode.QUEUE_STATS: messages.QueueStats,
    EventCode.TICKET: messages.Ticket,
    EventCode.ERROR: messages.Error,
}


def examples(kind: str) -> list[str]:
    found = re.findall(rf"^```json {kind}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


def table(heading: str) -> dict[str, str]:
    """First and second cell of the rows of the first table under a heading."""
    section = re.split(rf"\n###? {heading}\n", PAGE)[1].split("\n#")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return {row[0].strip().strip("`"): row[1].strip() for row in rows[2:]}


@pytest.mark.parametrize("text", [*examples("server"), *examples("extended")])
def test_examples_from_the_server_are_what_it_sends(text: str) -> None:
    frame = json.loads(text)
    message = msgspec.convert(frame["eventData"], STRUCTS[frame["eventCode"]])
    assert codec.encode(message).decode() == text


@pytest.mark.parametrize("text", examples("client"))
def test_examples_from_the_client_are_understood(text: str) -> None:
    assert isinstance(codec.decode(text), messages.Login)


def test_every_message_has_an_example_and_a_row() -> None:
    shown = {json.loads(text)["eventCode"] for text in examples("server")}
    assert shown == {int(code) for code in EventCode}
    assert table("Messages") == {
        str(int(code)): struct.__name__.replace("LoginAnswer", "Login") for code, struct in STRUCTS.items()
    }


def test_every_code_of_an_error_is_explained() -> None:
    assert set(table("Error")) == set(ErrorCode)
    assert {str(int(kind)) for kind in LoginType} == set(table("Login"))


def test_numbers_are_those_of_the_code() -> None:
    policy = Policy()
    for said in (
        f"1 to {messages.MAX_ID_LENGTH} printable",
        f"1 to {messages.MAX_PLATFORM_LENGTH} of",
        f"more than {messages.MAX_FRAME_BYTES} bytes",
        f"more than {messages.MAX_BAD_FRAMES} bad frames in {messages.MAX_BAD_FRAMES_WINDOW_S:g} seconds",
        f"more than {QueueConsumer.frame_burst} messages at once",
        f"ping every {QueueConsumer.ping_interval_s:g} s",
        f"the last {policy.avg_wait_window} who",
        f"and {policy.initial_avg_wait_s * 1000} before",
        f"`ticket_stale_s` ({policy.ticket_stale_s} s)",
        f"`session_stale_s` ({policy.session_stale_s} s)",
        f"`admit_per_interval` ({policy.admit_per_interval}) in `interval_s` ({policy.interval_s} s)",
    ):
        assert said in PAGE, said
    assert policy.stats_interval_s == 5
    assert "every five seconds" in PAGE
    assert MAX_LOGINS_FOR_A_PLACE == 3
    assert "up to three times" in PAGE
    assert LEASE_S < 10
    assert QueueConsumer.frame_rate_per_s == 1


def test_the_formula_of_the_page_is_the_estimates() -> None:
    pace = rules.Pace(per_ticket_s=1.2, variance_s2=0.09, tickets=400.0)
    frame = json.loads(
        events.extended_stats(
            head=1, tail=5, avg_wait_ms=17_000, pace=pace, message="", paused=False, interval_s=5, keep_s=300
        )
    )
    told = frame["eventData"]["estimate"]
    count = 12
    mean = count * told["perTicketMsec"]
    half = 0.6745 * (count * told["varianceMsec2"] * (1 + count / told["tickets"])) ** 0.5
    low_s, mean_s, high_s = rules.estimate(count - 1, pace)
    assert (mean - half, mean, mean + half) == pytest.approx((low_s * 1e3, mean_s * 1e3, high_s * 1e3))
