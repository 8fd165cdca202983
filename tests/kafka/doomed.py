"""``python -m tests.kafka.doomed KILLS SEED``: a worker that is killed again and again, and then left alone.

Each life is a fork of this process, so that it begins at once, and ends by SIGKILL at a point that is drawn:
between what is read from Kafka, stored, told and committed. The last one lives until SIGTERM.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from django.core.management import call_command

from tests.kafka import quick  # noqa: F401 - first: it sets Django up

from notifications.services import ledger  # isort: skip
from notifications.services.outbox import Outbox  # isort: skip


PR_SET_PDEATHSIG = 1


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def doom(owner: Any, name: str, turn: int, *, before: bool) -> None:
    """Let the process die before, or after, the function does its work for the `turn`-th time."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == turn:
            die()
        result = original(*args, **kwargs)
        if calls == turn:
            die()
        return result

    async def counted_async(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        if before and calls + 1 == turn:
            die()
        result = await original(*args, **kwargs)
        # `getmany` without a message is no turn.
        calls += result is None or bool(result)
        if calls == turn:
            die()
        return result

    is_async = owner is AIOKafkaConsumer
    setattr(owner, name, counted_async if is_async else counted)


POINTS: list[Callable[[int], None]] = [
    lambda turn: doom(AIOKafkaConsumer, "getmany", turn, before=False),
    lambda turn: doom(Outbox, "write", turn, before=True),
    lambda turn: doom(Outbox, "write", turn, before=False),
    lambda turn: doom(ledger, "announce", turn, before=True),
    lambda turn: doom(ledger, "announce", turn, before=False),
    lambda turn: doom(AIOKafkaConsumer, "commit", turn, before=True),
    lambda turn: doom(AIOKafkaConsumer, "commit", turn, before=False),
]


def main(kills: int, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(kills):
        point, turn = dice.choice(POINTS), dice.randrange(1, 4)
        child = os.fork()
        if child == 0:
            # Whoever ends this process ends its present life, too.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            point(turn)
            call_command("consume_notifications")
            os._exit(1)  # it was not killed
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    print("left alone", file=sys.stderr, flush=True)
    call_command("consume_notifications")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
