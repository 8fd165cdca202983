"""The admin of the broadcast channels: policies, the history to look at, and what is live."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from broadcast.models import ChannelPolicy, Event, Stream
from broadcast.services.history import NewEvent, commit_events
from broadcast.services.policies import save_policy
from realtime.db import in_db_thread
from tests.broadcast.doors import Listen, make_policy, make_user, make_user_now

POLICIES = "/admin/broadcast/channelpolicy/"
EVENTS = "/admin/broadcast/event/"
LIVE = "/admin/broadcast/livechannel/"
LOBBY = LIVE + "lobby/"
FORM = {"channel": "news", "emit": "key", "listen": "open", "history_size": 5, "history_age_s": 60}


@pytest.fixture(autouse=True)
def _settings(settings):
    settings.BROADCAST_OPEN = True
    settings.BROADCAST_ACK_TIMEOUT_S = 0.3


@pytest.fixture
async def operator(transactional_db: None) -> AsyncClient:
    """Somebody who may see what is live, emit and remove listeners."""
    client = AsyncClient()
    user = await make_user("view_livechannel", "emit_livechannel", "kick_livechannel")
    await sync_to_async(client.force_login)(user)
    return client


def page_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- Policies and history -----------------------------------------------------------------------------


@pytest.mark.django_db
class TestPolicies:
    def test_saving_and_deleting_go_through_the_service(
        self, admin_client: Client, django_capture_on_commit_callbacks
    ):
        def announced(callbacks: list[Any]) -> bool:
            return any("_announce" in callback.__qualname__ for callback in callbacks)

        with django_capture_on_commit_callbacks() as callbacks:
            assert admin_client.post(POLICIES + "add/", FORM).status_code == 302
        assert announced(callbacks)
        policy = ChannelPolicy.objects.get()
        with django_capture_on_commit_callbacks() as callbacks:
            admin_client.post(f"{POLICIES}{policy.pk}/change/", FORM | {"emit": "closed"})
        assert announced(callbacks)
        assert ChannelPolicy.objects.get().emit == "closed"
        with django_capture_on_commit_callbacks() as callbacks:
            admin_client.post(f"{POLICIES}{policy.pk}/delete/", {"post": "yes"})
        assert announced(callbacks)
        assert not ChannelPolicy.objects.exists()

    def test_deleting_the_selected_ones_is_announced_too(
        self, admin_client: Client, django_capture_on_commit_callbacks
    ):
        selected = [save_policy(policy=ChannelPolicy(channel=name)).pk for name in "ab"]
        form = {"action": "delete_selected", "_selected_action": selected, "post": "yes"}
        with django_capture_on_commit_callbacks() as callbacks:
            admin_client.post(POLICIES, form)
        assert not ChannelPolicy.objects.exists()
        assert len([callback for callback in callbacks if "_announce" in callback.__qualname__]) == 2

    def test_the_list_says_what_is_kept(self, admin_client: Client):
        save_policy(policy=ChannelPolicy(channel="news", history_size=10))
        commit_events([NewEvent("news", b"1"), NewEvent("news", b"2"), NewEvent("other", b"3")])
        Event.objects.get(channel="news", seq=1).delete()
        commit_events([NewEvent("news", b"4")])
        page = page_of(admin_client.get(POLICIES))
        assert 'href="/admin/broadcast/event/?q=news">2</a>' in page
        last = Event.objects.get(channel="news", seq=3).created_at
        assert f"{last:%Y-%m-%d %H:%M:%S} UTC" in page

    def test_the_list_takes_as_many_queries_for_many(self, admin_client: Client):
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                admin_client.get(POLICIES)
            return len(queries)

        save_policy(policy=ChannelPolicy(channel="a"))
        few = count()
        for name in "bcdefg":
            save_policy(policy=ChannelPolicy(channel=name))
        assert count() == few

    def test_a_scope_in_a_help_text_is_not_taken_for_markup(self, admin_client: Client):
        assert "broadcast:emit:news.*" in page_of(admin_client.get(POLICIES + "add/"))

    def test_the_default_policy_has_no_history_of_its_own(self, admin_client: Client):
        policy = save_policy(policy=ChannelPolicy(channel="*"))
        page = page_of(admin_client.get(f"{POLICIES}{policy.pk}/change/"))
        assert "Kept now" not in page
        assert "Who listens now" not in page


@pytest.mark.django_db
class TestEvents:
    def test_they_are_found_and_shown_in_full(self, admin_client: Client):
        (number,) = commit_events([NewEvent("news", b'{"a":[1,"<b>"]}')])
        commit_events([NewEvent("newsroom", b"2")])
        page = page_of(admin_client.get(EVENTS, {"q": "news"}))
        assert number.event_id in page
        assert "newsroom" not in page
        assert number.event_id in page_of(admin_client.get(EVENTS, {"q": number.event_id}))
        event = Event.objects.get(event_id=number.event_id)
        shown = admin_client.get(f"{EVENTS}{event.pk}/change/").content.decode()
        assert "{\n  &quot;a&quot;: [\n    1,\n    &quot;&lt;b&gt;&quot;\n  ]\n}" in shown

    def test_nothing_can_be_changed(self, admin_client: Client):
        commit_events([NewEvent("news", b"1")])
        event = Event.objects.get()
        change = f"{EVENTS}{event.pk}/change/"
        for path in (EVENTS + "add/", f"{EVENTS}{event.pk}/delete/"):
            assert admin_client.get(path).status_code == 403
            assert admin_client.post(path, {"post": "yes"}).status_code == 403
        assert admin_client.post(change, {"payload": "2"}).status_code == 403
        assert Event.objects.get().payload == "1"
        assert Stream.objects.get().last_seq == 1


# --- Live ---------------------------------------------------------------------------------------------


async def test_channels_with_counts_the_fullest_first(operator: AsyncClient, listen: Listen):
    assert "Nobody listens to any channel" in page_of(await operator.get(LIVE))
    for channel in ("kitchen", "lobby", "lobby"):
        await listen(channel)
    page = page_of(await operator.get(LIVE))
    assert "3 listeners on 2 channels" in page
    assert page.index(f'href="{LOBBY}"') < page.index('href="/admin/broadcast/livechannel/kitchen/"')


async def test_any_channel_can_be_opened(operator: AsyncClient):
    response = await operator.get(LIVE, {"channel": " lobby "})
    assert (response.status_code, response["Location"]) == (302, LOBBY)
    page = page_of(await operator.get(LIVE, {"channel": "admin/"}))
    assert "Not a channel&#x27;s name" in page
    assert (await operator.get(LIVE + "admin/")).status_code == 404


async def test_members_with_their_presence(operator: AsyncClient, listen: Listen):
    listener = await listen("lobby", "?presence=%7B%22name%22:%22%3Cb%3E%22%7D")
    page = page_of(await operator.get(LOBBY))
    assert f"<code>{listener.client_id}</code>" in page
    assert "{ &quot;name&quot;: &quot;&lt;b&gt;&quot; }" in page


async def test_emitting_and_what_became_of_it(operator: AsyncClient, listen: Listen):
    listener, lazy = await listen("lobby"), await listen("lobby")
    listener.acknowledges_by_itself()
    form = {"payload": '{ "tea": 1 }', "clients": "", "require_ack": "on"}
    response = await operator.post(LOBBY, form)
    # Reloading what follows must not emit again.
    assert (response.status_code, response["Location"]) == (302, LOBBY)
    message = await lazy.receive("DATA")
    assert message["payload"] == {"tea": 1}
    page = page_of(await operator.get(LOBBY))
    assert f"{message['eventID']} was sent to 2 clients." in page
    assert f"Acknowledged by {listener.client_id}." in page
    assert f"Missing: {lazy.client_id}." in page
    assert "{ &quot;tea&quot;: 1 }" in page


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"payload": "{"}, "The text is not valid JSON."),
        ({"payload": ""}, "This field is required."),
        ({"payload": "{}"}, "No payload provided."),
        ({"payload": '{"a":1,"a":2}'}, "An object has the same name twice."),
        ({"clients": "7"}, "Not enough clients to target."),
        ({"clients": "0"}, "The number of clients must be between 1"),
        ({"clients": "client_x"}, "None of the clients are connected."),
    ],
    ids=repr,
)
async def test_what_cannot_be_emitted(
    operator: AsyncClient, listen: Listen, fields: dict[str, str], error: str
):
    listener = await listen("lobby")
    page = page_of(await operator.post(LOBBY, {"payload": "1", "clients": ""} | fields))
    assert error in page
    assert await listener.is_silent()


async def test_removing_a_listener(operator: AsyncClient, listen: Listen):
    listener, other = await listen("lobby"), await listen("lobby")
    response = await operator.post(LOBBY + "kick/", {"client_id": listener.client_id}, follow=True)
    assert f"{listener.client_id} was removed from lobby." in page_of(response)
    assert await listener.closed_with() == 4403
    response = await operator.post(LOBBY + "kick/", {"client_id": "client_x"}, follow=True)
    assert "had left already" in page_of(response)
    assert (await operator.get(LOBBY + "kick/")).status_code == 302
    assert await other.is_silent_for_data()


@pytest.mark.parametrize(
    ("permissions", "seen", "emitted", "kicked"),
    [
        ([], 403, 403, 403),
        (["view_livechannel"], 200, 403, 403),
        (["view_livechannel", "emit_livechannel"], 200, 302, 403),
        (["view_livechannel", "kick_livechannel"], 200, 403, 302),
        (["emit_livechannel"], 403, 403, 403),
    ],
    ids=str,
)
async def test_each_thing_has_its_permission(
    transactional_db, permissions: list[str], seen: int, emitted: int, kicked: int
):
    client = AsyncClient()
    await sync_to_async(client.force_login)(await make_user(*permissions))
    assert (await client.get(LIVE)).status_code == seen
    assert (await client.get(LOBBY)).status_code == seen
    assert (await client.post(LOBBY, {"payload": "1"})).status_code == emitted
    assert (await client.post(LOBBY + "kick/", {"client_id": "x"})).status_code == kicked


async def test_what_one_may_not_do_is_not_offered(transactional_db, listen: Listen):
    await listen("lobby")
    client = AsyncClient()
    await sync_to_async(client.force_login)(await make_user("view_livechannel"))
    page = page_of(await client.get(LOBBY))
    assert "Emit an event" not in page
    assert "kick/" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LOBBY, LOBBY + "kick/"])
def test_a_form_without_its_token_does_nothing(path: str):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user_now("view_livechannel", "emit_livechannel", "kick_livechannel"))
    assert client.post(path, {"payload": "1", "client_id": "x"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LIVE, LOBBY, POLICIES, EVENTS])
def test_strangers_are_sent_to_the_login(client: Client, path: str):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


async def test_the_policy_in_force_is_said(operator: AsyncClient):
    await make_policy("lobby", emit="closed", history_size=7)
    page = page_of(await operator.get(LOBBY))
    assert "Emit: closed, listen: open, keeps 7 events." in page
    assert await in_db_thread(ChannelPolicy.objects.count) == 1
