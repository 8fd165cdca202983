"""Tasks: work that many ask for at once, and ending tasks for certain."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

# How long a task may take to notice before it is asked again.
ASK_AGAIN_S = 0.1


class OnDemand:
    """Work that many ask for: it is done beside what goes on, once at a time however many ask.

    Args:
        spawn: starts a coroutine, and says so where it fails: `Runtime.spawn`.
        work: is not run again after a failure, until somebody asks the next time.
    """

    def __init__(
        self,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        work: Callable[[], Awaitable[None]],
    ) -> None:
        self._spawn = spawn
        self._work = work
        self._asked = False
        self._under_way = False

    def soon(self) -> None:
        """Have the work done; once more if it is under way: what it found may be older than this call."""
        self._asked = True
        if not self._under_way:
            self._under_way = True
            self._spawn(self._do())

    async def _do(self) -> None:
        try:
            while self._asked:
                self._asked = False
                await self._work()
        finally:
            self._under_way = False


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
