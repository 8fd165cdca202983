"""Fixtures of the notifications' tests."""

from collections.abc import AsyncIterator, Callable

import pytest

from notifications.services.outbox import Outbox
from realtime import runtime
from realtime.runtime import Runtime


@pytest.fixture
async def rt() -> AsyncIterator[Runtime]:
    """The runtime of the test's own event loop, stopped when the test is over."""
    current = runtime.current()
    yield current
    await current.stop()


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Let the database fail with an error when it is to store what has this title."""

    def arrange(title: str, error: Exception) -> None:
        write = Outbox.write

        def failing(self: Outbox) -> None:
            if any(sent.title == title for sent, _ in self._sent):
                raise error
            write(self)

        monkeypatch.setattr(Outbox, "write", failing)

    return arrange
