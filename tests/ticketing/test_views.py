"""The desk's pages as HTML: who gets which, and what it tells its script. In a browser: tests/browser."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from config import BASE_DIR
from realtime import http_login
from ticketing.models import Staff
from ticketing.services import devices
from ticketing.services.people import save_staff

pytestmark = pytest.mark.django_db

PASSWORD = "a-password-for-tests-only"


def page_data(response) -> dict[str, object]:
    """What the page tells its script."""
    html = response.content.decode()
    match = re.search(r'<script id="desk-data" type="application/json">(.*?)</script>', html)
    assert match
    data: dict[str, object] = json.loads(match[1])
    return data


@pytest.fixture
def closed(settings) -> None:
    """Devices need a token."""
    settings.TICKETING_OPEN_DEVICES = False


@pytest.fixture
def ana() -> Staff:
    user = get_user_model().objects.create_user("ana", password=PASSWORD)
    return Staff.objects.create(user=user, name="Ana <3")


# --- devices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["kiosk", "display"])
def test_an_open_installation_lets_every_device_in(client: Client, settings, kind) -> None:
    settings.TICKETING_OPEN_DEVICES = True
    settings.TICKETING_LANGUAGES = ["de", "en"]
    settings.TICKETING_TIME_ZONE = "Europe/Vienna"
    response = client.get(f"/ticketing/{kind}/")
    assert response.status_code == 200
    assert (
        page_data(response).items()
        >= {
            "languages": ["de", "en"],
            "timeZone": "Europe/Vienna",
            "socketPath": f"/ticketing/{kind}/",
            "api": "/api/ticketing/",
        }.items()
    )
    assert "no-store" in response["Cache-Control"]
    assert client.post(f"/ticketing/{kind}/").status_code == 405


@pytest.mark.parametrize("kind", ["kiosk", "display"])
def test_a_device_without_a_token_is_told_how_to_get_in(client: Client, closed, kind) -> None:
    response = client.get(f"/ticketing/{kind}/")
    assert response.status_code == 403
    text = unescape(response.content.decode())
    assert f"This {kind} is not in service" in text
    assert f"http://testserver/ticketing/{kind}/?token=" in text
    assert "The token in this address is not" not in text


@pytest.mark.parametrize("kind", ["kiosk", "display"])
def test_a_token_in_the_address_moves_into_a_cookie(client: Client, closed, kind) -> None:
    device, token = devices.create_device(kind=kind, name="Entrance")
    response = client.get(f"/ticketing/{kind}/?print=1&token={token}&keyboard=0")
    assert (response.status_code, response["Location"]) == (302, f"/ticketing/{kind}/?print=1&keyboard=0")
    assert response["Referrer-Policy"] == "no-referrer"
    cookie = response.cookies[f"foyer_device_{kind}"]
    assert cookie.value == token
    kept = {name: cookie[name] for name in ("path", "httponly", "samesite", "secure", "max-age")}
    assert kept == {
        "path": f"/ticketing/{kind}/",
        "httponly": True,
        "samesite": "Lax",
        "secure": "",
        "max-age": 365 * 24 * 3600,
    }
    page = client.get(response["Location"])
    assert page.status_code == 200
    assert token not in page.content.decode()
    device.is_active = False
    devices.save_device(device=device)
    assert client.get(f"/ticketing/{kind}/").status_code == 403
    assert client.head(f"/ticketing/{kind}/").status_code == 403  # how a page asks whether it is let in


def test_over_https_the_cookie_stays_there(client: Client, closed) -> None:
    _, token = devices.create_device(kind="kiosk", name="Entrance")
    response = client.get(f"/ticketing/kiosk/?token={token}", secure=True)
    assert response.cookies["foyer_device_kiosk"]["secure"] is True


@pytest.mark.parametrize("is_open", [True, False])
def test_a_wrong_token_is_said_to_be_wrong(client: Client, settings, is_open) -> None:
    settings.TICKETING_OPEN_DEVICES = is_open
    _, of_a_display = devices.create_device(kind="display", name="Hall")
    for token in ("nonsense", of_a_display, "x" * 10_000):
        response = client.get("/ticketing/kiosk/", {"token": token})
        assert response.status_code == 403
        assert "The token in this address is not that of a kiosk" in response.content.decode()
        assert not response.cookies


def test_looking_a_device_up_is_one_query(client: Client, closed, django_assert_num_queries) -> None:
    _, token = devices.create_device(kind="kiosk", name="Entrance")
    client.get(f"/ticketing/kiosk/?token={token}")
    with django_assert_num_queries(1):
        assert client.get("/ticketing/kiosk/").status_code == 200


# --- staff --------------------------------------------------------------------------------------------------


def sign_in(client: Client, username: str = "ana", password: str = PASSWORD, query: str = ""):
    return client.post(f"/ticketing/staff/{query}", {"username": username, "password": password})


def problem_of(response) -> str:
    """The word on the form that says what is wrong."""
    match = re.search(r'id="problem"[^>]* data-word="common\.(\w+)"', response.content.decode())
    return match[1] if match else ""


def test_staff_sign_in_at_the_address_of_their_page(client: Client, ana, django_assert_num_queries) -> None:
    form = client.get("/ticketing/staff/")
    assert form.status_code == 200
    assert problem_of(form) == ""
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/ticketing/staff/")
    with django_assert_num_queries(3):  # session, user, staff
        page = client.get("/ticketing/staff/")
    data = page_data(page)
    assert data["staff"] == {"id": ana.pk, "name": "Ana <3"}
    assert data["csrfToken"]
    assert "no-store" in page["Cache-Control"]


def test_signing_in_goes_nowhere_else(client: Client, ana) -> None:
    response = sign_in(client, query="?next=/admin/")
    assert response["Location"] == "/ticketing/staff/"


@pytest.mark.parametrize(
    ("username", "password", "problem"),
    [
        ("ana", "wrong", "signInWrong"),
        ("nobody", PASSWORD, "signInWrong"),
        ("ana", "", "signInMissing"),
        ("", PASSWORD, "signInMissing"),
        ("operator", PASSWORD, "signInNotStaff"),
    ],
)
def test_what_is_wrong_is_said_in_a_word_of_the_page(
    client: Client, ana, username, password, problem
) -> None:
    get_user_model().objects.create_user("operator", password=PASSWORD)
    response = sign_in(client, username, password)
    assert response.status_code == 200
    assert problem_of(response) == problem
    assert f'value="{username}"' in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_too_many_attempts_are_said_on_the_same_page(client: Client, ana, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    answers = [sign_in(client, password="wrong") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [problem_of(answer) for answer in answers] == ["signInWrong", "signInWrong", "signInLocked"]
    assert problem_of(sign_in(client)) == "signInLocked"


def test_an_address_that_tries_without_end_is_told_to_wait(client: Client, ana, monkeypatch) -> None:
    monkeypatch.setattr(http_login, "limit", http_login.LoginLimit())
    for _ in range(http_login.LOGIN_BURST):
        http_login.limit.take("127.0.0.1")
    response = sign_in(client)
    assert (response.status_code, problem_of(response)) == (429, "signInTooOften")
    assert 1 <= int(response["Retry-After"]) <= 3
    assert 'value="ana"' in response.content.decode()
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302


def test_who_does_not_serve_any_more_gets_the_form_again(client: Client, ana) -> None:
    sign_in(client)
    ana.is_active = False
    save_staff(staff=ana)
    page = client.get("/ticketing/staff/")
    assert page.status_code == 200
    assert 'data-name="ana"' in page.content.decode()
    assert problem_of(sign_in(client)) == "signInNotStaff"


def test_signing_out_takes_a_form(client: Client, ana) -> None:
    sign_in(client)
    assert client.get(reverse("ticketing:sign-out")).status_code == 405
    response = client.post(reverse("ticketing:sign-out"))
    assert (response.status_code, response["Location"]) == (302, "/ticketing/staff/")
    assert "_auth_user_id" not in client.session


def test_the_forms_are_no_good_for_other_sites(ana) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    for path in ("/ticketing/staff/", "/ticketing/staff/sign-out/"):
        assert client.post(path, {"username": "ana", "password": PASSWORD}).status_code == 403


# --- the start page, and files ------------------------------------------------------------------------------


@pytest.mark.parametrize("is_open", [True, False])
def test_the_start_page_leads_everywhere(client: Client, settings, is_open) -> None:
    settings.TICKETING_OPEN_DEVICES = is_open
    text = client.get("/ticketing/").content.decode()
    for path in ("/ticketing/kiosk/", "/ticketing/display/", "/ticketing/staff/", "/admin/"):
        assert f'href="{path}"' in text
    assert ("Kiosks and displays are let in without a token here" in text) is is_open


def test_every_language_has_its_file(settings) -> None:
    for code in settings.TICKETING_LANGUAGES:
        assert finders.find(f"ticketing/words/{code}.js"), code


def test_pages_hold_no_script_and_no_style_of_their_own(client: Client, ana, settings) -> None:
    settings.TICKETING_OPEN_DEVICES = True
    pages = [client.get(f"/ticketing/{page}") for page in ("", "kiosk/", "display/", "staff/")]
    sign_in(client)
    pages.append(client.get("/ticketing/staff/"))
    for page in pages:
        html = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)
        assert all(
            "src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", html)
        )


def test_words_are_asked_for_by_names_that_there_are() -> None:
    """None is misspelt or left over. That all files have the same: tests/browser/test_kiosk_page.py."""
    static = BASE_DIR / "ticketing" / "static" / "ticketing"
    text = (static / "words" / "en.js").read_text()
    block, known = "", set()
    for line in text.splitlines():
        if match := re.match(r"  (\w+): \{", line):
            block = match[1]
        elif match := re.match(r"    (\w+): ", line):
            known.add(f"{block}.{match[1]}")
    sources = [*static.glob("*.js"), *Path(BASE_DIR / "templates" / "ticketing").glob("*.html")]
    used = "\n".join(path.read_text() for path in sources)
    asked = set(re.findall(r"[\"'`](kiosk\.\w+)[\"'`]", used))
    assert asked <= known
    unused = {key for key in known if key.startswith("kiosk.") and key.removeprefix("kiosk.") not in used}
    assert unused == set()
