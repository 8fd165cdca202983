"""A million random bytes: nothing is raised, and no more is kept than a message is long."""

import tracemalloc
from collections.abc import Iterator
from random import Random

from realtime.frames import BINARY, PING
from realtime.server.connection import MAX_HEAD_BYTES, Connection
from realtime.server.events import Request, State
from tests.realtime.server.streams import CONTINUATION, REQUEST, frame, opened

BYTES = 1_000_000
MAX_MESSAGE_BYTES = 20_000
# What has come of a message, and the header of the frame that comes.
MAX_KEPT_BYTES = MAX_MESSAGE_BYTES + 14
LONGEST_PIECE = 4096
# A buffer of Python's gives memory back when it is not half full. And ours holds what was read of the last
# piece until the next comes.
BUFFERED = 2
A_LITTLE = 2 * LONGEST_PIECE + 2048


def pieces(random: Random, data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = random.choice((1, 2, 7, 100, 1000, LONGEST_PIECE))
        yield data[at : at + size]
        at += size


def take(connection: Connection, stream: Iterator[bytes], most_kept: int) -> tuple[int, int]:
    """Read until it is closed: how many bytes and events that were. Fails if it keeps more than this."""
    size = events = 0
    tracemalloc.start()
    try:
        for piece in stream:
            size += len(piece)
            connection.receive_data(piece)
            while event := connection.next_event():
                events += 1
                if isinstance(event, Request):
                    connection.accept()
            connection.data_to_send()
            assert connection.unread_bytes <= most_kept
            assert tracemalloc.get_traced_memory()[0] <= most_kept * BUFFERED + A_LITTLE
            if connection.state is State.CLOSED:
                break
    finally:
        tracemalloc.stop()
    return size, events


def take_requests(random: Random, data: bytes) -> int:
    """One connection after the other; gives how many there were."""
    stream = pieces(random, data)
    size = connections = 0
    while size < len(data):
        connection = Connection(max_message_bytes=MAX_MESSAGE_BYTES)
        size += take(connection, stream, MAX_HEAD_BYTES + 3)[0]
        connections += 1
    return connections


def test_instead_of_requests():
    random = Random(1)
    assert take_requests(random, random.randbytes(BYTES)) >= BYTES // (MAX_HEAD_BYTES + LONGEST_PIECE)


def test_lines_instead_of_requests():
    """Of these something is made before they are refused."""
    random = Random(2)
    lines = (REQUEST[:-2], b"\r\n", b"a: b\r\n", b":", b"GET ", b"\x00", b"x" * 500)
    data = b"".join(random.choices(lines, k=BYTES // 100))
    assert take_requests(random, data) > 100


def test_instead_of_frames():
    """Most are refused by the first two bytes, so that each connection gets a few."""
    random = Random(3)
    events = 0
    for _ in range(1000):
        stream = pieces(random, random.randbytes(BYTES // 1000))
        events += take(opened(max_message_bytes=MAX_MESSAGE_BYTES), stream, MAX_KEPT_BYTES)[1]
    assert events >= 1000, "each ends, unless it waits for a frame"


def frames(random: Random) -> Iterator[bytes]:
    """Whatever a client may say, without end."""
    room = MAX_MESSAGE_BYTES
    while True:
        if random.random() < 0.2:
            yield frame(PING, random.randbytes(random.randrange(126)))
            continue
        opcode = BINARY if room == MAX_MESSAGE_BYTES else CONTINUATION
        fin = random.random() < 0.4
        data = random.randbytes(room if random.random() < 0.2 else random.randint(0, min(room, 3000)))
        yield frame(opcode, data, fin=fin, mask=random.randbytes(4))
        room = MAX_MESSAGE_BYTES if fin else room - len(data)


def test_frames_without_end():
    random = Random(4)
    data = b""
    for part in frames(random):
        data += part
        if len(data) >= BYTES:
            break
    connection = opened(max_message_bytes=MAX_MESSAGE_BYTES)
    size, events = take(connection, pieces(random, data), MAX_KEPT_BYTES)
    assert (size, connection.state) == (len(data), State.OPEN)
    assert events > 100
