"""The page for people who wait. What is live on it is done by the browser, over the socket of the same URL.

A face: renders, and asks nobody anything: the page must open while the database is away, and for everybody
at once. Protocol: docs/protocols/queue.md.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def line(request: HttpRequest) -> HttpResponse:
    """``GET /queue/``: one's place in line. No query."""
    # As the script reads it, hence the names.
    page = {
        "languages": settings.QUEUE_LANGUAGES,
        "socketPath": reverse("queue:line"),
        "healthPath": reverse("readyz"),
        "nextUrl": settings.QUEUE_NEXT_URL,
    }
    return render(request, "queue/line.html", {"page": page})
