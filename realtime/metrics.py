"""What the server counts, in Prometheus' form, and the page that shows it.

Core. Names and labels are part of the contract with an operator's dashboards: ``docs/operations.md``
lists them, and a test compares. Labels come from small fixed sets only (a service's label, an error
code of ours), never from what a client sent, so the number of series stays small.

With ``PROMETHEUS_MULTIPROC_DIR`` set (``serve --workers`` does so) each process writes its numbers
to files in that folder and any of them answers for all. A process that ends must be reported with
`forget_process`, or its connections would be counted for ever.
"""

import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY as _PROCESS_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, exposition, multiprocess

CONNECTIONS = Gauge(
    "foyer_connections", "WebSocket connections open now.", ["app"], multiprocess_mode="livesum"
)
MESSAGES_IN = Counter("foyer_messages_in", "Messages received from clients.", ["app"])
MESSAGES_OUT = Counter("foyer_messages_out", "Messages sent to clients, counted once per client.", ["app"])
FANOUT_SECONDS = Histogram(
    "foyer_fanout_seconds",
    "Time to hand one published message to every local member of its group.",
    # From a handful of members (tens of microseconds) to many thousands (hundreds of milliseconds).
    buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
)
SLOW_CLIENTS_CLOSED = Counter(
    "foyer_slow_clients_closed", "Connections closed because their backlog passed its bound.", ["app"]
)
ERRORS = Counter(
    "foyer_errors", "Errors answered to clients or caught on their behalf, by code.", ["app", "code"]
)
BUS_MESSAGES = Counter(
    "foyer_bus_messages", "Messages on the bus between processes (in or out).", ["direction"]
)


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that has ended. Does nothing outside multi-process mode."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """``GET /metrics``: every number, of every process of this server. 401 without the token, if set."""
    expected = settings.METRICS_TOKEN
    if expected and not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {expected}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry: CollectorRegistry = _PROCESS_REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    generate, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(generate(registry), content_type=content_type)
