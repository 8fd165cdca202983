"""The policy in the admin: one form, what the line does under it now, and a button that stops it.

A face: changes go through the services, so every process follows at once.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse

from queue.admin.words import spread
from queue.models import Policy
from queue.selectors.line import load_policy
from queue.selectors.status import Status, get_status
from queue.services.policy import save_policy
from realtime.admin_base import ServiceAdmin, actor_of
from realtime.admin_times import duration, moment


@admin.register(Policy)
class PolicyAdmin(ServiceAdmin):
    """The only row: there is nothing to add, to delete or to choose from."""

    fieldsets = (
        ("Who is let in", {"fields": ("enabled", "capacity", ("admit_per_interval", "interval_s"))}),
        ("People who wait", {"fields": ("message", ("stats_interval_s", "ticket_stale_s"))}),
        ("The mean wait they are told", {"fields": (("initial_avg_wait_s", "avg_wait_window"),)}),
        ("People who were let in", {"fields": ("session_stale_s",)}),
    )
    labels = {
        "admit_per_interval": "People per interval",
        "interval_s": "Interval (seconds)",
        "stats_interval_s": "Update interval (seconds)",
        "ticket_stale_s": "Place is kept for (seconds)",
        "initial_avg_wait_s": "At first (seconds)",
        "avg_wait_window": "Tickets it is taken from",
        "session_stale_s": "Silent for (seconds)",
    }
    change_form_outer_before_template = "admin/queue/policy/line_now.html"

    class Media:
        js = ("queue/admin-line.js",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Policy | None:
        # There is a policy before anybody has saved one.
        return load_policy() if object_id == "1" else None

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            # What counts as changed is what this person changed, not what somebody else did meanwhile.
            field.show_hidden_initial = True
        return field

    def get_form(
        self, request: HttpRequest, obj: Policy | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Policy]]:
        form: type[forms.ModelForm[Policy]] = super().get_form(
            request, obj, change, labels=self.labels, **kwargs
        )
        return form

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            save_policy(changes=changes, actor=actor_of(request))

    # --- Pages ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("line/", view(self.line_view), name="queue_policy_line"),
            path("pause/", view(self.pause_view), {"paused": True}, name="queue_policy_pause"),
            path("resume/", view(self.pause_view), {"paused": False}, name="queue_policy_resume"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(_form_url())

    def row_context(self, request: HttpRequest, row: Policy) -> dict[str, Any]:
        return {
            "title": "Policy of the login queue",
            "line": line_now(get_status()),
            "may_pause": self.holds(request, "change"),
        }

    def line_view(self, request: HttpRequest) -> HttpResponse:
        """What the line does now, as JSON, for the page that shows it."""
        self.require(request, "view")
        return JsonResponse(line_now(get_status()))

    def pause_view(self, request: HttpRequest, *, paused: bool) -> HttpResponse:
        """``POST``: let nobody in for now, or go on; then the form again."""
        self.require(request, "change")
        if request.method == "POST":
            policy = save_policy(changes={"paused": paused}, actor=actor_of(request))
            self.log_change(request, policy, "Paused." if paused else "Resumed.")
            messages.success(request, "Paused: nobody is let in." if paused else "Resumed.")
        return HttpResponseRedirect(_form_url())


def _form_url() -> str:
    return reverse("admin:queue_policy_change", args=[1])


def line_now(status: Status) -> dict[str, Any]:
    """The line in words, by the names the page has for them; `paused` says which button there is."""
    view, reported = status.view, status.reported
    counted = "counted by sessions that are alive"
    return {
        "paused": view.policy.paused,
        "state": _state(status),
        "waiting": f"{view.waiting:,}",
        "active": f"{view.active:,}",
        "away": f"{view.waiting - view.active:,}",
        "logging_in": f"{view.logging_in:,}",
        "occupied": f"{view.occupied:,} of {view.policy.capacity:,}",
        "source": f"the main server said {reported.occupied:,} at {moment(reported.measured_at)}"
        if reported
        else counted,
        "free": f"{view.free:,}" if view.policy.enabled else "all",
        "head": f"{view.head:,}" if view.waiting else "nobody waits",
        "tail": f"{view.tail:,}",
        "mean_wait": duration(view.avg_wait_ms / 1_000),
        "estimate": _estimate(status),
    }


def _state(status: Status) -> str:
    policy = status.view.policy
    if policy.paused:
        return "Paused: nobody is let in. The line stays and grows."
    if not policy.enabled:
        return "Off: everyone is let in at once, whatever the capacity."
    if status.view.failing:
        return "The main server fails. One login at a time tries whether it works again."
    if status.view.free == 0 and status.view.occupied >= policy.capacity:
        return "Full: the next is let in when somebody leaves."
    return "Open."


def _estimate(status: Status) -> str:
    if status.estimate is None:
        return "nobody can say yet" if not status.view.policy.paused else "not while it is paused"
    if not status.estimate.high_s:
        return "no wait"
    return spread(status.estimate)
