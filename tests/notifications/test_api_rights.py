"""Who may do what at the HTTP API of the notifications."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.notifications.programs import ROOT, TEMPLATE, Program
from tests.realtime.admin_pages import somebody_of

pytestmark = pytest.mark.django_db

_OPERATIONS = [
    ("POST", "", ["send"], "add_sent"),
    ("GET", "sent", ["manage"], "view_sent"),
    ("GET", "sent/1", ["manage"], "view_sent"),
    ("GET", "dead-letters", ["manage"], "view_deadletter"),
    ("POST", "dead-letters/1/retry", ["manage"], "change_deadletter"),
    ("POST", "dead-letters/1/discard", ["manage"], "change_deadletter"),
    ("GET", "templates", ["manage", "send"], "view_template"),
    ("GET", "templates/x", ["manage", "send"], "view_template"),
    ("PUT", "templates/x", ["manage"], "change_template"),
    ("DELETE", "templates/x", ["manage"], "delete_template"),
]


def test_each_operation_has_its_scopes_and_its_permission() -> None:
    programs = {scope: Program(f"notifications:{scope}", name=scope) for scope in ("send", "manage")}
    stranger = Program("broadcast:manage", name="stranger")
    for method, path, scopes, permission in _OPERATIONS:
        for scope, program in programs.items():
            # An empty body is what is wrong then, or what is asked for is not there.
            allowed = program.ask(method, path)[0] in (200, 400, 404)
            assert allowed is (scope in scopes), (method, path, scope)
        assert stranger.ask(method, path)[0] == 403
        assert Client().generic(method, ROOT + path).status_code == 401
        for client, lets_in in (
            (somebody_of("notifications", permission), True),
            (somebody_of("notifications", "view_notification"), False),
        ):
            status = client.generic(method, ROOT + path, "", "application/json").status_code
            assert (status in (200, 400, 404)) is lets_in, (method, path, status)


def test_who_may_only_change_templates_makes_none() -> None:
    changer = somebody_of("notifications", "change_template")
    put = {"path": f"{ROOT}templates/handover", "data": TEMPLATE, "content_type": "application/json"}
    assert changer.put(**put).status_code == 403
    assert somebody_of("notifications", "change_template", "add_template").put(**put).status_code == 201
    assert changer.put(**put).status_code == 200
