"""Is this process alive, and is it ready for traffic? For load balancers and service managers.

Core. Both answer without a login and reveal nothing but the state of a component.
"""

import asyncio
from typing import Literal

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime import runtime
from realtime.logs import get_logger

log = get_logger(__name__)

State = Literal["ok", "down"]

DATABASE_DEADLINE_S = 3.0
"""A database that takes longer to answer ``SELECT 1`` is no use to a client either."""


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> JsonResponse:
    """``GET /healthz``: the event loop turns. Restart the process when this fails."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """``GET /readyz``: 200 when database and bus can be used, else 503; send no traffic on 503."""
    report: dict[str, State] = {"database": await _database_state(), "bus": _bus_state()}
    ready = all(state == "ok" for state in report.values())
    return JsonResponse(report, status=200 if ready else 503)


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _database_state() -> State:
    try:
        await asyncio.wait_for(sync_to_async(_select_one)(), DATABASE_DEADLINE_S)
    except (DatabaseError, TimeoutError) as error:
        log.warning("health.database_down", error=type(error).__name__)
        return "down"
    return "ok"


def _bus_state() -> State:
    return "ok" if runtime.current().bus.state == "ok" else "down"
