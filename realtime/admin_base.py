"""What the services' pages of the admin have in common: permissions, pages of their own, asking first.

Core, for the faces. Changes go through the services, whose refusals `attempt` puts into words.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from realtime.errors import Refused

M = TypeVar("M", bound=Model)

# Names in one message, or on a page that asks. More would be read by nobody.
MAX_NAMED = 20


class ServiceAdmin(ModelAdmin):
    """Nothing is deleted unless a page says so: journals tell of it, and people look things up in it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def holds(self, request: HttpRequest, action: str) -> bool:
        """Whether whoever asks has the permission `action` (``change``, ``delete`` …) on this model.

        Not `has_change_permission` and the like: they say what the admin's own forms offer.
        """
        if action == "view":  # who may change may look
            return bool(self.has_view_permission(request))
        return bool(request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}"))

    def require(self, request: HttpRequest, action: str) -> None:
        """Raises `PermissionDenied` without that permission."""
        if not self.holds(request, action):
            raise PermissionDenied

    def target(self, request: HttpRequest, pk: Any, action: str) -> Any:
        """The row a command is about. Raises `PermissionDenied`, and then `Http404`."""
        self.require(request, action)
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404("there is no such row")
        return row

    def row_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows besides its fields."""
        return {}

    def render_change_form(  # noqa: PLR0917 - as Django has it
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if change:
            context |= self.row_context(request, obj)
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return response

    def page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        """A page of the service, ``admin/<app>/<name>.html``, among the admin's.

        No cache keeps it: what it shows has changed by then.
        """
        return self._page(request, f"admin/{self.opts.app_label}/{name}.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        response = TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "opts": self.opts, "model_admin": self, **context},
        )
        response["Cache-Control"] = "no-store"
        return response

    def confirmation(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """Ask before something that cannot be undone; the form's answer comes to this same address.

        `title` is the question, `text` what will happen, `yes` the button, `items` what it happens to,
        `hidden` (name, value) pairs the answer is to hold, `back` where one gets without it.
        """
        return self._page(request, "admin/realtime/confirm.html", context)

    def secret(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """The only page that ever shows a new secret.

        `what` of `owner` it is, `secrets` as (label, secret) pairs, `use` what to do with them, `back` and
        `back_words` where one goes on.
        """
        return self._page(request, "admin/realtime/secret.html", context)

    def row_url(self, row: Model) -> str:
        """The page of a row."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(row.pk)])

    def to_row(self, row: Model) -> HttpResponse:
        """Go (back) to the page of a row, so that reloading it repeats nothing."""
        return HttpResponseRedirect(self.row_url(row))

    def list_url(self) -> str:
        """The list."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


class ReadOnlyAdmin(ServiceAdmin):
    """To look at; what can be done is done by commands, not by editing fields."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def actor_of(request: HttpRequest) -> str:
    """Who does it, for the journal."""
    return request.user.get_username()


def attempt(request: HttpRequest, rows: Iterable[M], change: Callable[[M], object], *, done: str) -> list[M]:
    """Make a change to each row; gives those it was made to, and says on the next page how it went.

    `done` completes a sentence that begins with a row's name. A refusal of one row keeps nothing from the
    others; the same refusal of several is said once.
    """
    changed: list[M] = []
    refused: dict[str, list[M]] = {}
    for row in rows:
        try:
            change(row)
        except Refused as refusal:
            refused.setdefault(refusal.message, []).append(row)
        else:
            changed.append(row)
    if changed:
        messages.success(request, f"{_names(changed)} {done}.")
    for text, unchanged in refused.items():
        messages.error(request, f"{_names(unchanged)}: {text}")
    return changed


def _names(rows: list[M]) -> str:
    more = len(rows) - MAX_NAMED
    return ", ".join(str(row) for row in rows[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
