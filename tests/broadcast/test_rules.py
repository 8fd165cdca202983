"""Names, targets and the choice of clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast.rules import (
    RESERVED_NAMES,
    Everyone,
    NamedClients,
    RandomClients,
    is_channel_name,
    is_event_id,
    parse_target,
    pick_clients,
)
from realtime.ids import new_event_id


@pytest.mark.parametrize("name", ["a", "A.b_c:d~e-9", "x" * 128, "...", "apis"])
def test_channel_names(name):
    assert is_channel_name(name)


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "a b", "é", "a/b", "a\n", "٣", *sorted(RESERVED_NAMES), "ADMIN"]
)
def test_what_is_no_channel_name(name):
    assert not is_channel_name(name)


@pytest.mark.parametrize("length", [1, 8, 16])
def test_event_ids(length):
    assert is_event_id(new_event_id(length))


@pytest.mark.parametrize(
    "text", ["", "evt_", "evt_é", "evt_a\n", "evt_\0", "client_12345678", "evt_" + "a" * 37]
)
def test_what_is_no_event_id(text):
    assert not is_event_id(text)


@pytest.mark.parametrize(
    ("clients", "target"),
    [
        (None, Everyone()),
        ("3", RandomClients(3)),
        ("999999999", RandomClients(999_999_999)),
        ("client_a", NamedClients(("client_a",))),
        (" client_b , client_a,,client_b", NamedClients(("client_b", "client_a"))),
        ("-3", NamedClients(("-3",))),
        ("٣", NamedClients(("٣",))),
    ],
)
def test_targets(clients, target):
    assert parse_target(clients) == target


@pytest.mark.parametrize("clients", ["", "0", "000", ",", " , ", "1000000000", "9" * 5000])
def test_what_is_no_target(clients):
    with pytest.raises(ValueError, match="clients"):
        parse_target(clients)


names = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(connected=names, named=st.lists(st.sampled_from("abcdefghxyz"), unique=True, min_size=1))
def test_named_clients_are_chosen_or_missing(connected, named):
    if set(named) & set(connected):
        chosen, missing = pick_clients(NamedClients(tuple(named)), dict.fromkeys(connected))
        assert set(chosen) <= set(connected)
        assert sorted(chosen + missing) == sorted(named)
        assert not set(missing) & set(connected)
    else:
        with pytest.raises(ValueError, match="None of the clients"):
            pick_clients(NamedClients(tuple(named)), connected)


@given(connected=names, count=st.integers(1, 9))
def test_random_clients_are_distinct_and_connected(connected, count):
    if count > len(connected):
        with pytest.raises(ValueError, match="Not enough clients"):
            pick_clients(RandomClients(count), connected)
    else:
        chosen, missing = pick_clients(RandomClients(count), connected)
        assert len(set(chosen)) == count == len(chosen)
        assert set(chosen) <= set(connected)
        assert missing == []


def test_everyone_is_everyone():
    assert pick_clients(Everyone(), {"a": 1, "b": 2}) == (["a", "b"], [])
