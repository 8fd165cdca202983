"""API keys: who is asking, and may they?

Core. Other programs authenticate with ``Authorization: Bearer <key>``, at the HTTP API (through DRF,
`ApiKeyAuthentication` and `has_scope`) and on sockets and plain ASGI routes (`get_grant`). What a key
may do are its scopes (`realtime.scopes`).

A key that was looked up is remembered for `CACHE_S` seconds, found or not. Changes through the model
(the admin does it so) clear that memory in every process at once, over the bus; where the bus is down
or a change went around the model, a revoked key may be accepted for those seconds.
"""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from realtime import runtime
from realtime.db import in_db_thread
from realtime.http_errors import CHALLENGE
from realtime.models import ApiKey
from realtime.scopes import scopes_allow

CACHE_S = 10.0
"""Short enough to wait out after a change nobody heard of; long enough to spare the database."""

MAX_CACHED = 10_000
"""Keys remembered, and as many wrong ones. A few hundred bytes each."""

# What `KeyGenerator` makes. Anything else is refused without asking the database.
_KEY = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}")
KEYS_CHANGED = "apikeys.changed"
"""The bus message that says so; services recheck who they let in."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a key may do. `prefix` is the key's public part: fit for logs and limits."""

    prefix: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None

    def allows(self, scope: str, subject: str = "") -> bool:
        """May the holder do `scope` (``broadcast:emit``) to `subject` (a channel's name)?"""
        return scopes_allow(self.scopes, scope, subject)


class GrantCache:
    """Keys looked up lately, with their answer. Thread-safe; holds digests, not keys.

    Right and wrong keys are kept apart, so that guessing cannot push the right ones out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[bytes, tuple[float, Grant]] = OrderedDict()
        self._missing: OrderedDict[bytes, float] = OrderedDict()
        self.generation = 0

    def get(self, digest: bytes, now_s: float) -> tuple[bool, Grant | None]:
        """``(known, grant)``: whether there is an answer younger than `CACHE_S`, and the answer."""
        with self._lock:
            if (found := self._found.get(digest)) and now_s - found[0] < CACHE_S:
                return True, found[1]
            missed_at = self._missing.get(digest)
            return missed_at is not None and now_s - missed_at < CACHE_S, None

    def put(self, digest: bytes, grant: Grant | None, now_s: float, generation: int) -> None:
        """Remember an answer, unless the cache was cleared since `generation`: it may be outdated."""
        with self._lock:
            if generation != self.generation:
                return
            entries: OrderedDict[bytes, Any] = self._missing if grant is None else self._found
            entries[digest] = now_s if grant is None else (now_s, grant)
            entries.move_to_end(digest)
            if len(entries) > MAX_CACHED:
                entries.popitem(last=False)

    def clear(self) -> None:
        """Forget every answer, also those being looked up now."""
        with self._lock:
            self._found.clear()
            self._missing.clear()
            self.generation += 1


_cache = GrantCache()


def bearer_key(authorization: str) -> str | None:
    """The key in the value of an Authorization header; None where it is of another kind or absent."""
    scheme, _, key = authorization.strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


async def get_grant(key: str) -> Grant | None:
    """What the holder of `key` may do, or None for a wrong, revoked or expired key.

    From memory, or with one query in a database thread.

    Raises:
        DatabaseError: the database cannot answer. Treat it as 503, not as a wrong key.
    """
    known, grant = _remembered(key)
    return grant if known else await in_db_thread(_look_up, key)


def get_grant_in_thread(key: str) -> Grant | None:
    """As `get_grant`, for code that runs in a thread of its own (DRF views)."""
    known, grant = _remembered(key)
    return grant if known else _look_up(key)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _remembered(key: str) -> tuple[bool, Grant | None]:
    if not _KEY.fullmatch(key):
        return True, None
    known, grant = _cache.get(_digest(key), time.monotonic())
    if grant and grant.expires_at and grant.expires_at <= timezone.now():
        return True, None
    return known, grant


def _look_up(key: str) -> Grant | None:
    generation = _cache.generation
    try:
        row = cast(ApiKey, ApiKey.objects.get_from_key(key))
    except ApiKey.DoesNotExist:
        grant = None
    else:
        grant = None if row.has_expired else grant_of(row)
    _cache.put(_digest(key), grant, time.monotonic(), generation)
    return grant


def grant_of(row: ApiKey) -> Grant:
    """The grant that a valid `row` stands for."""
    return Grant(row.prefix, row.name, tuple(row.scope_list), row.expiry_date)


def create_api_key(
    *, name: str, scopes: list[str], expiry_date: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key; gives the row and the key itself, which cannot be had again.

    Raises:
        ValidationError: a scope is none, or the name is too long.
    """
    row = ApiKey(name=name, scopes="\n".join(scopes), expiry_date=expiry_date)
    key: str = ApiKey.objects.assign_key(row)
    row.full_clean()
    row.save(force_insert=True)
    return row, key


def revoke_api_key(row: ApiKey) -> None:
    """Make a key invalid for good. Every process hears of it after the commit."""
    row.revoked = True
    row.save(update_fields=["revoked"])


# --- Changes ------------------------------------------------------------------------------------


def invalidate() -> None:
    """Make every process ask the database again. Called after each commit that changes a key."""
    _cache.clear()
    runtime.send_from_thread(runtime.EVERY_PROCESS, KEYS_CHANGED, {})


@receiver([post_save, post_delete], sender=ApiKey)
def _key_changed(**_kwargs: object) -> None:
    transaction.on_commit(invalidate)


@runtime.on_start
def _listen_for_changes(current: runtime.Runtime) -> None:
    current.on(KEYS_CHANGED, lambda _group, _message: _cache.clear())
    current.bus.on_resync(_cache.clear)


# --- HTTP API -------------------------------------------------------------------------------------


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer <key>``. ``request.auth`` is then the `Grant`; there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Grant] | None:
        """Raises AuthenticationFailed (401) for a key that is wrong, revoked or expired."""
        key = bearer_key(request.headers.get("Authorization", ""))
        if key is None:
            return None
        grant = get_grant_in_thread(key)
        if grant is None:
            raise AuthenticationFailed("This API key is not valid.")
        return AnonymousUser(), grant

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def has_scope(scope: str, *, subject_kwarg: str = "", user_permission: str = "") -> type[BasePermission]:
    """A permission class: an API key with `scope`, or somebody of the staff who is logged in.

    Args:
        scope: such as ``broadcast:manage``.
        subject_kwarg: the URL argument that names the subject, where the scope has one.
        user_permission: what the member of staff needs in the admin, ``broadcast.change_channelpolicy``.
            Without it being staff is enough.
    """

    class HasScope(BasePermission):
        message = f"This needs an API key with the scope {scope}, or a staff login."

        def has_permission(self, request: Request, view: Any) -> bool:
            if isinstance(request.auth, Grant):
                return request.auth.allows(scope, view.kwargs.get(subject_kwarg, "") if subject_kwarg else "")
            user = request.user
            return bool(user.is_staff and (not user_permission or user.has_perm(user_permission)))

    return HasScope
