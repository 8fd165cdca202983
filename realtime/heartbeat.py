"""One timer wheel for all the timeouts of a process, instead of a task for each connection.

A wheel is a ring of slots, one for each tick. A timer waits in the slot of the tick it is due at, so
that setting one, cancelling one and finding those that are due take the same short time however many
there are (Varghese and Lauck's hashed timing wheel). A timer due more than a turn ahead shares its slot
with earlier ones and is passed over until its turn comes.

Precision is the price: a timer runs at the first `TimerWheel.advance` at or after the end of the tick it
is due in. So it is up to one tick late, plus whatever the caller is late, and never early. Pings,
acknowledgement timeouts and leases need no more.

This module is pure: the caller says what time it is. An event loop calls `advance` once a tick.
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["Timer", "TimerWheel"]

Callback: TypeAlias = Callable[[], object]
# While they wait, timers of one slot in the order they were set: a set that keeps its order.
_Slot: TypeAlias = "dict[Timer, None]"
_NO_SLOT: Final[_Slot] = {}


class Timer:
    """One pending timeout. Made by `TimerWheel.schedule`; all one does with it is `cancel`."""

    __slots__ = ("_callback", "_slot", "_tick")

    def __init__(self, tick: int, slot: _Slot, callback: Callback) -> None:
        self._tick = tick
        self._slot = slot
        self._callback: Callback | None = callback
        slot[self] = None

    @property
    def pending(self) -> bool:
        """Neither cancelled nor run yet."""
        return self._callback is not None

    def cancel(self) -> None:
        """Never run, and let go of the callback and what it refers to. Harmless if it is too late."""
        self._take()

    def _take(self) -> Callback | None:
        """Leave the slot; give the callback up to the first who asks."""
        callback, self._callback = self._callback, None
        self._slot.pop(self, None)
        self._slot = _NO_SLOT
        return callback


class TimerWheel:
    """All pending timers of one event loop.

    Args:
        tick_s: the precision, in seconds. 0.1 s is nothing to a human and costs ten wake-ups a second.
        slots: ticks in a turn. 512 make 51 s, longer than nearly all our timeouts, so that almost
            no timer is ever passed over.
    """

    __slots__ = ("_now_tick", "_origin_s", "_slots", "tick_s")

    def __init__(self, tick_s: float = 0.1, slots: int = 512) -> None:
        if not (tick_s > 0 and slots >= 1):
            raise ValueError(f"need a tick above 0 s and at least one slot, not {tick_s} and {slots}")
        self.tick_s = tick_s
        self._slots: list[_Slot] = [{} for _ in range(slots)]
        self._origin_s: float | None = None  # the first time we are told; ticks count from it
        self._now_tick = 0

    def __len__(self) -> int:
        """How many timers are pending. Costs a look at each slot: for metrics and tests."""
        return sum(map(len, self._slots))

    def schedule(self, delay_s: float, callback: Callback, *, now_s: float | None = None) -> Timer:
        """Run `callback` once, `delay_s` from now. A delay of 0 or less means the next tick.

        `now_s` is what the delay counts from. Left out, it counts from the last `advance`, which is up
        to a tick ago, or more when the loop was held up; pass it where being early would be wrong.
        """
        base = self._now_tick if now_s is None else self._ticks_at(now_s)
        # Never the tick that is already over: its slot has been swept and would wait a whole turn.
        tick = max(math.ceil(base + delay_s / self.tick_s), self._now_tick + 1)
        return Timer(tick, self._slots[tick % len(self._slots)], callback)

    def advance(self, now_s: float) -> list[Exception]:
        """Run what is due at `now_s`, earliest first; within a tick, in the order it was scheduled.

        A callback that raises does not keep the others from running: its exception is returned, for
        the caller to log. What callbacks schedule runs at a later call; what they cancel does not run.
        A time before the last one does nothing.
        """
        until_tick = math.floor(self._ticks_at(now_s))
        turned = min(until_tick - self._now_tick, len(self._slots))
        if turned <= 0:
            return []
        due: list[Timer] = []
        for tick in range(until_tick - turned + 1, until_tick + 1):
            slot = self._slots[tick % len(self._slots)]
            due += [timer for timer in slot if timer._tick <= until_tick]
        due.sort(key=_tick_of)
        self._now_tick = until_tick
        errors: list[Exception] = []
        for timer in due:
            if callback := timer._take():
                try:
                    callback()
                except Exception as error:  # noqa: BLE001 (returned, not swallowed)
                    errors.append(error)
        return errors

    def _ticks_at(self, now_s: float) -> float:
        if self._origin_s is None:
            self._origin_s = now_s
        return (now_s - self._origin_s) / self.tick_s


def _tick_of(timer: Timer) -> int:
    return timer._tick
