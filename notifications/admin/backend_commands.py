"""Commands that other services answer, in the admin. They count from the next request on."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from notifications.models import BackendCommand


@admin.register(BackendCommand)
class BackendCommandAdmin(ModelAdmin):
    """Each is read when somebody asks for it: a change needs no restart."""

    list_display = ("name", "method", "url", "needs_user", "subscribes", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "url")
    search_help_text = "Part of a name or of an address"
    fields = ("name", "method", "url", "needs_user", "subscribes", "is_active")
