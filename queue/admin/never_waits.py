"""Ids that never wait, in the admin. A face: changes go through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator
from django.db.models import Field, QuerySet
from django.http import HttpRequest

from queue.models import MAX_CLIENT_ID_LENGTH, NeverWaits
from queue.services.policy import delete_never_waits, save_never_waits
from realtime.admin_base import ServiceAdmin
from realtime.admin_times import minute

_PRINTABLE = RegexValidator(
    rf"\A[\x20-\x7e]{{1,{MAX_CLIENT_ID_LENGTH}}}\Z",
    "An id has printable ASCII characters only: no client can have another.",
)


@admin.register(NeverWaits)
class NeverWaitsAdmin(ServiceAdmin):
    """Who is on the list now is let in with the next login, whatever the capacity."""

    list_display = ("client_id", "note", "added")
    search_fields = ("client_id", "note")
    search_help_text = "Part of an id or of a note"
    fields = ("client_id", "note")

    def has_delete_permission(self, request: HttpRequest, obj: NeverWaits | None = None) -> bool:
        return self.holds(request, "delete")

    def get_readonly_fields(self, request: HttpRequest, obj: NeverWaits | None = None) -> tuple[str, ...]:
        # Another id is another row.
        return ("client_id",) if obj else ()

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "client_id":
            field.validators.append(_PRINTABLE)
        return field

    @admin.display(description="added", ordering="created_at")
    def added(self, row: NeverWaits) -> str:
        """When."""
        return minute(row.created_at)

    def save_model(self, request: HttpRequest, obj: NeverWaits, form: Any, change: bool) -> None:
        save_never_waits(client_id=obj.client_id, note=obj.note)

    def delete_model(self, request: HttpRequest, obj: NeverWaits) -> None:
        delete_never_waits(client_id=obj.client_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[NeverWaits]) -> None:
        for row in queryset:
            delete_never_waits(client_id=row.client_id)
