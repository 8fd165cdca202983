"""Pages whose time passes only as a test says: a slow machine changes nothing then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from playwright.sync_api import Page

# Until the pause is in the page.
_SOON: Final = timedelta(seconds=5)
_FRAME_MS: Final = 50


def stop_clock(page: Page) -> None:
    """From now on its time stands still, but for what the test has `page.clock` run. It goes on 5 s first.

    Timers that the page has already, and the frames it waits for, stand still only where the clock was
    installed before the page was opened. (axe waits for ever.)
    """
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + _SOON)


def let_draw(page: Page) -> None:
    """A page whose clock was stopped draws what it was told."""
    page.clock.run_for(_FRAME_MS)
