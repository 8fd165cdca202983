"""Signing in with name and password over an HTTP API: limited, counted and locked out as everywhere here.

Core, for Django REST framework. An address may try only so often, which is asked before a password is hashed,
slow on purpose as that is; failures for a name are counted, and locked out, by django-axes.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from axes.helpers import get_cool_off
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from rest_framework.request import Request

from realtime.http_limits import RequestLimit, too_many

# A shift that signs in at once, from behind one router; then one more every two seconds.
LOGIN_BURST = 30
LOGIN_RATE_PER_S = 0.5

_SENTENCE = "Too many attempts. Wait before the next."


class LoginLimit(RequestLimit):
    """By address."""

    def __init__(self) -> None:
        super().__init__(LOGIN_RATE_PER_S, LOGIN_BURST)


limit = LoginLimit()


def count_attempt(request: Request) -> None:
    """One more attempt of this address.

    Raises:
        HttpError: 429, with ``Retry-After``.
    """
    if wait_s := limit.take(request.META.get("REMOTE_ADDR", "")):
        raise too_many(_SENTENCE, wait_s)


def sign_in(request: Request, *, username: str, password: str) -> Any | None:
    """The active user that these belong to, or None.

    Raises:
        HttpError: 429, with ``Retry-After``: this name is locked out.
    """
    attempt = _without_session(request)
    user = authenticate(attempt, username=username, password=password)
    if user is None:
        if getattr(attempt, "axes_locked_out", False):
            raise too_many(_SENTENCE, _lockout_s(attempt))
        return None
    user_logged_in.send(sender=type(user), request=attempt, user=user)
    return user


def _without_session(request: Request) -> HttpRequest:
    """A copy of the request for django-axes to leave its marks on.

    On the request itself they would have its middleware put a text in place of our answer, and start a
    session for somebody who asked for a token.
    """
    attempt: HttpRequest = copy(request._request)
    attempt.__dict__.pop("session", None)
    return attempt


def _lockout_s(attempt: HttpRequest) -> int:
    cool_off = get_cool_off(attempt)
    return int(cool_off.total_seconds()) if cool_off else 0
