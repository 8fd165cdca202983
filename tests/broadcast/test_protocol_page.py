"""The published page of the protocol says what the code does."""

import json
import re
from pathlib import Path

import pytest

from broadcast.protocol import client, codec
from broadcast.protocol.messages import (
    FLOOD_FRAMES,
    FLOOD_WINDOW_S,
    MAX_FRAME_BYTES,
    MAX_MISSED_PONGS,
    MAX_PRESENCE_BYTES,
    ErrorCode,
)
from realtime.close_codes import describe
from realtime.wire import MAX_DEPTH, MAX_INTEGER_DIGITS

PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "broadcast.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[str]:
    found = re.findall(rf"^```json {kind}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.mark.parametrize("text", examples("server"))
def test_examples_from_the_server_are_what_it_sends(text):
    delivery = client.decode(text)
    assert codec.encode(delivery.message, delivery.event_id, delivery.client_id, delivery.latency_ms) == text


@pytest.mark.parametrize("text", examples("client"))
def test_examples_from_the_client_are_understood(text):
    assert client.encode(codec.decode(text)) == text


@pytest.mark.parametrize("text", examples("client lenient"))
def test_leniency_goes_as_far_as_the_page_says(text):
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    codec.decode(text)


@pytest.mark.parametrize("text", examples("answer"))
def test_answers_are_json(text):
    assert isinstance(json.loads(text)["success"], bool)


def test_every_message_has_an_example():
    shown = {json.loads(text)["type"] for kind in ("server", "client") for text in examples(kind)}
    assert shown == {*client._READERS, *codec._READERS, "DATA"}


def test_every_error_code_is_listed():
    assert [row[0].strip("`") for row in table("Errors")] == list(ErrorCode)


@pytest.mark.parametrize("row", table("Close codes"), ids=lambda row: row[0])
def test_close_codes_say_whether_to_come_back(row):
    info = describe(int(row[0]))
    assert info != describe(4999)
    assert row[2].startswith("yes") is info.reconnect


def test_limits_are_those_in_the_code():
    numbers = [int(number) for row in table("Limits") for number in re.findall(r"\d+", row[1])]
    assert numbers == [
        MAX_FRAME_BYTES,
        MAX_PRESENCE_BYTES,
        FLOOD_FRAMES,
        FLOOD_FRAMES / FLOOD_WINDOW_S,
        MAX_MISSED_PONGS,
        MAX_DEPTH,
        MAX_INTEGER_DIGITS,
    ]
