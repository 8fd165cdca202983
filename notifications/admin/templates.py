"""Templates in the admin: what is sent again and again, and how it will look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from notifications.admin.forms import TemplateForm, ValuesForm
from notifications.admin.words import in_short, indented
from notifications.models import Template
from notifications.rules import names_in
from notifications.services.outbox import fill
from realtime.admin_base import ServiceAdmin
from realtime.errors import Refused
from realtime.wire import encode_json


@admin.register(Template)
class TemplateAdmin(ServiceAdmin):
    """What was sent with one stays as it was sent."""

    form = TemplateForm
    list_display = ("name", "type", "title_in_short", "needs")
    search_fields = ("name", "type", "title")
    search_help_text = "Part of a name, a type or a title"
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "type", "title", "body", "data"),
                "description": "Write {names} in the title, the body or the data for what differs each time.",
            },
        ),
    )
    change_form_outer_after_template = "admin/notifications/template/try.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "delete")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("<int:pk>/try/", view, name="notifications_template_try"), *super().get_urls()]

    @admin.display(description="title", ordering="title")
    def title_in_short(self, template: Template) -> Any:
        """The first characters."""
        return in_short(template.title or template.body)

    @admin.display(description="needs")
    def needs(self, template: Template) -> Any:
        """The names it needs values for."""
        return in_short(", ".join(sorted(names_in(template.parts))))

    def row_context(self, request: HttpRequest, row: Template) -> dict[str, Any]:
        return self._context(request, row)

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``GET``: how it looks with the values in the query, or why it cannot be. Nothing is sent."""
        template: Template = self.target(request, pk, "view")
        form = ValuesForm(template, request.GET)
        form.is_valid()
        # A value that was not given is left as its name.
        values = {name: form.cleaned_data.get(name) or "{" + name + "}" for name in names_in(template.parts)}
        preview = {}
        try:
            title, body, data = fill(template, values)
        except Refused as refused:
            form.add_error(None, refused.message)
        else:
            data_text = indented(encode_json(data))
            preview = {"type": template.type, "title": title, "body": body, "data": data_text}
        return self.page(
            request,
            "template/tried",
            title=f"{template} with these values",
            template=template,
            preview=preview,
            **self._context(request, template, form),
        )

    def _context(
        self, request: HttpRequest, template: Template, form: ValuesForm | None = None
    ) -> dict[str, Any]:
        may_send = request.user.has_perm("notifications.add_sent")
        send_url = reverse("admin:notifications_sent_add", query={"template": template.name})
        return {
            "values_form": form or ValuesForm(template),
            "try_url": reverse("admin:notifications_template_try", args=[template.pk]),
            "send_url": send_url if may_send else "",
            "back_url": self.row_url(template),
        }
