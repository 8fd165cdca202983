"""The pages of the queue's admin, for their tests: where they are, who opens them, what they list."""

import re

from django.test import Client

from tests.realtime.admin_pages import somebody_of

ROOT = "/admin/queue/"
POLICY = ROOT + "policy/"
TICKETS = ROOT + "ticket/"
SESSIONS = ROOT + "session/"
NEVER_WAITS = ROOT + "neverwaits/"
LOG = ROOT + "logentry/"
ALL_PAGES = (POLICY, TICKETS, SESSIONS, NEVER_WAITS, LOG)


def somebody(*permissions: str) -> Client:
    """Signed in to the admin, with these permissions of the queue only."""
    return somebody_of("queue", *permissions)


def listed(page: str) -> list[str]:
    """The clients of a list, in its order."""
    return re.findall(r'<bdi style="overflow-wrap: anywhere">([^<]*)</bdi>', page)


def column(page: str, name: str) -> list[str]:
    """The words of one column of a list."""
    cells = re.findall(rf'<t[dh] [^>]*class="[^"]*field-{name}[^"]*"[^>]*>(.*?)</t[dh]>', page)
    return [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells]
