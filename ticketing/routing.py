"""WebSocket routes of the ticket desk: the addresses of its pages."""

from django.urls import re_path

from ticketing.consumers import DisplayConsumer, KioskConsumer, StaffConsumer

websocket_urlpatterns = [
    re_path(r"^ticketing/staff/?$", StaffConsumer.as_asgi()),
    re_path(r"^ticketing/kiosk/?$", KioskConsumer.as_asgi()),
    re_path(r"^ticketing/display/?$", DisplayConsumer.as_asgi()),
]
