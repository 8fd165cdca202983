"""Sending from the admin: a form, a page that shows what will be sent to how many, and then it is sent.

A face: `Send` is the only way in. Each form has a key, so that pressing its button twice sends once.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone

from notifications.admin.fields import MAX_PEOPLE
from notifications.admin.forms import KeyForm, SendForm, UpdateForm
from notifications.admin.words import indented
from notifications.models import Sent, Source
from notifications.protocol.feed import Feed, NewNotification
from notifications.selectors.people import names_of, search_people, strangers_among
from notifications.services.commands import Send, commit_one
from notifications.services.outbox import draft
from realtime.admin_base import ReadOnlyAdmin, actor_of
from realtime.errors import Refused

MAX_FOUND: Final = 20
# Recipients named before it is sent: enough to see whether it is the right ones.
MAX_NAMED: Final = 20


class SendingAdmin(ReadOnlyAdmin):
    """What adds to the list of what was sent."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.holds(request, "add")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("people/", view(self.people_view), name="notifications_sent_people"),
            path("update/", view(self.update_view), name="notifications_sent_update"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; from it the page that asks, and from that either back or on to what was sent."""
        self.require(request, "add")
        if request.method != "POST":
            return self._form_page(request, SendForm(initial={"template": request.GET.get("template")}))
        form = SendForm(request.POST)
        if "back" in request.POST or not form.is_valid():
            return self._form_page(request, form)
        try:
            if "confirmed" in request.POST:
                return self._send(request, form, form.feed)
            return self._preview_page(request, form)
        except Refused as refused:
            form.refuse(refused)
            return self._form_page(request, form)

    def update_view(self, request: HttpRequest) -> HttpResponse:
        """News for subscriptions."""
        self.require(request, "add")
        form = UpdateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._send(request, form, form.cleaned_data["feed"])
        return self.page(
            request, "sent/update", title="Update subscriptions", form=form, back_url=self.list_url()
        )

    def people_view(self, request: HttpRequest) -> HttpResponse:
        """People called something, for the form's field. One query."""
        self.require(request, "add")
        text = request.GET.get("term", "").strip().replace("\0", "")
        found = search_people(text, MAX_FOUND) if text else ()
        results = [{"id": person.id, "text": person.name} for person in found]
        return JsonResponse({"results": results, "pagination": {"more": False}})

    def _form_page(self, request: HttpRequest, form: SendForm) -> HttpResponse:
        return self.page(
            request,
            "sent/form",
            title="Send a notification",
            form=form,
            max_people=MAX_PEOPLE,
            back_url=self.list_url(),
        )

    def _preview_page(self, request: HttpRequest, form: SendForm) -> HttpResponse:
        sent, recipients = draft(form.feed, timezone.now())
        names = names_of(recipients[:MAX_NAMED])
        hidden = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in ("csrfmiddlewaretoken", "key")
            for value in values
        ]
        return self.page(
            request,
            "sent/confirm",
            title="Send this?",
            preview={
                "type": sent.type,
                "title": sent.title,
                "body": sent.body,
                "data": indented(sent.data),
            },
            count=len(recipients),
            named=[names.get(user_id, user_id) for user_id in recipients[:MAX_NAMED]],
            more=max(len(recipients) - MAX_NAMED, 0),
            strangers=_strangers(form.feed),
            hidden=[*hidden, ("key", form.its_key)],
        )

    def _send(self, request: HttpRequest, form: KeyForm, feed: Feed) -> HttpResponse:
        key = f"admin {request.user.pk}: {form.its_key}"
        sent: Sent = commit_one(Send(feed, Source.ADMIN, actor_of(request), key=key))
        self.log_addition(request, sent, "Sent.")
        messages.success(request, f"Sent to {sent.recipient_count}." if sent.recipient_count else "Sent.")
        return self.to_row(sent)


def _strangers(feed: Feed) -> list[str]:
    """Ids that were named and are nobody's here."""
    return strangers_among(feed.user_ids) if isinstance(feed, NewNotification) else []
