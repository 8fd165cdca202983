"""Fixtures of the notifications' tests."""

from collections.abc import AsyncIterator

import pytest

from realtime import runtime
from realtime.runtime import Runtime


@pytest.fixture
async def rt() -> AsyncIterator[Runtime]:
    """The runtime of the test's own event loop, stopped when the test is over."""
    current = runtime.current()
    yield current
    await current.stop()
