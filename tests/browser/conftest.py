"""Chromium against a real server. Whatever a page writes to the console as an error fails its test."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.seeds import make_seed
from tests.e2e.servers import Seed, serve

# As an installation runs (the pages of errors are only seen so), but open, and in a hurry.
_ENV = {
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-only-for-tests",
    "INSECURE_HTTP": "1",
    "BROADCAST_OPEN": "1",
    "BROADCAST_PING_INTERVAL_S": "2",
    "BROADCAST_ACK_TIMEOUT_S": "2",
}


# Long enough for a server that has just been started on a busy machine.
_PATIENCE_MS = 15_000
expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="package")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """A migrated database with channels of every kind (``kept-0``, ``locked-0``, …) and API keys."""
    return make_seed(tmp_path_factory)


class Installation:
    """A server with data of its own, which `stop` and `start` keep, as they keep its port."""

    def __init__(self, seed: Seed, folder: Path, env: dict[str, str] | None = None) -> None:
        seed.copy_to(folder / "data")
        self._env = {"DATA_DIR": str(folder / "data"), **_ENV, **(env or {})}
        self._log_path = folder / "server.log"
        self._server = serve(self._env, self._log_path)
        self.url = self._server.url
        self.keys = seed.keys
        self._server.wait_ready()

    @property
    def is_running(self) -> bool:
        return self._server.process.poll() is None

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait until it has ended."""
        self._server.send_signal(signal_number)
        self._server.wait()

    def start(self) -> None:
        """Start it again where it was."""
        self._server = serve(self._env, self._log_path, port=self._server.port)
        self._server.wait_ready()

    def close(self) -> None:
        """End it; it must not have logged an error."""
        self._server.stop()
        assert self._server.problems() == []


@pytest.fixture(scope="package")
def server(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server for all tests that do not stop it. Each test uses a channel of its own."""
    installation = Installation(seed, tmp_path_factory.mktemp("server"))
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def modules_server(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server for the tests of one module."""
    installation = Installation(seed, tmp_path_factory.mktemp("own"))
    yield installation
    installation.close()


@pytest.fixture
def own_server(modules_server: Installation) -> Installation:
    """A server that the test may stop and start, and that may still be stopped when it is over."""
    if not modules_server.is_running:
        modules_server.start()
    return modules_server


# Playwright keeps an event loop in the thread while it runs, which asynchronous tests elsewhere would
# trip over: so it ends with this folder, not with the session.
@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"]
        )
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
        context = browser.new_context(
            **({"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options)
        )
        context.on("page", complaints.watch)
        context.set_default_timeout(_PATIENCE_MS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page of a person with default settings."""
    return new_context().new_page()
