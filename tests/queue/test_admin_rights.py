"""Who may do what in the queue's admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from queue.models import NeverWaits
from queue.selectors.line import load_policy
from queue.services.policy import save_never_waits
from tests.queue.admin_pages import ALL_PAGES, LOG, NEVER_WAITS, POLICY, ROOT, SESSIONS, TICKETS, somebody
from tests.queue.line import LineOfTests
from tests.realtime.admin_pages import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> LineOfTests:
    """Ann is in, Ben waits."""
    line = LineOfTests()
    line.policy(capacity=1)
    line.join("ann", "ben")
    line.enter("ann")
    return line


@pytest.mark.parametrize("path", [*ALL_PAGES, POLICY + "line/", POLICY + "1/change/", LOG + "export.csv"])
def test_strangers_are_sent_to_the_login_and_others_away(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))
    assert somebody().get(path).status_code == 403


def test_looking_is_not_doing(line: LineOfTests) -> None:
    viewer = somebody(
        *(f"view_{model}" for model in ("ticket", "session", "policy", "logentry", "neverwaits"))
    )
    ticket, session = line.ticket("ben").pk, line.ticket("ann").session.pk
    save_never_waits(client_id="boss", note="")
    pages = {
        f"{TICKETS}{ticket.replace('_', '_5F')}/change/": [
            f"{TICKETS}{ticket}/{command}/" for command in ("admit", "front", "remove")
        ],
        f"{SESSIONS}{session.replace('_', '_5F')}/change/": [f"{SESSIONS}{session}/end/"],
        POLICY + "1/change/": [POLICY + "pause/", POLICY + "resume/"],
    }
    for path, commands in pages.items():
        page = page_of(viewer.get(path))
        assert 'name="_save"' not in page
        for command in commands:
            assert command not in page
            assert viewer.get(command).status_code == 403
            assert viewer.post(command).status_code == 403
    for path, actions, row in (
        (TICKETS, ("admit", "front", "remove"), ticket),
        (SESSIONS, ("end",), session),
        (NEVER_WAITS, ("delete_selected",), "boss"),
    ):
        page = page_of(viewer.get(path))
        for action in actions:
            assert f'value="{action}"' not in page
            form = {"action": action, "_selected_action": [row], "confirmed": "yes", "post": "yes"}
            page_of(viewer.post(path, form, follow=True))
    assert viewer.post(POLICY + "1/change/", {"capacity": "9"}).status_code == 403
    assert viewer.get(NEVER_WAITS + "add/").status_code == 403
    assert viewer.get(POLICY + "line/").status_code == 200
    assert line.states("ann", "ben") == ["entered", "waiting"]
    assert line.ticket("ann").session.ended_at is None
    assert (load_policy().capacity, load_policy().paused) == (1, False)
    assert NeverWaits.objects.exists()


@pytest.mark.parametrize(
    ("permissions", "path", "status"),
    [
        (("view_ticket", "change_ticket"), "ticket/{ben}/admit/", 302),
        (("view_ticket", "change_session"), "ticket/{ben}/admit/", 403),
        (("view_session", "change_session"), "session/{session}/end/", 302),
        (("view_session", "change_ticket"), "session/{session}/end/", 403),
        (("change_policy",), "policy/pause/", 302),
        (("change_ticket",), "policy/pause/", 403),
        (("view_neverwaits", "delete_neverwaits"), "neverwaits/boss/delete/", 302),
        (("view_neverwaits", "change_neverwaits"), "neverwaits/boss/delete/", 403),
    ],
    ids=str,
)
def test_each_thing_has_its_permission(
    line: LineOfTests, permissions: tuple[str, ...], path: str, status: int
) -> None:
    save_never_waits(client_id="boss", note="")
    ids = {"ben": line.ticket("ben").pk, "session": line.ticket("ann").session.pk}
    answer = somebody(*permissions).post(ROOT + path.format(**ids), {"post": "yes"})
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["ticket/{}/admit/", "session/{}/end/", "policy/pause/"])
def test_a_form_without_its_token_does_nothing(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    assert client.post(ROOT + path.format("x")).status_code == 403


@pytest.mark.parametrize("path", ["ticket/{}/admit/", "ticket/{}/front/", "session/{}/end/"])
def test_what_is_not_there_is_not_found(admin_client: Client, path: str) -> None:
    assert admin_client.post(ROOT + path.format("nothing")).status_code == 404
