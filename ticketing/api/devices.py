"""``/api/ticketing/devices``: kiosks and displays, and the tokens that let them in.

Protocol: docs/protocols/ticketing.md.
"""

from __future__ import annotations

from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from realtime.http_access import found
from ticketing.api import schema_desk as schema
from ticketing.api.access import managing
from ticketing.api.answers import DeviceSerializer
from ticketing.api.base import DeskView
from ticketing.api.serializers import DeviceChangeSerializer, DeviceCreateSerializer
from ticketing.models import Device
from ticketing.services import devices as services


def _with_token(device: Device, token: str, *, status: int) -> Response:
    body = {**DeviceSerializer(device).data, "token": token}
    return Response(body, status=status)


@schema.devices
class DeviceList(DeskView, generics.ListAPIView[Device]):
    """``GET, POST /api/ticketing/devices``. The list takes two queries."""

    serializer_class = DeviceSerializer
    queryset = Device.objects.order_by("kind", "name")
    rights = {"GET": managing("view_device"), "POST": managing("add_device")}

    def post(self, request: Request) -> Response:
        """A new kiosk or display, with its token."""
        form = DeviceCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        device, token = services.create_device(**form.validated_data)
        return _with_token(device, token, status=201)


@schema.device
class DeviceDetail(DeskView):
    """``GET, PATCH, DELETE /api/ticketing/devices/<id>``."""

    rights = {
        "GET": managing("view_device"),
        "PATCH": managing("change_device"),
        "DELETE": managing("delete_device"),
    }

    def get(self, request: Request, device_id: int) -> Response:
        """A device."""
        return Response(DeviceSerializer(found(Device.objects.all(), device_id)).data)

    def patch(self, request: Request, device_id: int) -> Response:
        """Name it, let it in, keep it out."""
        device = found(Device.objects.all(), device_id)
        form = DeviceChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        for name, value in form.validated_data.items():
            setattr(device, name, value)
        return Response(DeviceSerializer(services.save_device(device=device)).data)

    def delete(self, request: Request, device_id: int) -> Response:
        """Delete a device. Its tickets stay."""
        services.delete_device(device=found(Device.objects.all(), device_id))
        return Response(status=204)


@schema.device_token
class DeviceToken(DeskView):
    """``POST /api/ticketing/devices/<id>/token``."""

    rights = {"POST": managing("change_device")}

    def post(self, request: Request, device_id: int) -> Response:
        """A new token; the old one lets nobody in any more."""
        device = found(Device.objects.all(), device_id)
        return _with_token(device, services.renew_token(device=device), status=201)
