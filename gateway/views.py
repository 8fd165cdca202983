"""The chat page. Everything on it is done by the browser, with the HTTP API and the socket of the same URL.

A face: renders, and asks nobody anything. Protocol: docs/protocols/gateway.md.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gateway.models import (
    MAX_CONTENT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TITLE_LENGTH,
    MAX_TOPIC_LENGTH,
    MAX_URL_LENGTH,
)


@require_safe
def chat(request: HttpRequest) -> HttpResponse:
    """``GET /gateway/``: sign in, read and write. No query."""
    # As the script reads it, hence the names.
    page = {
        "socketPath": reverse("gateway:chat"),
        "apiPath": reverse("gateway-api:me").removesuffix("users/me"),
        "maxContentLength": MAX_CONTENT_LENGTH,
    }
    limits = {
        "name": MAX_NAME_LENGTH,
        "title": MAX_TITLE_LENGTH,
        "description": MAX_DESCRIPTION_LENGTH,
        "topic": MAX_TOPIC_LENGTH,
        "url": MAX_URL_LENGTH,
    }
    return render(request, "gateway/chat.html", {"page": page, "limits": limits})
