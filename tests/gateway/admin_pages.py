"""The pages of the gateway's admin, for their tests: where they are, and who opens them."""

from django.test import Client

from tests.realtime.admin_pages import somebody_of

ROOT = "/admin/gateway/"
ACCOUNTS = ROOT + "account/"
CHANNELS = ROOT + "channel/"
MESSAGES = ROOT + "message/"
LIVE = ROOT + "liveconnection/"
DISCONNECT = LIVE + "disconnect/"


def somebody_with(*permissions: str) -> Client:
    """Signed in to the admin, with these permissions of the gateway only."""
    return somebody_of("gateway", *permissions)
