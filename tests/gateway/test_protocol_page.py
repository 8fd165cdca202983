"""The published page of the protocol says what the code does."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from gateway.api.serializers import MAX_MEMBERS_TOLD
from gateway.consumers import GatewayConsumer
from gateway.protocol import codec, messages
from gateway.protocol.messages import IDENTIFY_TIMEOUT_S, MAX_FRAME_BYTES, MAX_REPLAY, MAX_REPLAY_BYTES, Op
from realtime.server.websocket import MAX_MESSAGE_BYTES

PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "gateway.md").read_text(encoding="utf-8")
STRUCTS = {
    Op.HELLO: messages.Hello,
    Op.READY: messages.Ready,
    Op.MESSAGE: messages.Message,
    Op.GAP: messages.Gap,
    Op.HEARTBEAT_ACK: messages.HeartbeatAck,
}


def examples(kind: str) -> list[str]:
    found = re.findall(rf"^```json {kind}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.mark.parametrize("text", examples("server"))
def test_examples_from_the_server_are_what_it_sends(text: str) -> None:
    frame = json.loads(text)
    sent = msgspec.convert({k: v for k, v in frame.items() if k != "op"}, STRUCTS[frame["op"]])
    assert codec.encode(sent).decode() == text


@pytest.mark.parametrize("text", examples("client"))
def test_examples_from_the_client_are_understood(text: str) -> None:
    assert codec.decode(text).op == json.loads(text)["op"]


def test_every_op_has_a_row_and_those_of_the_server_an_example() -> None:
    rows = re.findall(r"^\| (\d+) \| [A-Z]", PAGE, re.MULTILINE)
    assert sorted(map(int, rows)) == sorted(map(int, Op))
    assert {json.loads(text)["op"] for text in examples("server")} == set(STRUCTS)


def test_numbers_are_those_of_the_code() -> None:
    for said in (
        f"more than {MAX_FRAME_BYTES} bytes",
        f"within {IDENTIFY_TIMEOUT_S:g} s",
        f"up to {MAX_REPLAY} messages or {MAX_REPLAY_BYTES} bytes",
        f"more than {MAX_MESSAGE_BYTES} bytes",
        f"its `members`, the first {MAX_MEMBERS_TOLD}",
        f"more than {GatewayConsumer.frame_burst} frames at once",
        f"or {GatewayConsumer.frame_rate_per_s:g} a second",
    ):
        assert said in PAGE, said
