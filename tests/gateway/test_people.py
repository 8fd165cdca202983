"""The accounts of this site, as other services ask for them; and ids that somebody typed."""

from __future__ import annotations

import pytest

from gateway.models import Account
from gateway.rules import id_of
from gateway.selectors.overview import accounts_called, channels_called
from gateway.services.people import People
from tests.gateway.people import somebody

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("9223372036854775807", 2**63 - 1), ("1000000000000000000", 10**18)],
)
def test_ids(text: str, number: int) -> None:
    assert id_of(text) == number


@pytest.mark.parametrize("text", ["", "-1", "01", " 1", "1\n", "٣", "x", "9223372036854775808", "9" * 5_000])
def test_what_is_no_id(text: str) -> None:
    assert id_of(text) is None
    assert accounts_called(text or "-", 5) == channels_called(text or "-", 5) == []
    assert People().names_of([text]) == {}


def test_ids_of_nineteen_digits_are_somebodys() -> None:
    """Those that are given from 2027 on."""
    user = somebody("ann").user
    Account.objects.all().delete()
    late = Account.objects.create(id=10**18, user=user, display_name="Ann", created_at=user.date_joined)
    assert People().names_of([str(late.pk)]) == {str(late.pk): "Ann (ann)"}
    assert [one.id for one in People().search(str(late.pk), 5)] == [str(late.pk)]
