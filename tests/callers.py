"""Who calls an HTTP API in tests: a client for each kind of caller.

They are Django's own synchronous clients, so that a test's queries can be counted. Each service's tests make
them for its own API (`Callers`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client

from realtime.apikeys import create_api_key

PASSWORD = "a-long-enough-password"


class Caller:
    """Sends JSON with the headers of one caller. Paths are relative to `root`: a service's own has one."""

    root: ClassVar[str]

    def __init__(self, client: Client | None = None, **headers: str) -> None:
        self.client = client or Client()
        self.headers = headers

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """One request; `body` may be bytes, which are sent as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response: HttpResponse = self.client.generic(
            method, self.root + path, raw, "application/json", headers=self.headers | headers
        )
        return response

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self.send("DELETE", path)


@dataclass(frozen=True)
class Callers:
    """Makes callers of one service: its app's label, and its class of callers."""

    app: str
    kind: type[Caller]

    def program(self, *scopes: str, name: str = "till") -> Caller:
        """Somebody with a new API key."""
        _, key = create_api_key(name=name, scopes=list(scopes))
        return self.kind(Authorization=f"Bearer {key}")

    def account(self, name: str = "otto", *permissions: str, is_staff: bool = True) -> Caller:
        """Somebody who is logged in to the site, in the admin with these permissions (codenames)."""
        user = User.objects.create_user(name, password=PASSWORD, is_staff=is_staff)
        user.user_permissions.set(self.permissions(*permissions))
        assert user.user_permissions.count() == len(permissions)
        return self.logged_in(user)

    def permissions(self, *codenames: str) -> QuerySet[Permission]:
        """Those of this service."""
        return Permission.objects.filter(content_type__app_label=self.app, codename__in=codenames)

    def logged_in(self, user: User, **client: Any) -> Caller:
        """The session of that account."""
        caller = self.kind(Client(**client))
        caller.client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return caller


def refused(response: HttpResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that it is an error in the one shape there is; gives its body."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    body: dict[str, Any] = json.loads(response.content)
    assert body["success"] is False
    assert body["error"]
    assert body.get("code") == code
    return body


def accepted(response: HttpResponse, status: int = 200) -> Any:
    """Check that it is no error; gives its body."""
    assert response.status_code == status, response.content
    assert response["Cache-Control"] == "no-store"
    return json.loads(response.content) if response.content else None


def results(response: Any, key: str) -> list[Any]:
    """The values of `key` in a list that was answered."""
    return [row[key] for row in accepted(response)["results"]]
