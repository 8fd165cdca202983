"""Chromium against a real server. Whatever a page writes to the console as an error fails its test."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.serving import FoyerServer

# What a policy does to the page is to be seen without an operator: a channel of each kind, and a key
# that may listen and emit everywhere.
_PREPARE = """
from broadcast.models import ChannelPolicy
from realtime.models import ApiKey
ChannelPolicy.objects.create(channel="kept", emit="open", listen="open", history_size=50)
ChannelPolicy.objects.create(channel="locked", emit="key", listen="key")
ChannelPolicy.objects.create(channel="shut", emit="closed", listen="closed")
key, secret = ApiKey.objects.create_key(name="browser", scopes="broadcast:emit\\nbroadcast:listen")
print("KEY", secret)
"""


class PreparedServer(FoyerServer):
    """A server with the channels above; `api_key` opens the locked one."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(data_dir, settings)
        printed = self.manage("shell", "--verbosity", "0", "-c", _PREPARE)
        match = re.search(r"KEY (\S+)", printed)
        assert match, printed
        self.api_key = match[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedServer]:
    """A server for all tests that do not stop it. Each test uses a channel of its own."""
    impatient = {"BROADCAST_PING_INTERVAL_S": "2", "BROADCAST_ACK_TIMEOUT_S": "2"}
    with PreparedServer(tmp_path_factory.mktemp("server"), impatient) as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PreparedServer]:
    """A server for one test, which may stop and start it."""
    with PreparedServer(tmp_path) as server:
        yield server


# Playwright keeps an event loop in the thread while it runs, which asynchronous tests elsewhere would
# trip over: so it is started for each module, not for the session.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Complaints:
    """What pages wrote to the console as errors or warnings, and exceptions nobody caught."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._seen.append(f"exception: {error}"))

    def expect(self, pattern: str) -> None:
        """The test provokes complaints that match."""
        self._expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [text for text in self._seen if not any(re.search(p, text) for p in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """The complaints of this test's pages; there must be none but the expected ones."""
    complaints = Complaints()
    yield complaints
    assert not complaints.unexpected()


@pytest.fixture
def new_context(browser: Browser, complaints: Complaints) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts (``new_context(color_scheme="dark")``), each like a person of their own."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.on("page", complaints.watch)
        # Long enough for a server that has just been started on a busy machine.
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page of a person with default settings."""
    return new_context().new_page()
