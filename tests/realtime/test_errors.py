"""The error tree: whose fault it is, a code for machines, a message for people."""

import pickle

import pytest

from realtime.errors import FoyerError, InternalError, ProtocolViolation, Refused


@pytest.mark.parametrize("kind", [ProtocolViolation, Refused])
def test_carries_code_and_message(kind):
    error = kind("TOO_LARGE", "The text is longer than 4 bytes.")
    assert (error.code, error.message) == ("TOO_LARGE", "The text is longer than 4 bytes.")
    assert str(error) == "TOO_LARGE: The text is longer than 4 bytes."


def test_our_own_fault_has_one_code_unless_told_otherwise():
    assert InternalError("The bus is gone.").code == "INTERNAL"
    assert InternalError("The bus is gone.", "BUS_DOWN").code == "BUS_DOWN"


def test_the_three_kinds_are_apart():
    kinds = [ProtocolViolation, Refused, InternalError]
    for kind in kinds:
        assert issubclass(kind, FoyerError)
        assert not any(issubclass(kind, other) for other in kinds if other is not kind)


@pytest.mark.parametrize("error", [Refused("FULL", "No place is free."), InternalError("It broke.", "DB")])
def test_survives_the_way_to_another_process(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message) == (type(error), error.code, error.message)
