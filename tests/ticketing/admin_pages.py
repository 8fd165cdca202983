"""The pages of the desk's admin, for their tests: where they are, who opens them, what they say."""

import re

from django.test import Client

from tests.realtime.admin_pages import somebody_of

ROOT = "/admin/ticketing/"
TICKETS = ROOT + "ticket/"
TABLES = ROOT + "table/"
STAFF = ROOT + "staff/"
VISITORS = ROOT + "visitor/"
DEVICES = ROOT + "device/"
JOURNAL = ROOT + "ticketevent/"
FIGURES = ROOT + "deskfigures/"


def somebody(*permissions: str) -> Client:
    """Signed in to the admin, with these permissions of the desk only."""
    return somebody_of("ticketing", *permissions)


def labels(page: str) -> list[str]:
    """The numbers of a list of tickets."""
    return re.findall(r">([A-Z]-\d{3})</a>", page)
