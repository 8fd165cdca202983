"""Logging in without another server, and which of the two the settings say."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from config import BASE_DIR
from queue.main_server import (
    HttpMainServer,
    LocalMainServer,
    Login,
    LoginRefused,
    MainServer,
    make_main_server,
)
from queue.models import UsedToken
from queue.protocol.messages import LoginType
from realtime.outbound import NoAnswer
from tests.queue.providers import GOOGLE, a_login
from tests.site import Site

SECRET = "s3cr3t-token"


def device(token: str = SECRET) -> Login:
    return a_login(token, LoginType.DEVICE)


@pytest.fixture
async def local(verifier) -> LocalMainServer:
    return LocalMainServer(verifier, key="k" * 32, issuer="foyer", lifetime_s=60)


async def test_a_device_is_let_in(local) -> None:
    before = int(time.time())
    token = await local.log_in(device())
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, "k" * 32, algorithms=["HS256"], issuer="foyer")
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 60
    assert claims["sub"] == "device:" + hashlib.sha256(SECRET.encode()).hexdigest()
    assert (claims["platform"], claims["type"]) == ("web", "device")
    assert set(claims) == {"sub", "platform", "type", "iss", "iat", "exp", "jti"}
    again = jwt.decode(await local.log_in(device()), "k" * 32, algorithms=["HS256"])
    assert again["sub"] == claims["sub"]
    assert again["jti"] != claims["jti"]


@pytest.mark.parametrize("token", ["", " ", "\n\t", "\u3000", "x" * 257])
async def test_a_device_needs_a_token(local, token: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        await local.log_in(device(token))
    assert caught.value.status_code == 401


@given(st.text(min_size=1, max_size=256).filter(str.strip))
async def test_any_other_text_is_a_device(token: str) -> None:
    local = LocalMainServer(None, key="k" * 32, issuer="foyer", lifetime_s=60)  # type: ignore[arg-type]
    claims = jwt.decode(await local.log_in(device(token)), "k" * 32, algorithms=["HS256"])
    assert len(claims["sub"]) == len("device:") + 64


async def test_others_are_verified(local) -> None:
    claims = jwt.decode(await local.log_in(a_login(GOOGLE.token())), "k" * 32, algorithms=["HS256"])
    assert (claims["sub"], claims["type"], claims["platform"]) == ("google:1234", "google", "web")
    with pytest.raises(LoginRefused, match="not an identity token"):
        await local.log_in(a_login(GOOGLE.token(aud="another-app")))


# --- by the settings --------------------------------------------------------------------------


async def test_the_settings_say_which(settings) -> None:
    settings.MAIN_SERVER_URL = ""
    main_server = make_main_server()
    assert isinstance(main_server, LocalMainServer)
    claims = jwt.decode(
        await main_server.log_in(device()), settings.QUEUE_JWT_KEY, algorithms=["HS256"], issuer="foyer"
    )
    assert claims["exp"] - claims["iat"] == 86_400
    await main_server.close()
    settings.MAIN_SERVER_URL = "http://127.0.0.1:1"
    main_server = make_main_server()
    assert isinstance(main_server, HttpMainServer)
    await main_server.close()


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://game", "http://", "http://game:99999", "http://[::1"]
)
def test_an_address_that_is_none(settings, url: str) -> None:
    settings.MAIN_SERVER_URL = url
    with pytest.raises(ImproperlyConfigured, match="MAIN_SERVER_URL"):
        make_main_server()


@pytest.fixture
async def of_settings(site: Site, settings: Any) -> AsyncIterator[MainServer]:
    """The one that the settings describe, with Google set up."""
    settings.QUEUE_GOOGLE_AUDIENCES = [GOOGLE.audience]
    settings.QUEUE_GOOGLE_KEYS_URL = site.url("/google")
    main_server = make_main_server()
    yield main_server
    await main_server.close()


@pytest.mark.django_db(transaction=True)
async def test_used_tokens_are_in_the_database(of_settings) -> None:
    token = GOOGLE.token()
    assert await of_settings.log_in(a_login(token, client_id="a"))
    assert await of_settings.log_in(a_login(token, client_id="a"))
    with pytest.raises(LoginRefused, match="another client"):
        await of_settings.log_in(a_login(token, client_id="b"))
    row = await UsedToken.objects.aget()
    assert (row.client_id, row.digest) == ("a", hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest())
    assert row.expires_at - datetime.now(UTC) > timedelta(minutes=59)


async def test_without_the_database_nobody_can_say(of_settings, monkeypatch) -> None:
    def down(**_: Any) -> bool:
        raise OperationalError("it is down")

    monkeypatch.setattr("queue.main_server.remember_token", down)
    with pytest.raises(NoAnswer, match="database"):
        await of_settings.log_in(a_login(GOOGLE.token()))


def settings_with(tmp_path: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    """What ``QUEUE_JWT_KEY`` is with this environment alone."""
    return subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.QUEUE_JWT_KEY)"],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_key_for_session_tokens(tmp_path) -> None:
    derived = settings_with(tmp_path, SECRET_KEY="one").stdout.strip()
    assert len(derived) == 64
    assert settings_with(tmp_path, SECRET_KEY="two").stdout.strip() not in ("", derived)
    own = "0123456789abcdef" * 2
    assert settings_with(tmp_path, SECRET_KEY="one", QUEUE_JWT_KEY=own).stdout.strip() == own
    assert "QUEUE_JWT_KEY is shorter" in settings_with(tmp_path, QUEUE_JWT_KEY=own[1:]).stderr
