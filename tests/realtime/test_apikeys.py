"""Who is asking, and may they: in the API, on sockets, from memory, and after a change."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from realtime import apikeys, runtime
from realtime.apikeys import ApiKeyAuthentication, Grant, GrantCache, bearer_key, create_api_key, has_scope
from realtime.models import ApiKey

WRONG = "abcdefgh." + "x" * 32


@pytest.fixture(autouse=True)
def forget() -> None:
    apikeys._cache.clear()


@pytest.fixture
def on_commit_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction never commits; what waits for that runs at once."""
    monkeypatch.setattr(apikeys.transaction, "on_commit", lambda callback: callback())


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("Token abc", None),
        ("", None),
    ],
)
def test_the_key_is_taken_from_a_bearer_header_only(header: str, key: str | None) -> None:
    assert bearer_key(header) == key


@pytest.mark.django_db
class TestLookUp:
    def test_a_good_key_gives_its_grant(self) -> None:
        row, key = create_api_key(name="press", scopes=["broadcast:emit:news.*"])
        grant = apikeys.get_grant_in_thread(key)
        assert grant == Grant(row.prefix, "press", ("broadcast:emit:news.*",), None)
        assert grant.allows("broadcast:emit", "news.sport")
        assert not grant.allows("broadcast:emit", "other")

    @pytest.mark.parametrize("key", ["", "x", WRONG, "ä" * 41, "a" * 100_000])
    def test_no_other_text_gives_one(self, key: str) -> None:
        assert apikeys.get_grant_in_thread(key) is None

    def test_the_right_prefix_with_a_wrong_secret_gives_none(self) -> None:
        row, _ = create_api_key(name="press", scopes=[])
        assert apikeys.get_grant_in_thread(f"{row.prefix}.{'x' * 32}") is None

    def test_what_cannot_be_a_key_costs_no_query(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            apikeys.get_grant_in_thread("no key at all")

    @pytest.mark.parametrize("known", [True, False])
    def test_a_second_look_costs_no_query(self, known: bool, django_assert_num_queries) -> None:
        key = create_api_key(name="press", scopes=[])[1] if known else WRONG
        with django_assert_num_queries(1):
            apikeys.get_grant_in_thread(key)
        with django_assert_num_queries(0):
            assert (apikeys.get_grant_in_thread(key) is not None) is known

    def test_a_revoked_key_gives_none_at_once(self, on_commit_now: None) -> None:
        row, key = create_api_key(name="press", scopes=[])
        assert apikeys.get_grant_in_thread(key)
        row.revoked = True
        row.save()
        assert apikeys.get_grant_in_thread(key) is None

    def test_a_deleted_key_gives_none_at_once(self, on_commit_now: None) -> None:
        row, key = create_api_key(name="press", scopes=[])
        assert apikeys.get_grant_in_thread(key)
        row.delete()
        assert apikeys.get_grant_in_thread(key) is None

    def test_new_scopes_hold_at_once(self, on_commit_now: None) -> None:
        row, key = create_api_key(name="press", scopes=[])
        assert not apikeys.get_grant_in_thread(key).allows("broadcast:emit")
        row.scopes = "broadcast:emit"
        row.save()
        assert apikeys.get_grant_in_thread(key).allows("broadcast:emit")

    def test_a_key_expires_also_while_it_is_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = timezone.now()
        _, key = create_api_key(name="press", scopes=[], expiry_date=now + timedelta(seconds=5))
        assert apikeys.get_grant_in_thread(key)
        monkeypatch.setattr(apikeys.timezone, "now", lambda: now + timedelta(seconds=6))
        assert apikeys.get_grant_in_thread(key) is None

    def test_an_expired_key_gives_none(self) -> None:
        _, key = create_api_key(name="press", scopes=[], expiry_date=timezone.now() - timedelta(seconds=1))
        assert apikeys.get_grant_in_thread(key) is None


class TestCache:
    def test_an_answer_holds_ten_seconds(self) -> None:
        cache, grant = GrantCache(), Grant("p", "n", ())
        cache.put(b"right", grant, 100.0, 0)
        cache.put(b"wrong", None, 100.0, 0)
        assert cache.get(b"right", 109.9) == (True, grant)
        assert cache.get(b"wrong", 109.9) == (True, None)
        assert cache.get(b"right", 110.0) == (False, None)
        assert cache.get(b"wrong", 110.0) == (False, None)

    def test_an_answer_read_before_a_change_is_not_kept(self) -> None:
        cache = GrantCache()
        generation = cache.generation
        cache.clear()
        cache.put(b"key", Grant("p", "n", ()), 100.0, generation)
        assert cache.get(b"key", 100.0) == (False, None)

    def test_guessing_neither_fills_memory_nor_drives_out_what_is_right(self, monkeypatch) -> None:
        monkeypatch.setattr(apikeys, "MAX_CACHED", 3)
        cache, grant = GrantCache(), Grant("p", "n", ())
        cache.put(b"right", grant, 100.0, 0)
        for number in range(50):
            cache.put(b"wrong%d" % number, None, 100.0, 0)
        assert cache.get(b"right", 100.0) == (True, grant)
        assert len(cache._missing) == 3
        assert cache.get(b"wrong49", 100.0) == (True, None)
        assert cache.get(b"wrong0", 100.0) == (False, None)


@pytest.mark.django_db(transaction=True)
class TestFromTheEventLoop:
    async def test_the_same_answers_and_one_query(self) -> None:
        _, key = await sync_to_async(create_api_key)(name="press", scopes=["broadcast:emit"])
        grant = await apikeys.get_grant(key)
        assert grant is not None
        assert grant.allows("broadcast:emit", "news")
        assert await apikeys.get_grant(key) is grant
        assert await apikeys.get_grant(WRONG) is None

    async def test_a_change_in_a_thread_reaches_the_event_loop(self) -> None:
        row, key = await sync_to_async(create_api_key)(name="press", scopes=[])
        runtime.current()
        assert await apikeys.get_grant(key)
        row.revoked = True
        await sync_to_async(row.save)()
        assert await apikeys.get_grant(key) is None

    async def test_a_change_in_another_process_is_heard_over_the_bus(self) -> None:
        current = runtime.current()
        _, key = await sync_to_async(create_api_key)(name="press", scopes=[])
        assert await apikeys.get_grant(key)
        # Around the model, so that nothing in this process knows of it.
        await sync_to_async(ApiKey.objects.update)(revoked=True)
        assert await apikeys.get_grant(key)
        current.handle(runtime.EVERY_PROCESS, "apikeys.changed", {})
        assert await apikeys.get_grant(key) is None


def request_with(header: str) -> Request:
    headers = {"HTTP_AUTHORIZATION": header} if header else {}
    return APIView().initialize_request(APIRequestFactory().get("/", **headers))


@pytest.mark.django_db
class TestHttpApi:
    def test_a_good_key_authenticates_without_a_user(self) -> None:
        _, key = create_api_key(name="press", scopes=[])
        user, grant = ApiKeyAuthentication().authenticate(request_with(f"Bearer {key}"))
        assert isinstance(user, AnonymousUser)
        assert grant.name == "press"

    def test_a_wrong_key_is_401_and_none_at_all_leaves_it_to_the_next(self) -> None:
        with pytest.raises(AuthenticationFailed):
            ApiKeyAuthentication().authenticate(request_with(f"Bearer {WRONG}"))
        assert ApiKeyAuthentication().authenticate(request_with("")) is None
        assert ApiKeyAuthentication().authenticate(request_with("Basic YTpi")) is None

    def test_the_answer_to_nobody_says_what_is_wanted(self) -> None:
        assert ApiKeyAuthentication().authenticate_header(request_with("")) == 'Bearer realm="api"'

    @pytest.mark.parametrize(
        ("scopes", "allowed"),
        [
            (("broadcast:emit",), True),
            (("broadcast:emit:news.*",), True),
            (("broadcast:emit:x",), False),
            ((), False),
        ],
    )
    def test_a_scope_is_needed_for_the_subject_in_the_url(
        self, scopes: tuple[str, ...], allowed: bool
    ) -> None:
        request, view = request_with(""), APIView()
        request.auth, view.kwargs = Grant("p", "n", scopes), {"channel": "news.sport"}
        permission = has_scope("broadcast:emit", subject_kwarg="channel")()
        assert permission.has_permission(request, view) is allowed

    def test_without_a_subject_a_pattern_is_not_enough(self) -> None:
        request, view = request_with(""), APIView()
        request.auth, view.kwargs = Grant("p", "n", ("broadcast:manage:*",)), {}
        assert not has_scope("broadcast:manage")().has_permission(request, view)

    def test_people_need_to_be_staff_and_to_hold_the_permission(self) -> None:
        request, view = request_with(""), APIView()
        view.kwargs = {}
        plain, needs = (
            has_scope("broadcast:manage"),
            has_scope("x:y", user_permission="realtime.change_apikey"),
        )
        user = User.objects.create_user("ann")
        for is_staff in (False, True):
            user.is_staff = is_staff
            request.user = user
            assert plain().has_permission(request, view) is is_staff
            assert not needs().has_permission(request, view)
        user.user_permissions.add(
            Permission.objects.get(codename="change_apikey", content_type__app_label="realtime")
        )
        request.user = User.objects.get()
        request.user.is_staff = True
        assert needs().has_permission(request, view)
        request.user = AnonymousUser()
        assert not plain().has_permission(request, view)


@pytest.mark.django_db
def test_making_a_key_is_one_insert() -> None:
    with CaptureQueriesContext(connection) as queries:
        create_api_key(name="press", scopes=["broadcast:emit"])
    assert sum(query["sql"].startswith("INSERT") for query in queries) == 1
