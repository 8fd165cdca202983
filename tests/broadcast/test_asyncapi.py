"""The AsyncAPI document against what the server really sends, and what it really takes."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from broadcast.asyncapi import channels
from broadcast.protocol import codec, messages
from realtime.asyncapi import wire_name
from tests.asyncapi import assert_fits_only_whole, validators_of
from tests.broadcast.doors import Door, Listen

VECTORS = Path(__file__).parents[1] / "vectors" / "broadcast"
(CHANNEL,) = channels.channels


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    """For each message, by its name on the wire, what the document says of it."""
    return validators_of("broadcast")


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_every_message_of_the_protocol_is_there(validators):
    ours = {
        struct
        for struct in vars(messages).values()
        if isinstance(struct, type) and struct.__module__ == messages.__name__ and hasattr(struct, "type")
    }
    assert {*CHANNEL.client_messages, *CHANNEL.server_messages} == ours
    assert set(validators) == {wire_name(struct) for struct in ours}


@pytest.mark.parametrize("vector", vectors("server"), ids=lambda vector: vector["name"])
def test_vectors_of_the_server_fit(validators, vector: dict[str, Any]):
    message = json.loads(vector["wire"])
    assert_fits_only_whole(validators[message["type"]], message)


@pytest.mark.parametrize("vector", vectors("client"), ids=lambda vector: vector["name"])
def test_vectors_of_the_client_fit(validators, vector: dict[str, Any]):
    validators[vector["parsed"]["type"]].validate(vector["parsed"])


@pytest.mark.parametrize("name", sorted(CHANNEL.examples))
def test_examples_fit_and_the_codec_takes_them(validators, name: str):
    assert CHANNEL.examples[name]
    for example in CHANNEL.examples[name]:
        validators[name].validate(example)
        if name in {wire_name(struct) for struct in CHANNEL.client_messages}:
            assert wire_name(type(codec.decode(json.dumps(example)))) == name


def test_every_message_has_an_example(validators):
    assert set(CHANNEL.examples) == set(validators)


async def test_what_is_really_sent_fits(validators, site: httpx.AsyncClient, listen: Listen, settings):
    settings.BROADCAST_OPEN = True
    settings.BROADCAST_PING_INTERVAL_S = 0.2
    first = await listen("lobby", "?presence=%7B%22name%22:%22Zo%C3%AB%22%7D")
    second = await listen("lobby")
    recorded = [first.first, second.first, await first.receive("PRESENCE:JOINED")]
    assert len(second.first["payload"]["members"]) == 1
    await Door(site, "document").emit({"any": ["thing"]})
    recorded.append(await first.receive("DATA"))
    await second.send_text('{"type":"PRESENCE","payload":{"name":"Cerulean"}}')
    recorded.append(await first.receive("PRESENCE:UPDATED"))
    await second.send_text("no JSON")
    recorded.append(await second.receive("ERROR"))
    await second.send_text('{"type":"DANCE"}')
    recorded.append(await second.receive("ERROR"))
    recorded.append(await first.receive("PING"))
    await first.send_text('{"type":"PONG"}')
    await second.disconnect()
    recorded.append(await first.receive("PRESENCE:LEFT"))
    recorded.append(await (await listen("lobby", "?since=evt_gone")).receive("ERROR"))

    assert {message["type"] for message in recorded} == {wire_name(s) for s in CHANNEL.server_messages}
    for message in recorded:
        validators[message["type"]].validate(message)


async def test_a_crowd_is_described_too(validators, listen: Listen, settings):
    settings.BROADCAST_PRESENCE_LIMIT = 0
    message = (await listen("lobby")).first
    assert message["payload"] == {"members": [], "count": 1}
    validators["CONNECTED"].validate(message)
