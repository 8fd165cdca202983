"""Is this process alive, and is it ready for traffic? For load balancers and service managers.

Core. Both answer without a login and reveal nothing but the state of a component. Services add theirs
(`add_component`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime import runtime
from realtime.db import in_db_thread
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
    """``GET /readyz``: 200 when what traffic needs can be used, else 503; send no traffic on 503."""
    report = await readiness()
    response = JsonResponse(report, status=200 if is_ready(report) else 503)
    # A probe comes every few seconds: the outage is in the log already, and not as a failed request.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


async def readiness() -> dict[str, State]:
    """The state of each component of this installation. One small query, and what services ask."""
    report = {"database": await _database_state(), "bus": _bus_state()}
    for name, ask in _components.items():
        if (state := await ask()) is not None:
            report[name] = state
    return report


def is_ready(report: dict[str, State]) -> bool:
    """Can traffic be served with components in these states? Not all are needed for it."""
    return all(state == "ok" for name, state in report.items() if name in _needed)


def add_component(name: str, ask: Callable[[], Awaitable[State | None]]) -> None:
    """Report the state of something else, which traffic does not need. None: there is no such thing here."""
    _components[name] = ask


def need(name: str) -> None:
    """This process is no use without that component."""
    _needed.add(name)


_components: dict[str, Callable[[], Awaitable[State | None]]] = {}
_needed = {"database", "bus"}


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _database_state() -> State:
    try:
        await asyncio.wait_for(in_db_thread(_select_one), DATABASE_DEADLINE_S)
    except (DatabaseError, TimeoutError) as error:
        log.warning("health.database_down", error=type(error).__name__)
        return "down"
    return "ok"


def _bus_state() -> State:
    return "ok" if runtime.current().bus.state == "ok" else "down"
