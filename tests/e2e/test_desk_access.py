"""Who is let in to the desk with DEBUG off, on both servers: devices by a token, staff by theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e.desk import Desk
from tests.e2e.listener import http

RELOGIN = "error accept your session token was found to be invalid. please relogin"
NO_TOKEN = "error pick the provided token does not belong to any staff member"


@contextmanager
def refused(desk: Desk, status: int) -> Iterator[None]:
    """The handshake is answered with that status; daphne knows no other than 403."""
    with pytest.raises(InvalidStatus) as refusal:
        yield
    assert refusal.value.response.status_code == (status if desk.server.is_serve else 403)


@pytest.mark.parametrize("page", ["kiosk", "display"])
async def test_devices_come_in_with_a_token(guarded_desk: Desk, page: str) -> None:
    desk = guarded_desk
    other = {"kiosk": "display", "display": "kiosk"}[page]
    device, of_other_kind = desk.new_device(page, f"One {page}"), desk.new_device(other, f"Not a {page}")
    with refused(desk, 401):
        await desk.wire(page)
    wrong = (
        device.token[:-1],
        device.token.swapcase(),
        of_other_kind.token,
        desk.ana.token,
        "%FF",
        "t" * 500,
    )
    for token in wrong:
        with refused(desk, 403):
            await desk.wire(page, token=token)
    async with await desk.wire(page, token=device.token) as wire:
        await wire.quiet()
    desk.manage("PATCH", f"devices/{device.id}", is_active=False)
    with refused(desk, 403):
        await desk.wire(page, token=device.token)


@pytest.mark.parametrize("page", ["kiosk", "display"])
async def test_a_page_opened_once_with_a_token_keeps_it(guarded_desk: Desk, page: str) -> None:
    desk = guarded_desk
    device = desk.new_device(page, f"Page of a {page}")
    path = f"/ticketing/{page}/"
    async with http(desk.server) as browser:
        assert (await browser.get(path)).status_code == 403
        assert (await browser.get(path, params={"token": device.token[:-1]})).status_code == 403
        opened = await browser.get(path, params={"token": device.token})
        assert (opened.status_code, opened.headers["location"]) == (302, path)
        assert (await browser.get(path)).status_code == 200
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert device.token in cookie
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "SameSite=Lax" in opened.headers["set-cookie"]
    async with await desk.wire(page, Cookie=cookie, Origin=desk.server.url) as wire:
        await wire.quiet()
    # Any site may open a socket here, and the browser adds the cookie.
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        with refused(desk, 403):
            await desk.wire(page, Cookie=cookie, **headers)
    with refused(desk, 403):
        await desk.wire(page, token=device.token, Origin="https://evil.example")
    with refused(desk, 401):
        await desk.wire(page, Cookie="other=cookie", Origin=desk.server.url)
    with refused(desk, 403):
        await desk.wire(page, Cookie=cookie[:-1], Origin=desk.server.url)


async def test_a_device_that_is_not_let_in_any_more_is_closed(guarded_desk: Desk) -> None:
    desk = guarded_desk
    kiosk, display, spare = (
        desk.new_device(kind, f"Passing {number}")
        for number, kind in enumerate(["kiosk", "display", "kiosk"])
    )
    async with (
        await desk.wire("kiosk", token=kiosk.token) as switched_off,
        await desk.wire("display", token=display.token) as renewed,
        await desk.wire("kiosk", token=spare.token) as deleted,
    ):
        desk.manage("PATCH", f"devices/{kiosk.id}", is_active=False)
        assert await switched_off.close_code() == 4403
        token = desk.manage("POST", f"devices/{display.id}/token")["token"]
        assert await renewed.close_code() == 4403
        await deleted.quiet()
        desk.manage("DELETE", f"devices/{spare.id}")
        assert await deleted.close_code() == 4403
    with refused(desk, 403):
        await desk.wire("display", token=display.token)
    async with await desk.wire("display", token=token) as display_wire:
        await display_wire.quiet()


@pytest.mark.parametrize("how", ["token", "person"])
async def test_a_token_that_is_revoked_is_told_nothing_more(guarded_desk: Desk, how: str) -> None:
    desk = guarded_desk
    kiosk_token = desk.new_device("kiosk", f"Beside a revoked {how}").token
    token = desk.new_token(desk.cho.id)
    async with (
        await desk.wire("kiosk", token=kiosk_token) as kiosk,
        await desk.wire("staff") as ana,
        await desk.wire("staff") as cho,
    ):
        for wire in (ana, cho):
            await wire.expect("taken")
        await ana.ask(f"pick 0 {desk.ana.token}", "success pick 0")
        await cho.expect("taken 0")
        await cho.ask(f"pick 1 {token}", "success pick 1")
        told = await kiosk.take_ticket()
        await cho.expect(f"new {told.json()}")
        await cho.ask(f"accept {told.id}", f"success claimed {told.id}")
        if how == "token":
            desk.manage("DELETE", f"staff/{desk.cho.id}/tokens")
            # The table is kept, as for a lost connection.
            await cho.expect("taken 0 1")
        else:
            desk.manage("PATCH", f"staff/{desk.cho.id}", is_active=False)
            # Switched off, and the table let go: told in either order, and then of nothing more.
            if (told_first := await cho.next()) == "taken 0 1":
                told_first = await cho.next()
            assert told_first == "taken 0"
        untold = await kiosk.take_ticket()
        claimed = f"claimed {told.json('Cho')}"
        await ana.expect(f"new {told.json()}", claimed, f"new {untold.json()}")
        await cho.quiet()
        for ticket_id in (f"{untold.id}", f"{told.id}", "0", "nonsense"):
            await cho.ask(f"accept {ticket_id}", RELOGIN)
        await cho.ask(f"complete {told.id}", "error complete you are not assigned to any table")
        await cho.ask(f"cancel {told.id}", "error cancel you are not assigned to any table")
        await cho.ask("unpick", "error unpick you do not have a table assigned")
        await cho.ask(f"pick 1 {token}", NO_TOKEN)
        await cho.ask(f"accept {untold.id}", RELOGIN)
        if how == "person":
            desk.manage("PATCH", f"staff/{desk.cho.id}", is_active=True)
            await cho.ask(f"pick 1 {token}", NO_TOKEN)
        await cho.ask(f"pick 1 {desk.new_token(desk.cho.id)}", "success pick 1", f"new {untold.json()}")
        await cho.ask(f"complete {told.id}", f"success complete {told.id}")
    desk.clear()


async def test_no_token_reaches_the_log(guarded_desk: Desk) -> None:
    desk = guarded_desk
    kiosk, display = desk.new_device("kiosk", "Logged kiosk"), desk.new_device("display", "Logged display")
    wrong = "W" * 43
    for page, device in (("kiosk", kiosk), ("display", display)):
        with refused(desk, 403):
            await desk.wire(page, token=wrong)
        async with await desk.wire(page, token=device.token) as wire:
            await wire.ask(f"{device.token} x", f"error {device.token} unknown command")
        cookie = f"foyer_device_{page}={device.token}"
        async with await desk.wire(page, Cookie=cookie, Origin=desk.server.url) as wire:
            await wire.quiet()
        async with http(desk.server) as browser:
            for token in (device.token, wrong):
                await browser.get(f"/ticketing/{page}/", params={"token": token})
                await browser.get(f"/ticketing/{page}/nowhere", params={"token": token})
    async with await desk.wire("staff", token=desk.ben.token) as ben:
        await ben.expect("taken")
        await ben.ask(f"pick 9 {desk.ben.token}", "error the chosen table is not available")
        await ben.ask(f"pick 9 {wrong}", NO_TOKEN)
        await ben.ask(f"pick\t{desk.ben.token}", f"error pick\t{desk.ben.token} unknown command")
    async with http(desk.server) as client:
        for token in (desk.ben.token, wrong):
            headers = {"Authorization": f"Token {token}"}
            await client.get("/api/ticketing/tables", headers=headers, params={"token": token})
    log = desk.server.log
    assert "/ticketing/kiosk/" in log, "connections are logged"
    for secret in (kiosk.token, display.token, desk.ben.token, wrong):
        # No good part of it either; what the admin shows to tell tokens apart is shorter.
        assert secret not in log
        assert secret[16:] not in log
