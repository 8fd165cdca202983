"""The inbox page. Everything on it is done by the browser, with the accounts' HTTP API and the socket of the
same URL.

A face: renders, and asks nobody anything. Protocol: docs/protocols/notifications.md.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from realtime.people import MAX_NAME_LENGTH


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """``GET /notifications/``: sign in, read and mark. No query."""
    # As the script reads it, hence the names.
    page = {
        "socketPath": reverse("notifications:inbox"),
        "apiPath": reverse("gateway-api:me").removesuffix("users/me"),
    }
    return render(request, "notifications/inbox.html", {"page": page, "limits": {"name": MAX_NAME_LENGTH}})
