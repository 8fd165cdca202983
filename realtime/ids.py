"""Identifiers: a readable prefix and characters nobody can guess; or numbers that are ordered by time.

The alphabet is nanoid's (A–Z, a–z, 0–9, ``_`` and ``-``), which needs no escaping in JSON, in a URL or
in a header. A character carries 6 bits. Eight of them, the length the broadcast document shows, make
2⁴⁸ ids: among 10,000 in one place the chance that any two are equal is about 2·10⁻⁷, among a million
it is 0.2 %. So whoever keeps ids for long, or counts on their being unique, asks for more characters
or checks against what is there.

Those that are ordered by time are numbers of 64 bits, and come one after the other from one place.

This module is pure but for the operating system's randomness.
"""

from base64 import urlsafe_b64encode
from os import urandom

__all__ = ["first_time_id", "new_client_id", "new_event_id", "new_process_id", "next_time_id", "random_id"]

# Ids that are ordered by time count milliseconds from 2020 in their upper 41 bits, which lasts until 2089.
_TIME_EPOCH_MS = 1_577_836_800_000
_SEQUENCE_BITS = 22


def random_id(prefix: str, length: int = 8) -> str:
    """`prefix` followed by `length` random characters, each drawn evenly from the 64.

    Raises:
        ValueError: `length` is less than 1.
    """
    if length < 1:
        raise ValueError(f"an id needs at least one random character, not {length}")
    # base64url has just these 64 characters; three bytes make four of them, so this many bytes fill
    # every character that is kept.
    return prefix + urlsafe_b64encode(urandom((length * 3 + 3) // 4))[:length].decode("ascii")


def new_client_id(length: int = 8) -> str:
    """For one connection to a broadcast channel, such as ``client_fXoSDfqi``."""
    return random_id("client_", length)


def new_event_id(length: int = 8) -> str:
    """For one message of a broadcast channel, such as ``evt_gPVZZQC5``."""
    return random_id("evt_", length)


def new_process_id() -> str:
    """For one run of one server process. Never shown to clients; long enough never to be met again."""
    return random_id("proc_", 16)


def next_time_id(last_id: int, now_ms: int) -> int:
    """The id after `last_id`: ordered by time, and higher than it whatever the clock says."""
    return max(last_id + 1, first_time_id(now_ms))


def first_time_id(at_ms: int) -> int:
    """The lowest id of this moment, in milliseconds since 1970; ids of before are lower."""
    return (at_ms - _TIME_EPOCH_MS) << _SEQUENCE_BITS
