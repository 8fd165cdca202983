"""Fixtures of the login queue's tests: providers on this machine, and a verifier that asks them."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from queue.identity import IdentityVerifier, make_identity_verifier
from realtime.clock import FakeClock
from tests.queue.providers import APPLE, GOOGLE, LINE, UsedTokens
from tests.site import Reply, Site


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site that publishes the keys of three issuers."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with Site() as site:
        for path, issuer in {"/google": GOOGLE, "/apple": APPLE, "/line": LINE}.items():
            site.replies[path] = Reply(issuer.jwks())
        yield site


@pytest.fixture
def used_tokens() -> UsedTokens:
    return UsedTokens()


@pytest.fixture
def clock_of_now() -> FakeClock:
    """Stands still, at a time that tokens made in the test are for."""
    return FakeClock(start_ms=time.time_ns() // 1_000_000)


@pytest.fixture
async def verifier(
    site: Site, used_tokens: UsedTokens, clock_of_now: FakeClock, settings: Any
) -> AsyncIterator[IdentityVerifier]:
    """Every provider set up, at the site."""
    settings.MAIN_SERVER_TIMEOUT_S = 5.0
    settings.QUEUE_GOOGLE_AUDIENCES = ["our-web-app", GOOGLE.audience]
    settings.QUEUE_GOOGLE_KEYS_URL = site.url("/google")
    settings.QUEUE_APPLE_AUDIENCES = [APPLE.audience]
    settings.QUEUE_APPLE_KEYS_URL = site.url("/apple")
    settings.QUEUE_LINE_CHANNEL_ID = LINE.audience
    settings.QUEUE_LINE_KEYS_URL = site.url("/line")
    settings.QUEUE_LINE_VERIFY_URL = site.url("/verify")
    settings.QUEUE_FACEBOOK_APP_ID = "4711"
    settings.QUEUE_FACEBOOK_APP_SECRET = "app&secret"
    settings.QUEUE_FACEBOOK_DEBUG_URL = site.url("/debug_token")
    verifier = make_identity_verifier(used_tokens.remember, clock_of_now)
    yield verifier
    await verifier.close()
