"""The sockets of kiosks and displays: who is let in, and what they do."""

from functools import partial

from django.conf import settings

from realtime import runtime
from realtime.db import ask_database
from realtime.errors import Refused
from realtime.outlet import Outlet
from ticketing import events
from ticketing.models import Device
from ticketing.rules import DISPLAY, Entry
from ticketing.services import arrivals, devices, visitors
from ticketing.services.sockets import Sockets


class DeviceSocket:
    """One connection of a kiosk or a display. `device` is None where devices are let in without a token."""

    def __init__(self, outlet: Outlet, *, extended: bool, device: Device | None) -> None:
        self.outlet = outlet
        self.extended = extended
        self.device = device
        self._sockets = runtime.current().part(Sockets)
        self._live = self._sockets.live

    def arrive(self, kind: str) -> None:
        """Tell the state of things, now and from now on."""
        self._sockets.add_device(self)
        first = events.display_arrival if kind == DISPLAY else events.kiosk_arrival
        if heads := first(self._live.floor, extended=self.extended):
            self.outlet.send(*heads)
        audience = events.DISPLAY if kind == DISPLAY else events.KIOSK
        self._live.join(audience, self.outlet, extended=self.extended)

    async def leave(self) -> None:
        """The connection has closed."""
        self._sockets.discard_device(self)

    async def take_ticket(self, *, email: str, name: str, key: str | None) -> None:
        """Raises Refused: EMAIL_INVALID, NAME_MISSING, NAME_TOO_LONG."""
        device, origin = self.device, self._live.new_request(self.outlet)
        command = partial(
            arrivals.create_ticket,
            email=email,
            name=name,
            kiosk_id=device.pk if device else None,
            prefix=(device.prefix or None) if device else None,
            request_key=key,
            actor=str(device) if device else "Kiosk",
            origin=origin,
        )

        def answer(entry: Entry) -> None:
            assert entry.ticket is not None  # noqa: S101 - it was created
            self.outlet.send(*events.created(self._live.floor, entry.ticket, extended=self.extended))

        await self._live.do(command, origin=origin, answer=answer)

    async def find_name(self, email: str) -> None:
        """Raises Refused: UNKNOWN_VISITOR."""
        name = await ask_database(visitors.find_name, email=email)
        self.outlet.send(events.name_found(name))


async def admit_device(kind: str, token: str | None) -> Device | None:
    """The device that holds `token`; None where devices need none and none was shown.

    Raises:
        Refused: UNAUTHORIZED without a token, FORBIDDEN with a wrong one.
    """
    device = await ask_database(devices.find_device, kind=kind, token=token) if token else None
    if device is not None or settings.TICKETING_OPEN_DEVICES:
        return device
    if token:
        raise Refused("FORBIDDEN", "this device is not let in")
    raise Refused("UNAUTHORIZED", "a device needs a token: open the page with ?token=")
