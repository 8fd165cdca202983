"""Kiosks and displays in the admin: letting them in, and no longer.

A face: changes go through the services, so a device that is switched off notices at once.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from realtime.admin_base import ServiceAdmin
from ticketing.admin.times import minute
from ticketing.models import Device, DeviceKind
from ticketing.services.devices import delete_device, renew_token, save_device


@admin.register(Device)
class DeviceAdmin(ServiceAdmin):
    """A device can be deleted: its tickets stay, and nothing else tells of it."""

    list_display = ("name", "kind_label", "prefix", "is_active", "token_start", "created")
    list_filter = ("kind", "is_active")
    search_fields = ("name",)
    fields = ("kind", "name", "prefix", "is_active", "token_start", "created")
    readonly_fields = ("token_start", "created")
    change_form_outer_before_template = "admin/ticketing/device/commands.html"

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return self.holds(request, "delete")

    def get_fields(self, request: HttpRequest, obj: Device | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Device | None = None) -> tuple[str, ...]:
        # Its token opens one kind of page.
        return (*self.readonly_fields, "kind") if obj else self.readonly_fields

    @display(  # type: ignore[untyped-decorator]
        description="kind", ordering="kind", label={DeviceKind.KIOSK: "info", DeviceKind.DISPLAY: "success"}
    )
    def kind_label(self, device: Device) -> tuple[str, str]:
        """Kiosk or display."""
        return device.kind, device.get_kind_display()

    @admin.display(description="created", ordering="created_at")
    def created(self, device: Device) -> str:
        """When it was made."""
        return minute(device.created_at)

    # --- Changes --------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        if change:
            save_device(device=obj)
        else:
            # Only `response_add`, in this same request, can show it.
            obj.new_token = renew_token(device=obj)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Device) -> None:
        delete_device(device=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        for device in queryset:
            delete_device(device=device)

    def response_add(
        self, request: HttpRequest, obj: Device, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token instead of redirecting: it is never kept anywhere to be shown later."""
        return self._show_token(request, obj, obj.new_token)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.renew_view)
        return [path("<int:pk>/token/", view, name="ticketing_device_renew"), *super().get_urls()]

    def row_context(self, request: HttpRequest, row: Device) -> dict[str, Any]:
        return {"may_renew": self.holds(request, "change")}

    def renew_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make a new token and show it, this once; ``GET`` asks first."""
        device: Device = self.target(request, pk, "change")
        if request.method == "POST":
            token = renew_token(device=device)
            self.log_change(request, device, "Token renewed.")
            if not device.is_active:
                messages.warning(request, f"{device} is not active: the token lets it in once it is.")
            return self._show_token(request, device, token)
        return self.confirmation(
            request,
            title=f"A new token for {device.name}?",
            text="The old one stops working at once: the device is shut out until it is opened with the "
            "new address.",
            yes="Renew the token",
            back=self.row_url(device),
        )

    def _show_token(self, request: HttpRequest, device: Device, token: str) -> HttpResponse:
        page = reverse(f"ticketing:{device.kind}")
        return self.secret(
            request,
            title="The new token",
            owner=device.name,
            what="token",
            secrets=[
                ("Address to open once on the device", request.build_absolute_uri(f"{page}?token={token}")),
                ("Token", token),
            ],
            use="Open the address in the device's browser: it keeps the token from then on, and the address "
            "can be forgotten. A program connects with the same ?token=.",
            back=self.row_url(device),
            back_words=f"Back to {device.name}",
        )
