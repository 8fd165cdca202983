"""Random ids: their shape, and that every character is drawn evenly. Ids by time: they only go up."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.ids import new_client_id, new_event_id, new_process_id, next_time_id, random_id


@pytest.mark.parametrize("length", range(1, 40))
def test_has_the_length_and_alphabet_asked_for(length):
    assert re.fullmatch(rf"evt_[A-Za-z0-9_-]{{{length}}}", random_id("evt_", length))


@pytest.mark.parametrize("length", [0, -1])
def test_without_a_random_character_it_is_no_id(length):
    with pytest.raises(ValueError, match="at least one"):
        random_id("evt_", length)


@pytest.mark.parametrize(
    ("new", "shape"),
    [
        (new_client_id, r"client_[A-Za-z0-9_-]{8}"),
        (new_event_id, r"evt_[A-Za-z0-9_-]{8}"),
        (lambda: new_client_id(12), r"client_[A-Za-z0-9_-]{12}"),
        (lambda: new_event_id(12), r"evt_[A-Za-z0-9_-]{12}"),
        (new_process_id, r"proc_[A-Za-z0-9_-]{16}"),
    ],
)
def test_kinds_of_ids(new, shape):
    assert re.fullmatch(shape, new())
    assert len({new() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_all_64_characters_appear_in_the_last_place(length):
    # If the bytes drawn did not fill the last character, some of the 64 could not appear there. That one
    # is missing from 4,000 fair draws has a chance of 64 · (63/64)^4000, below 10^-25.
    counts = Counter(random_id("", length)[-1] for _ in range(4_000))
    assert len(counts) == 64


@given(st.lists(st.integers(0, 3_776_860_055_551), min_size=2))
def test_ids_go_up_whatever_the_clock_says(moments: list[int]) -> None:
    last = 0
    for now_ms in moments:
        new = next_time_id(last, now_ms)
        assert last < new < 2**63
        last = new
