"""The admin's own parts: API keys, accounts, failed logins, and the dashboard.

A face: each service registers its models in its own ``admin.py``.
"""

from typing import Any

from asgiref.sync import async_to_sync
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from rest_framework_api_key.models import APIKey as PackageApiKey
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from realtime import health
from realtime.catalog import services
from realtime.models import ApiKey

# The package registers a model of its own, which nothing here uses.
admin.site.unregister(PackageApiKey)
admin.site.unregister(User)
admin.site.unregister(Group)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Context of the admin's first page (UNFOLD["DASHBOARD_CALLBACK"])."""
    report = async_to_sync(health.readiness)()
    return context | {"services": list(services()), "report": report, "ready": health.is_ready(report)}


def scopes_help() -> SafeString:
    """What can be written into the field, from what the services say of themselves."""
    known = format_html_join(
        "", "<li><code>{}</code>: {}</li>", (pair for service in services() for pair in service.scopes)
    )
    return format_html(
        "One scope a line; a key without any can do nothing. A scope may end in a pattern, in which "
        "<code>*</code> stands for any characters and <code>?</code> for one.<ul>{}</ul>",
        known,
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """A key is made here and shown once; afterwards it can be limited, revoked or deleted."""

    list_display = ("name", "prefix", "scopes_in_short", "created", "expiry_date", "state")
    list_filter = ("revoked", "created")
    search_fields = ("name", "prefix", "scopes")
    fields = ("name", "scopes", "expiry_date", "revoked", "prefix", "created")
    actions = ("revoke_selected",)

    @admin.display(description="scopes")
    def scopes_in_short(self, key: ApiKey) -> str:
        """The first scopes, and how many more there are."""
        first, rest = key.scope_list[:3], key.scope_list[3:]
        return ", ".join(first) + (f" and {len(rest)} more" if rest else "") or "none"

    @display(  # type: ignore[untyped-decorator]
        description="state", label={"active": "success", "expired": "warning", "revoked": "danger"}
    )
    def state(self, key: ApiKey) -> str:
        """Whether the key works now, in one word."""
        if key.revoked:
            return "revoked"
        return "expired" if key.has_expired else "active"

    def get_form(
        self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[ApiKey]]":
        form: type[ModelForm[ApiKey]] = super().get_form(
            request, obj, change, help_texts={"scopes": scopes_help()}, **kwargs
        )
        return form

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        # Revoking cannot be undone, so a revoked key has nothing left to change.
        return self.fields if obj and obj.revoked else ("prefix", "created")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "ModelForm[ApiKey]", change: bool) -> None:
        if not change:
            # Only `response_add`, in this same request, can show it.
            obj.new_key = ApiKey.objects.assign_key(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key instead of redirecting: it is never kept anywhere to be shown later."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "api_key": obj,
            "new_key": obj.new_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/realtime/apikey/created.html", context)

    @admin.action(description="Revoke the selected keys (cannot be undone)", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke one by one: each change must be heard of, which an update of the set would not be."""
        revoked = 0
        for key in queryset.filter(revoked=False):
            key.revoked = True
            key.save()
            self.log_change(request, key, "Revoked.")
            revoked += 1
        self.message_user(request, f"Revoked: {revoked}.")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Accounts of people, with the admin's looks."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups: the same permissions for several people."""


@admin.register(AccessAttempt)
class FailedLoginAdmin(ModelAdmin):
    """Failed logins that count towards a lockout; deleting one lifts the lockout."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time", "path_info")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
