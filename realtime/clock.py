"""Time as a dependency: what needs the time is given a `Clock`, so that tests can turn its hands.

This module is pure but for the operating system's clocks.
"""

import time
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]


class Clock(Protocol):
    """Two readings of time, which are never compared with each other."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back. For timeouts, rates and durations."""
        ...

    def time_ms(self) -> int:
        """Milliseconds since 1970 in UTC; may jump when the clock is set. For what people read."""
        ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def monotonic(self) -> float:
        return time.monotonic()

    def time_ms(self) -> int:
        return time.time_ns() // 1_000_000


class FakeClock:
    """A clock that stands still until told otherwise. Both readings advance together.

    ``FakeClock(start_s=100.0)`` starts the monotonic reading at 100 s and the wall clock at
    `start_ms`, by default the first second of 2020.
    """

    __slots__ = ("_elapsed_s", "_start_ms", "_start_s")

    def __init__(self, start_s: float = 0.0, start_ms: int = 1_577_836_800_000) -> None:
        self._start_s = start_s
        self._start_ms = start_ms
        self._elapsed_s = 0.0

    def monotonic(self) -> float:
        return self._start_s + self._elapsed_s

    def time_ms(self) -> int:
        return self._start_ms + round(self._elapsed_s * 1000)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass.

        Raises:
            ValueError: `seconds` is negative; a monotonic clock never goes back.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot be turned back by {-seconds} s")
        self._elapsed_s += seconds
