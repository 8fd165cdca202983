"""Starts the small main server of the tests as the program it is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from config import BASE_DIR

START_DEADLINE_S = 30.0


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[httpx.AsyncClient]:
    """Start ``tests.main_server`` on a free port; gives a client for it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "tests.main_server", "--port", "0", *arguments),
        cwd=BASE_DIR,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_DEADLINE_S)
        assert line.startswith(b"listening on "), line
        url = f"http://127.0.0.1:{int(line.split()[-1])}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client:  # no TLS here
            yield client
    finally:
        process.terminate()
        await process.communicate()
