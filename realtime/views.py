"""Pages about the installation as a whole, and what is answered when something goes wrong.

A browser gets a page, a program JSON in the form of the HTTP API: ``{"success": false, "error": "…"}``.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from realtime import health
from realtime.asyncapi import Schema, build_document, readable_channels
from realtime.catalog import services


def prefers_json(request: HttpRequest) -> bool:
    """Is a program asking? True where JSON is preferred to HTML, or anything will do (as for curl)."""
    return request.get_preferred_type(["application/json", "text/html"]) != "text/html"


@require_safe
async def landing(request: HttpRequest) -> HttpResponse:
    """``GET /``: what runs here, in what state, and where to go from here."""
    report = await health.readiness()
    ready = health.is_ready(report)
    entries = [
        {
            "label": service.label,
            "title": service.title,
            "summary": service.summary,
            "page_url": service.page_url,
            "protocol_doc": service.protocol_doc,
            "state": "running" if ready else "degraded",
        }
        for service in services()
    ]
    context = {"services": entries, "report": report, "ready": ready, "version": settings.VERSION}
    return render(request, "realtime/landing.html", context)


# --- AsyncAPI -----------------------------------------------------------------------------------------


def asyncapi_document(*, host: str, secure: bool) -> Schema:
    """The AsyncAPI document of every registered service that has one."""
    described = [channels for service in services() if (channels := service.load("asyncapi"))]
    return build_document(described, title="Foyer", version=settings.VERSION, host=host, secure=secure)


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:
    """``GET /api/asyncapi/``: a page to read; JSON where that is preferred, or with ``?format=json``."""
    document = asyncapi_document(host=request.get_host(), secure=request.is_secure())
    wanted = request.GET.get("format")
    if wanted == "json" or (wanted != "html" and prefers_json(request)):
        response: HttpResponse = JsonResponse(
            document, json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
    else:
        context = {"document": document, "channels": readable_channels(document)}
        response = render(request, "realtime/asyncapi.html", context)
    patch_vary_headers(response, ["Accept"])
    return response


# --- Errors (named in config.urls) ------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400: the request as such is wrong, for one its Host header."""
    return _error(request, 400, "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403: whoever asks may not."""
    return _error(request, 403, "This is not permitted.")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404: nothing is here."""
    return _error(request, 404, "There is nothing at this address.")


@csrf_exempt
def api_not_found(request: HttpRequest) -> HttpResponse:
    """404 for every path under ``/api/`` that is nothing, whatever the method."""
    return _error(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The template needs nothing that may be broken: no database, no session."""
    return _error(request, 500, "The server failed. It was not your doing, and it is in the log.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid token."""
    if prefers_json(request):
        return _error(request, 403, "The CSRF token is missing or wrong.")
    return render(request, "403_csrf.html", status=403)


def _error(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    if prefers_json(request):
        response: HttpResponse = JsonResponse({"success": False, "error": detail}, status=status)
    else:
        response = render(request, f"{status}.html", status=status)
    patch_vary_headers(response, ["Accept"])
    return response
