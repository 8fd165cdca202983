"""Random identifiers: a readable prefix and characters nobody can guess.

The alphabet is nanoid's (A–Z, a–z, 0–9, ``_`` and ``-``), which needs no escaping in JSON, in a URL or
in a header. A character carries 6 bits. Eight of them, the length the broadcast document shows, make
2⁴⁸ ids: among 10,000 in one place the chance that any two are equal is about 2·10⁻⁷, among a million
it is 0.2 %. So whoever keeps ids for long, or counts on their being unique, asks for more characters
or checks against what is there.

This module is pure but for the operating system's randomness.
"""

import secrets

__all__ = ["new_client_id", "new_event_id", "new_process_id", "random_id"]


def random_id(prefix: str, length: int = 8) -> str:
    """`prefix` followed by `length` random characters, each drawn evenly from the 64.

    Raises:
        ValueError: `length` is less than 1.
    """
    if length < 1:
        raise ValueError(f"an id needs at least one random character, not {length}")
    # base64url has just these 64 characters; three bytes make four of them, so this many bytes fill
    # every character that is kept.
    return prefix + secrets.token_urlsafe((length * 3 + 3) // 4)[:length]


def new_client_id(length: int = 8) -> str:
    """For one connection to a broadcast channel, such as ``client_fXoSDfqi``."""
    return random_id("client_", length)


def new_event_id(length: int = 8) -> str:
    """For one message of a broadcast channel, such as ``evt_gPVZZQC5``."""
    return random_id("evt_", length)


def new_process_id() -> str:
    """For one run of one server process. Never shown to clients; long enough never to be met again."""
    return random_id("proc_", 16)
