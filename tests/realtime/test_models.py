"""API keys as rows."""

import pytest
from django.core.exceptions import ValidationError

from realtime.apikeys import create_api_key
from realtime.models import ApiKey

pytestmark = pytest.mark.django_db


def test_only_a_digest_of_the_key_is_kept() -> None:
    row, key = create_api_key(name="press", scopes=["broadcast:emit"])
    secret = key.partition(".")[2]
    row.refresh_from_db()
    assert len(secret) == 32
    assert all(secret not in str(value) for value in vars(row).values())
    assert row.is_valid(key)


def test_scopes_are_a_list_without_blanks() -> None:
    row, _ = create_api_key(name="press", scopes=["broadcast:emit", "broadcast:emit:news.*"])
    assert row.scope_list == ["broadcast:emit", "broadcast:emit:news.*"]
    assert ApiKey(name="x", scopes="\n broadcast:emit \r\n\r\n").scope_list == ["broadcast:emit"]


def test_what_is_no_scope_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="Not a scope: everything"):
        create_api_key(name="press", scopes=["broadcast:emit", "everything"])
    assert not ApiKey.objects.exists()


def test_a_revoked_key_stays_revoked() -> None:
    row, _ = create_api_key(name="press", scopes=[])
    row.revoked = True
    row.save()
    row = ApiKey.objects.get()
    row.revoked = False
    with pytest.raises(ValidationError):
        row.save()
