"""``/api/notifications/``: sending, what was sent, dead letters and templates.

Thin: each view asks a service or a selector. Protocol: docs/protocols/notifications.md.
"""

from __future__ import annotations

import re
from typing import Final

from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api import schema
from notifications.api.access import SEND, SENDING, NotificationsView, bad_body, managing
from notifications.api.serializers import (
    DeadLetterSerializer,
    NewTemplateSerializer,
    SentDetailSerializer,
    SentSerializer,
    TemplateSerializer,
)
from notifications.models import MAX_TYPE_LENGTH, Sent, Source, Template
from notifications.protocol.codec import BadRequest
from notifications.protocol.feed import read_feed
from notifications.selectors.sent import list_dead_letters, list_sent
from notifications.services.commands import Send
from notifications.services.dead_letters import discard_dead_letter, retry_dead_letter
from notifications.services.live import do_with_others
from notifications.services.templates import delete_template, save_template
from realtime.db import on_event_loop
from realtime.http_access import caller_of, found
from realtime.http_api import Pagination
from realtime.http_query import flag_parameter, number_parameter, text_parameter

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
MAX_ID: Final = 2**63 - 1

_is_key: Final = re.compile(schema.KEY).fullmatch

NEW_TEMPLATE = managing("add_template")
RESOLVING = managing("change_deadletter")


@schema.messages
class Messages(NotificationsView):
    """``POST /api/notifications/``."""

    rights = {"POST": SENDING}

    def post(self, request: Request) -> Response:
        """Send one message, committed together with those of others at the same moment."""
        try:
            feed = read_feed(request.data)
        except BadRequest as error:
            raise bad_body(error) from None
        command = Send(feed, Source.HTTP, caller_of(request).actor, key=_request_key(request))
        return Response(_told(on_event_loop(do_with_others, command)), status=201)


@schema.sent_list
class SentList(NotificationsView):
    """``GET /api/notifications/sent``."""

    rights = {"GET": managing("view_sent")}

    def get(self, request: Request) -> Response:
        """What was sent, the newest first. One query."""
        kind, source = text_parameter(request, "type"), request.query_params.get("source", "")
        if len(kind) > MAX_TYPE_LENGTH:
            raise ValidationError({"type": f"At most {MAX_TYPE_LENGTH} characters."})
        if "source" in request.query_params and source not in Source.values:
            raise ValidationError({"source": f"One of {', '.join(Source.values)}."})
        rows = list_sent(type=kind, source=source, before=number_parameter(request, "before", MAX_ID))
        return Response({"success": True, "sent": SentSerializer(rows[: _limit(request)], many=True).data})


@schema.sent_detail
class SentDetail(NotificationsView):
    """``GET /api/notifications/sent/<id>``."""

    rights = {"GET": managing("view_sent")}

    def get(self, request: Request, sent_id: int) -> Response:
        """All of it, and how far its recipients got. Two queries."""
        return Response(
            {"success": True, "sent": SentDetailSerializer(found(Sent.objects.all(), sent_id)).data}
        )


@schema.dead_letters
class DeadLetters(NotificationsView):
    """``GET /api/notifications/dead-letters``."""

    rights = {"GET": managing("view_deadletter")}

    def get(self, request: Request) -> Response:
        """What could not be read or sent, the newest first. One query."""
        rows = list_dead_letters(
            resolved=flag_parameter(request, "resolved"), before=number_parameter(request, "before", MAX_ID)
        )
        letters = DeadLetterSerializer(rows[: _limit(request)], many=True).data
        return Response({"success": True, "deadLetters": letters})


@schema.retry
class Retry(NotificationsView):
    """``POST /api/notifications/dead-letters/<id>/retry``."""

    rights = {"POST": RESOLVING}

    def post(self, request: Request, letter_id: int) -> Response:
        """Send it after all."""
        sent = retry_dead_letter(letter_id=letter_id, actor=caller_of(request).actor)
        return Response(_told(sent), status=201)


@schema.discard
class Discard(NotificationsView):
    """``POST /api/notifications/dead-letters/<id>/discard``."""

    rights = {"POST": RESOLVING}

    def post(self, request: Request, letter_id: int) -> Response:
        """Never send it."""
        discard_dead_letter(letter_id=letter_id, actor=caller_of(request).actor)
        return Response({"success": True})


@schema.templates
class Templates(NotificationsView):
    """``GET /api/notifications/templates``."""

    rights = {"GET": managing("view_template", SEND)}

    def get(self, request: Request) -> Response:
        """Templates by name, after the one called `after`. One query."""
        rows = Template.objects.filter(name__gt=text_parameter(request, "after")).order_by("name")
        templates = TemplateSerializer(rows[: _limit(request)], many=True).data
        return Response({"success": True, "templates": templates})


@schema.template
class TemplateDetail(NotificationsView):
    """``GET, PUT, DELETE /api/notifications/templates/<name>``."""

    rights = {
        "GET": managing("view_template", SEND),
        "PUT": managing("change_template"),
        "DELETE": managing("delete_template"),
    }

    def get(self, request: Request, name: str) -> Response:
        """The template. One query."""
        template = Template.objects.filter(name=name).first()
        if template is None:
            raise NotFound("There is no such template.")
        return Response({"success": True, "template": TemplateSerializer(template).data})

    def put(self, request: Request, name: str) -> Response:
        """Make the template, or replace it."""
        form = NewTemplateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if not NEW_TEMPLATE.allows(request) and not Template.objects.filter(name=name).exists():
            raise PermissionDenied(NEW_TEMPLATE.sentence)
        template, is_new = save_template(name=name, **form.validated_data)
        body = {"success": True, "template": TemplateSerializer(template).data}
        return Response(body, status=201 if is_new else 200)

    def delete(self, request: Request, name: str) -> Response:
        """What was sent with it stays."""
        if not delete_template(name=name):
            raise NotFound("There is no such template.")
        return Response({"success": True})


def _told(sent: Sent) -> dict[str, object]:
    return {"success": True, "id": sent.pk, "recipients": sent.recipient_count}


def _request_key(request: Request) -> str | None:
    """What the sender calls this request, and who the sender is: others' keys are not theirs."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _is_key(key):
        raise ValidationError({"Idempotency-Key": "1 to 128 visible ASCII characters."})
    return f"{caller_of(request).key}: {key}"


def _limit(request: Request) -> int:
    return Pagination.number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
