"""The garbage collector's stops."""

import gc
from collections.abc import Iterator

import pytest

from realtime.memory import COLLECT_AFTER, collect_garbage_rarely


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_is_loaded_is_set_aside():
    before = gc.get_freeze_count()
    collect_garbage_rarely()
    assert gc.get_freeze_count() > before + 10_000
    assert gc.get_threshold()[0] == COLLECT_AFTER


def test_garbage_is_still_collected():
    collect_garbage_rarely()

    class Node:
        freed = 0

        def __del__(self) -> None:
            Node.freed += 1

    for _ in range(COLLECT_AFTER * 2):
        node = Node()
        node.itself = node  # type: ignore[attr-defined]
    assert Node.freed > 0
