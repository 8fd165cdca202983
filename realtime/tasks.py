"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

# How long a task may take to notice before it is asked again.
ASK_AGAIN_S = 0.1


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel the tasks and wait until they have ended; how they ended is nobody's concern any more.

    One request is not enough: ``asyncio.wait_for`` before Python 3.12, and with it the Redis client,
    forgets a cancellation that meets the result it was waiting for.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        done, running = await asyncio.wait(running, timeout=ASK_AGAIN_S)
        for task in done:
            if not task.cancelled():
                task.exception()  # seen: otherwise it would be reported as never looked at
