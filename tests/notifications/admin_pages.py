"""The pages of the notifications' admin, for their tests: where they are, and who opens them."""

from django.test import Client

from tests.realtime.admin_pages import somebody_of

ROOT = "/admin/notifications/"
SENT = ROOT + "sent/"
SEND = SENT + "add/"
PEOPLE = SENT + "people/"
UPDATE = SENT + "update/"
OF_USERS = ROOT + "notification/"
DEAD = ROOT + "deadletter/"
TEMPLATES = ROOT + "template/"
COMMANDS = ROOT + "backendcommand/"


def somebody_with(*permissions: str) -> Client:
    """Signed in to the admin, with these permissions of the notifications only."""
    return somebody_of("notifications", *permissions)
