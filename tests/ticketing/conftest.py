"""Fixtures for tests of the ticket desk."""

from collections.abc import AsyncIterator

import pytest

from realtime import runtime
from realtime.runtime import Runtime
from tests.ticketing.callers import ana, ben, manager
from tests.ticketing.desk import Desk

__all__ = ["ana", "ben", "desk", "manager", "rt"]


@pytest.fixture
def desk(db: None) -> Desk:
    """Three people of the staff (Ana, Ben, Chidi) and tables 0 to 3; 3 is not active."""
    return Desk()


@pytest.fixture
async def rt() -> AsyncIterator[Runtime]:
    """The runtime of the test's own event loop, stopped when the test is over."""
    current = runtime.current()
    yield current
    await current.stop()
