"""The AsyncAPI document against what the server really sends, and what it really takes."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from channels.testing import WebsocketCommunicator
from jsonschema import Draft202012Validator, ValidationError

from config.asgi import application
from realtime import runtime
from realtime.asyncapi import inlined
from realtime.db import in_db_thread
from realtime.views import asyncapi_document
from tests.ticketing.desk import Desk
from ticketing.asyncapi import channels
from ticketing.protocol import client, codec, messages
from ticketing.protocol.messages import ERROR_TEXTS, failure
from ticketing.services import people, tickets

VECTORS = Path(__file__).parents[1] / "vectors" / "ticketing"
CHANNELS = {channel.name: channel for channel in channels.channels}
ANSWERS = {
    "staff": messages.StaffMessage,
    "kiosk": messages.KioskMessage,
    "display": messages.DisplayMessage,
}
PAGES_ONLY = {
    messages.TicketState,
    messages.TableState,
    messages.Line,
    messages.Call,
    messages.Ready,
    messages.SignedOut,
}
WAIT_S = 5.0


class Contract:
    """What the document says of one channel."""

    def __init__(self, document: dict[str, Any], name: str) -> None:
        self.name = name
        listed = document["channels"][f"ticketing.{name}"]["messages"]
        self.payloads = {
            struct: inlined(document, document["components"]["messages"][f"ticketing.{name}.{struct}"])[
                "payload"
            ]
            for struct in listed
        }

    def check(self, line: str, message: Any) -> None:
        """The line has the form that the document gives it, and so has what stands in it."""
        payload = self.payloads[type(message).__name__]
        assert re.search(payload["pattern"], line), (line, payload["pattern"])
        if "x-arguments" in payload:
            Draft202012Validator(payload["x-arguments"]).validate(arguments(message))
        else:
            assert not type(message).__struct_fields__

    def check_told(self, line: str) -> type[Any]:
        """The same for a line of the server; gives its kind."""
        message = client.decode(line)
        self.check(line, message)
        return type(message)


def arguments(message: Any) -> dict[str, Any]:
    fields = json.loads(msgspec.json.encode(message))
    return {"state": fields} if isinstance(message, messages.TableState | messages.Line) else fields


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi_document(host="localhost:8000", secure=False)


@pytest.fixture(scope="module")
def contracts(document) -> dict[str, Contract]:
    return {name: Contract(document, name) for name in CHANNELS}


def test_every_message_of_the_protocol_is_there(contracts):
    told = {name: {*get_args(union)} for name, union in ANSWERS.items()}
    taken = {"staff": {*get_args(messages.StaffCommand)}, "kiosk": {*get_args(messages.KioskCommand)}}
    for name, contract in contracts.items():
        expected = told[name] | taken.get(name, set())
        assert set(contract.payloads) == {struct.__name__ for struct in expected}


def test_schemas_are_valid(contracts):
    for contract in contracts.values():
        for payload in contract.payloads.values():
            Draft202012Validator.check_schema(payload)
            Draft202012Validator.check_schema(payload.get("x-arguments", {}))


def test_security_is_that_of_the_devices(document):
    for name in ("kiosk", "display"):
        operation = document["operations"][f"ticketing.{name}.send"]
        schemes = [
            document["components"]["securitySchemes"][entry["$ref"].rsplit("/", 1)[1]]
            for entry in operation["security"]
        ]
        assert [(scheme["in"], scheme["name"]) for scheme in schemes] == [
            ("query", "token"),
            ("cookie", f"foyer_device_{name}"),
        ]
    assert "security" not in document["operations"]["ticketing.staff.send"]


@pytest.mark.parametrize("name", CHANNELS)
def test_every_message_has_an_example_that_fits(contracts, name):
    channel, decode = CHANNELS[name], {"staff": codec.decode_staff, "kiosk": codec.decode_kiosk}.get(name)
    kinds = [*channel.client_messages, *channel.server_messages]
    assert set(channel.examples) == {kind.type for kind in kinds}
    for kind in kinds:
        for example in channel.examples[kind.type]:
            own = kind in channel.client_messages
            message = decode(example) if own else client.decode(example)
            assert type(message) is kind
            contracts[name].check(example, message)


def test_every_error_is_an_example():
    shown = {line for channel in CHANNELS.values() for line in channel.examples["error"]}
    assert {codec.encode(failure(*key)).decode() for key in ERROR_TEXTS if key[0]} <= shown
    texts = {text for (verb, _), text in ERROR_TEXTS.items() if not verb}
    assert all(any(line.endswith(text) for line in shown) for text in texts)


def vectors(name: str, **wanted: Any) -> list[Any]:
    entries = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(entry, id=entry["name"]) for entry in entries if wanted.items() <= entry.items()]


@pytest.mark.parametrize("vector", vectors("document"))
def test_what_the_document_prints_fits(contracts, vector):
    contract, kind = contracts[vector["socket"]], getattr(messages, vector["parsed"]["kind"])
    fields = {name: value for name, value in vector["parsed"].items() if name != "kind"}
    contract.check(vector["wire"], msgspec.convert(fields, kind))


@pytest.mark.parametrize("kind", ["Unpick", "Ready", "SignedOut", "Unpicked", "Taken"])
def test_a_form_is_that_of_the_whole_line(contracts, kind):
    pattern, line = contracts["staff"].payloads[kind]["pattern"], getattr(messages, kind).type
    assert re.search(pattern, line)
    assert not re.search(pattern, f"x {line}")
    assert not re.search(pattern, f"{line} x")


def test_a_ticket_without_one_of_its_keys_does_not_fit(contracts):
    whole = {"id": 1, "email": "", "name": "", "staff": "{}", "start": "", "end": ""}
    validator = Draft202012Validator(contracts["staff"].payloads["TicketNew"]["x-arguments"])
    validator.validate({"ticket": whole})
    for key in whole:
        with pytest.raises(ValidationError):
            validator.validate({"ticket": {name: value for name, value in whole.items() if name != key}})


# --- the real thing ------------------------------------------------------------------------------


class Told:
    """A socket of the application, and every kind of message it was told."""

    def __init__(self, contract: Contract, *, extended: bool) -> None:
        query = "?extended=1" if extended else ""
        self.contract, self.extended = contract, extended
        self.socket = WebsocketCommunicator(application, f"/ticketing/{contract.name}/{query}")
        self.kinds: set[type[Any]] = set()

    async def until(self, start: str) -> str:
        """Read on until a line that starts so."""
        while True:
            line = await self.socket.receive_from(timeout=WAIT_S)
            self.kinds.add(self.contract.check_told(line))
            if line.startswith(start):
                return line

    async def ask(self, line: str, answer: str) -> str:
        await self.socket.send_to(text_data=line)
        return await self.until(answer)

    async def take(self, line: str) -> int:
        """Take a ticket; gives its id."""
        return int(json.loads((await self.ask(line, "success new")).removeprefix("success new "))["id"])


@pytest.fixture
async def connect(transactional_db, settings, contracts) -> AsyncIterator[Any]:
    """Make connected sockets: ``await connect("staff", extended=True)``."""
    settings.TICKETING_OPEN_DEVICES = True
    async with AsyncExitStack() as stack:

        async def connected(name: str, *, extended: bool) -> Told:
            told = Told(contracts[name], extended=extended)
            accepted, _ = await told.socket.connect()
            assert accepted
            stack.push_async_callback(told.socket.disconnect)
            return told

        yield connected
    await runtime.current().stop()


@pytest.mark.parametrize("extended", [False, True])
async def test_what_is_really_sent_fits(connect, extended):
    """Everything that can be told, once; a message that the document does not know fails on the way."""
    desk = await in_db_thread(Desk)
    ana, ben = [await in_db_thread(people.issue_token, staff=staff) for staff in (desk.ana, desk.ben)]
    kiosk, display = await connect("kiosk", extended=extended), await connect("display", extended=extended)
    first, second = await connect("staff", extended=extended), await connect("staff", extended=extended)
    await second.until("taken")
    await first.ask("dance", "error dance")
    await kiosk.ask("query ada@example.org", "error query")
    ada = await kiosk.take("new ada@example.org Ada")
    await kiosk.ask("query ada@example.org", "success query")
    await first.ask(f"pick 0 {ana}", "success pick")
    await second.until("taken 0")
    await second.ask(f"pick 1 {ben}", "success pick")
    bob = await kiosk.take("new bob@example.org Bob")
    for ticket_id, end in ((ada, "complete"), (bob, "cancel")):
        await first.ask(f"accept {ticket_id}", "success claimed")
        await second.until("claimed")
        await display.until(f"claimed 0 {ticket_id}")
        await first.ask(f"{end} {ticket_id}", "success")
        await display.until(f"{end} 0")
    cem = await kiosk.take("once Zq1_mB4f new cem@example.org Cem")
    await in_db_thread(tickets.claim_next, staff_id=desk.ana.pk)
    await in_db_thread(tickets.recall_ticket, ticket_id=cem, staff_id=desk.ana.pk)
    await first.ask("unpick", "success unpick")
    await display.until("unpick 0")
    await in_db_thread(people.revoke_tokens, staff=desk.ben)
    await second.until("signed-out" if extended else "taken")
    await display.socket.send_to(text_data="pick 0")
    await display.until("error")

    sockets = {"staff": first.kinds | second.kinds, "kiosk": kiosk.kinds, "display": display.kinds}
    for name, kinds in sockets.items():
        documented = set(CHANNELS[name].server_messages)
        assert kinds == (documented if extended else documented - PAGES_ONLY)
