"""Who calls the desk's HTTP API in tests: a client for each kind of caller."""

from __future__ import annotations

import pytest

from tests import callers
from tests.callers import PASSWORD, Callers, accepted, refused, results
from tests.ticketing.desk import Desk
from ticketing.models import Staff
from ticketing.services.people import issue_token

__all__ = [
    "PASSWORD",
    "ROOT",
    "Caller",
    "accepted",
    "account",
    "clerk",
    "logged_in",
    "permissions",
    "program",
    "refused",
    "results",
]

ROOT = "/api/ticketing/"


class Caller(callers.Caller):
    """Of the desk's API."""

    root = ROOT


_desk = Callers("ticketing", Caller)
program, account, logged_in, permissions = _desk.program, _desk.account, _desk.logged_in, _desk.permissions


def clerk(staff: Staff) -> Caller:
    """A member of staff with a new token."""
    return Caller(Authorization=f"Token {issue_token(staff=staff)}")


# --- Fixtures (conftest makes them known) ----------------------------------------------------------------


@pytest.fixture
def manager(desk: Desk) -> Caller:
    """A program that manages."""
    return program("ticketing:manage")


@pytest.fixture
def ana(desk: Desk) -> Caller:
    """Ana, at table 1."""
    desk.pick(desk.ana, 1)
    return clerk(desk.ana)


@pytest.fixture
def ben(desk: Desk) -> Caller:
    """Ben, at table 2."""
    desk.pick(desk.ben, 2)
    return clerk(desk.ben)
