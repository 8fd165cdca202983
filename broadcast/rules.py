"""Pure decisions about broadcast channels: names, targets, credentials. No Django, no protocol.

Source: docs/protocols/broadcast.md.
"""

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

CHANNEL_NAME_PATTERN = r"[A-Za-z0-9._:~-]{1,128}"
DEFAULT_POLICY_NAME = "*"

# First path segments the site uses itself. A channel of that name could never be reached.
RESERVED_NAMES = frozenset(
    {
        "admin",
        "api",
        "broadcast",
        "favicon.ico",
        "gateway",
        "healthz",
        "metrics",
        "notifications",
        "queue",
        "readyz",
        "static",
        "ticketing",
        ".",
        "..",
    }
)

# What `realtime.ids` makes; as a parameter anything may come, also what a database does not take.
_event_id = re.compile(r"evt_[A-Za-z0-9_-]{1,36}", re.ASCII)
_channel_name = re.compile(CHANNEL_NAME_PATTERN, re.ASCII)


def is_channel_name(name: str) -> bool:
    """Whether `name` can be a channel: well-formed, and not a path of the site itself."""
    return _channel_name.fullmatch(name) is not None and name.lower() not in RESERVED_NAMES


def is_event_id(text: str) -> bool:
    """Whether `text` can be the ID of an event."""
    return _event_id.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one channel, as plain data. `history_age_s` 0 sets no age limit."""

    emit: str
    listen: str
    history_size: int = 0
    history_age_s: int = 0


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every listener of the channel."""


@dataclass(frozen=True, slots=True)
class RandomClients:
    """`count` distinct listeners, any of them."""

    count: int


@dataclass(frozen=True, slots=True)
class NamedClients:
    """These listeners."""

    ids: tuple[str, ...]


Target = Everyone | RandomClients | NamedClients


def parse_target(clients: str | None) -> Target:
    """Read the ``clients`` parameter: nothing, a number, or client IDs split by commas.

    Raises:
        ValueError: it is none of these; the text says why.
    """
    if clients is None:
        return Everyone()
    # isdigit alone also takes digits of other scripts, and int() has a limit on length.
    if clients.isascii() and clients.isdigit():
        if len(clients) > 9 or int(clients) == 0:
            raise ValueError("The number of clients must be between 1 and 999999999.")
        return RandomClients(int(clients))
    ids = tuple(dict.fromkeys(part.strip() for part in clients.split(",") if part.strip()))
    if not ids:
        raise ValueError("The clients parameter names no client.")
    return NamedClients(ids)


def pick_clients(target: Target, connected: Collection[str]) -> tuple[list[str], list[str]]:
    """Choose from the `connected` client IDs: (chosen, named but not connected).

    Raises:
        ValueError: too few are connected; the text is the protocol's.
    """
    match target:
        case Everyone():
            return list(connected), []
        case RandomClients(count):
            if count > len(connected):
                raise ValueError("Not enough clients to target.")
            population: Sequence[str] = list(connected)
            return random.sample(population, count), []
        case NamedClients(ids):
            chosen = [client_id for client_id in ids if client_id in connected]
            if not chosen:
                raise ValueError("None of the clients are connected.")
            return chosen, [client_id for client_id in ids if client_id not in connected]
