"""Clocks: the machine's moves by itself, the fake one only when told to."""

import time

import pytest

from realtime.clock import Clock, FakeClock, SystemClock


def test_system_clock_reads_the_machine():
    clock: Clock = SystemClock()
    before_s, before_ms = time.monotonic(), time.time() * 1000
    assert before_s <= clock.monotonic() <= time.monotonic()
    assert before_ms - 1 <= clock.time_ms() <= time.time() * 1000


def test_fake_clock_moves_both_readings_together():
    clock = FakeClock(start_s=100.0, start_ms=5_000)
    assert (clock.monotonic(), clock.time_ms()) == (100.0, 5_000)
    clock.advance(1.5)
    clock.advance(0)
    assert (clock.monotonic(), clock.time_ms()) == (101.5, 6_500)


def test_fake_clock_does_not_go_back():
    clock: Clock = FakeClock()
    with pytest.raises(ValueError, match="turned back"):
        FakeClock().advance(-1)
    assert clock.monotonic() == 0
