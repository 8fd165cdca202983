"""Clients that send without end until they are cut off, and come again: ``python -m bench.flood``.

    python -m bench.flood <port> <path> <kind> <clients>

Runs until it is stopped, and says how often it was cut off whenever it gets a line.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

MESSAGE, CONTINUATION, PING = 0x1, 0x0, 0x9


def frame(payload: bytes, opcode: int = MESSAGE, *, fin: bool = True) -> bytes:
    """A client's frame, whose mask of zeros changes nothing."""
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([0x80 | len(payload)]) + bytes(4) + payload
    return head + b"\xff" + len(payload).to_bytes(8, "big") + bytes(4) + payload


# What one sends first, and what again and again.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "small messages": (b"", frame(b'{"type":"ACK","payload":{"eventID":"evt_x"}}') * 1_000),
    "pings": (b"", frame(b"", PING) * 10_000),
    "large messages": (b"", frame(b"x" * 250_000)),
    "fragments": (frame(b"x", fin=False), frame(b"x", CONTINUATION, fin=False) * 10_000),
}


class Flood:
    """One client after the other, in a thread of its own."""

    def __init__(self, port: int, path: str, kind: str) -> None:
        self._address = ("127.0.0.1", port)
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._first, self._again = KINDS[kind]
        self.cut_off = 0

    def run(self) -> None:
        while True:
            try:
                with socket.create_connection(self._address, timeout=30) as sock:
                    self._send(sock)
            except OSError:
                # Without a pause there would be a flood of another kind.
                time.sleep(0.05)
            self.cut_off += 1

    def _send(self, sock: socket.socket) -> None:
        sock.sendall(self._request)
        sock.recv(4096)
        sock.sendall(self._first)
        while True:
            sock.sendall(self._again)
            try:
                sock.recv(65_536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue


def main() -> None:
    port, path, kind, clients = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    floods = [Flood(port, path, kind) for _ in range(clients)]
    for flood in floods:
        threading.Thread(target=flood.run, daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps({"cut_off": sum(flood.cut_off for flood in floods)}), flush=True)


if __name__ == "__main__":
    main()
