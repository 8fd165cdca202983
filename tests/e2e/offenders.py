"""Clients that send without end, each in a way of its own, until the server hangs up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.rawsocket import CLOSE, CONTINUATION, PING, PONG, RawSocket, frame
from tests.e2e.servers import Server

# Longer than the server's patience with somebody it has closed, twice.
PATIENCE_S = 20.0

ACK = frame(b'{"type":"ACK","payload":{"eventID":"evt_x"}}')
GOODBYE = frame(b"\x03\xe8", CLOSE)


@dataclass(frozen=True)
class Offence:
    """What one sends first, what again and again after that, and what the server may have said in the end.

    None stands for no close frame: whoever is still sending may be cut off before it is read.
    """

    first: bytes
    again: bytes
    codes: frozenset[int | None]


def _cut_with(code: int) -> frozenset[int | None]:
    return frozenset((code, None))


OFFENCES = {
    "messages": Offence(b"", ACK * 2_000, _cut_with(1008)),
    "nonsense": Offence(b"", frame(b"{") * 5_000, _cut_with(1008)),
    "pings": Offence(b"", frame(b"", PING) * 10_000, _cut_with(1008)),
    "long pings": Offence(b"", frame(bytes(125), PING) * 1_000, _cut_with(1008)),
    "unasked pongs": Offence(b"", frame(b"", PONG) * 10_000, _cut_with(1008)),
    "one-byte fragments": Offence(
        frame(b"x", fin=False), frame(b"x", CONTINUATION, fin=False) * 10_000, _cut_with(1009)
    ),
    "empty fragments": Offence(
        frame(b"", fin=False), frame(b"", CONTINUATION, fin=False) * 10_000, _cut_with(1009)
    ),
    "fragments and pings": Offence(
        frame(b"", fin=False),
        (frame(b"", CONTINUATION, fin=False) * 100 + frame(b"", PING)) * 100,
        _cut_with(1009),
    ),
    "large messages": Offence(b"", frame(bytes(250_000)), _cut_with(1008)),
    "one endless message": Offence(frame(b"x", length=1 << 40), bytes(65_536), _cut_with(1009)),
    "after its close": Offence(GOODBYE, ACK * 2_000, _cut_with(1000)),
    "closes": Offence(GOODBYE, GOODBYE * 10_000, _cut_with(1000)),
    # Closed, one does not answer, and says nothing more.
    "no answer to the close": Offence(ACK * 150, b"", frozenset((1008,))),
}


async def offend(server: Server, channel: str, offence: Offence) -> int | None:
    """Send until the server cuts the connection, whatever it says; gives the code of its close frame."""
    async with await RawSocket.open(server, channel) as raw:
        raw.half_closed = True  # so that close frames are not answered
        ending = asyncio.create_task(raw.close_code(within_s=PATIENCE_S))
        await raw.send(offence.first)
        async with asyncio.timeout(PATIENCE_S):
            while not raw.writer.transport.is_closing():
                await raw.send(offence.again)
                if not offence.again:
                    await asyncio.wait([ending])
                await asyncio.sleep(0)
        return await ending


def open_sockets(server: Server) -> int:
    """How many sockets the server has open."""
    files = Path(f"/proc/{server.process.pid}/fd").iterdir()
    return sum(_target(file).startswith("socket:") for file in files)


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except FileNotFoundError:  # closed since
        return ""
