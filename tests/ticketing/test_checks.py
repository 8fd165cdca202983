"""The desk refuses settings it could not work with, by their names."""

import pytest

from ticketing.checks import desk_settings


def test_the_defaults_are_fine() -> None:
    assert desk_settings() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TICKETING_TIME_ZONE", "Europe/Nowhere"),
        ("TICKETING_TIME_ZONE", "../etc/passwd"),
        ("TICKETING_TIME_ZONE", ""),
        ("TICKETING_PREFIX", "a"),
        ("TICKETING_PREFIX", "ABCD"),
        ("TICKETING_LANGUAGES", ["en", "tlh"]),
        ("TICKETING_LANGUAGES", []),
    ],
)
def test_a_wrong_one_is_named(settings, name: str, value: object) -> None:
    setattr(settings, name, value)
    (error,) = desk_settings()
    assert name in error.msg
    assert error.hint
