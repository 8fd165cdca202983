"""The admin: keys shown once, accounts, lockouts, a dashboard, and nothing from another host."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import escape

from realtime import apikeys
from realtime.apikeys import create_api_key, get_grant_in_thread
from realtime.catalog import services
from realtime.models import ApiKey

pytestmark = pytest.mark.django_db

ADD = "/admin/realtime/apikey/add/"
LIST = "/admin/realtime/apikey/"


@pytest.fixture(autouse=True)
def forget() -> None:
    apikeys._cache.clear()


def shown_key(page: str) -> str:
    (key,) = re.findall(r'value="([A-Za-z0-9]{8}\.[A-Za-z0-9]{32})"', page)
    return key


def test_a_new_key_is_shown_and_works(admin_client: Client) -> None:
    response = admin_client.post(ADD, {"name": "press", "scopes": "broadcast:emit\r\nbroadcast:emit:news.*"})
    assert response.status_code == 200
    grant = get_grant_in_thread(shown_key(response.content.decode()))
    assert grant is not None
    assert grant.scopes == ("broadcast:emit", "broadcast:emit:news.*")
    assert "no-store" in response["Cache-Control"]


def test_it_is_never_shown_again(admin_client: Client) -> None:
    key = shown_key(admin_client.post(ADD, {"name": "press", "scopes": ""}).content.decode())
    row = ApiKey.objects.get()
    for page in (LIST, f"{LIST}{row.pk}/change/", "/admin/", f"{LIST}{row.pk}/history/"):
        assert key not in admin_client.get(page, follow=True).content.decode()
    assert all(key not in str(value) for value in admin_client.session.values())


def test_what_is_no_scope_is_refused_beside_its_field(admin_client: Client) -> None:
    page = admin_client.post(ADD, {"name": "press", "scopes": "everything"}).content.decode()
    assert "Not a scope: everything" in page
    assert not ApiKey.objects.exists()


def test_the_form_explains_every_scope_there_is(admin_client: Client) -> None:
    page = admin_client.get(ADD).content.decode()
    for service in services():
        for scope, meaning in service.scopes:
            assert f"<code>{scope}</code>: {escape(meaning)}" in page


def test_changing_the_scopes_keeps_the_key(admin_client: Client) -> None:
    row, key = create_api_key(name="press", scopes=[])
    response = admin_client.post(f"{LIST}{row.pk}/change/", {"name": "press", "scopes": "broadcast:manage"})
    assert response.status_code == 302
    grant = get_grant_in_thread(key)
    assert grant is not None
    assert grant.allows("broadcast:manage")


def test_revoking_several_at_once(admin_client: Client) -> None:
    rows = [create_api_key(name=name, scopes=[])[0] for name in ("one", "two", "three")]
    admin_client.post(LIST, {"action": "revoke_selected", "_selected_action": [rows[0].pk, rows[1].pk]})
    assert set(ApiKey.objects.filter(revoked=True).values_list("name", flat=True)) == {"one", "two"}


def test_a_revoked_key_has_nothing_left_to_change(admin_client: Client) -> None:
    row, _ = create_api_key(name="press", scopes=["broadcast:emit"])
    row.revoked = True
    row.save()
    page = admin_client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert 'name="scopes"' not in page
    assert "revoked" in admin_client.get(LIST).content.decode()


def test_the_list_says_what_each_key_may_do_and_whether_it_works(admin_client: Client) -> None:
    create_api_key(name="narrow", scopes=[f"broadcast:emit:{n}" for n in range(5)])
    create_api_key(name="none", scopes=[])
    page = admin_client.get(LIST).content.decode()
    assert "broadcast:emit:0, broadcast:emit:1, broadcast:emit:2 and 2 more" in page
    assert "active" in page


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_page_of_the_admin_opens(admin_client: Client, model) -> None:
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert admin_client.get(base, follow=True).status_code == 200
    if f'href="{base}add/"' in admin_client.get("/admin/").content.decode():
        assert admin_client.get(f"{base}add/").status_code == 200


def test_accounts_can_be_made_and_given_a_password(admin_client: Client) -> None:
    password = "a long enough phrase"
    form = {"username": "ann", "password1": password, "password2": password, "usable_password": "true"}
    assert admin_client.post("/admin/auth/user/add/", form).status_code == 302
    user = User.objects.get(username="ann")
    assert user.check_password(password)
    assert admin_client.get(f"/admin/auth/user/{user.pk}/password/").status_code == 200


def test_the_dashboard_shows_every_service_and_the_state(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    for service in services():
        assert service.title in page
        assert f'href="{service.page_url}"' in page
    assert 'href="/api/docs/"' in page


def test_the_package_s_own_keys_are_not_offered() -> None:
    assert not any(model._meta.app_label == "rest_framework_api_key" for model in admin.site._registry)


class TestLockout:
    def log_in(self, client: Client, password: str):
        return client.post("/admin/login/?next=/admin/", {"username": "ann", "password": password})

    def test_guessing_is_stopped_and_can_be_forgiven(
        self, client: Client, settings, admin_client: Client
    ) -> None:
        User.objects.create_user("ann", password="right and long", is_staff=True)
        for _ in range(settings.AXES_FAILURE_LIMIT):
            last = self.log_in(client, "wrong")
        assert last.status_code == 429
        assert self.log_in(client, "right and long").status_code == 429
        assert User.objects.get(username="ann").last_login is None

        attempts = "/admin/axes/accessattempt/"
        assert "ann" in admin_client.get(attempts).content.decode()
        from axes.models import AccessAttempt  # noqa: PLC0415

        chosen = [str(pk) for pk in AccessAttempt.objects.values_list("pk", flat=True)]
        form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        assert admin_client.post(attempts, form).status_code == 302
        assert self.log_in(client, "right and long").status_code == 302

    def test_another_account_is_not_locked_out(self, client: Client, settings) -> None:
        User.objects.create_user("bob", password="right and long", is_staff=True)
        for _ in range(settings.AXES_FAILURE_LIMIT):
            self.log_in(client, "wrong")
        response = client.post(
            "/admin/login/?next=/admin/", {"username": "bob", "password": "right and long"}
        )
        assert response.status_code == 302


class TestContentSecurityPolicy:
    def policy(self, client: Client, path: str) -> dict[str, list[str]]:
        parts = client.get(path)["Content-Security-Policy"].split(";")
        return {part.split()[0]: part.split()[1:] for part in parts if part.strip()}

    def test_the_admin_may_evaluate_but_loads_nothing_from_elsewhere(self, admin_client: Client) -> None:
        for path in ("/admin/", "/admin/login/", LIST):
            policy = self.policy(admin_client, path)
            assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
            sources = {source for name, values in policy.items() for source in values}
            assert sources <= {"'self'", "'none'", "'unsafe-eval'", "'unsafe-inline'", "data:"}

    def test_every_other_page_may_do_neither(self, client: Client) -> None:
        for path in ("/api/docs/", "/api/asyncapi/", "/administration"):
            policy = self.policy(client, path)
            assert policy["default-src"] == ["'self'"]
            assert "unsafe" not in str(policy)
            assert policy["frame-ancestors"] == ["'none'"]
