"""Pages of rows that nothing is typed into, only done to: a list, a row, and commands that ask first.

Core, for the faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from realtime.admin_base import ReadOnlyAdmin, actor_of, attempt


@dataclass(frozen=True)
class Command:
    """Something an operator does to a row.

    Attributes:
        change: the service, called with the row and who does it.
        may: whether it makes sense for a row as it is.
        button: imperative; also what the history says.
        done: completes a sentence that begins with the row's name.
        question: what will happen, as a sentence.
        order: in which the rows of a list are gone through; None: as the list has them.
    """

    change: Callable[[Any, str], object]
    may: Callable[[Any], bool]
    button: str
    done: str
    question: str
    order: Callable[[Any], Any] | None = None


class CommandAdmin(ReadOnlyAdmin):
    """Subclasses name their commands; each is an action of the list and a button of the row's page."""

    commands: ClassVar[dict[str, Command]] = {}
    change_form_outer_before_template = "admin/realtime/commands.html"
    # The exact numbers would read the whole table.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # What is done to a row is one commit; those of a page are quick enough to wait for.
    list_disable_select_all = True

    def described(self, row: Any) -> str:
        """A row on a page that asks."""
        return str(row)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """For the actions: fields are never edited, so there is no change permission to ask for."""
        return self.holds(request, "change")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.command_view)
        own = [
            path(f"<str:pk>/{name}/", view, {"name": name}, self._url_name(name)) for name in self.commands
        ]
        return [*own, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if self.has_manage_permission(request):
            actions |= {
                name: (partial(self._selected, name), name, f"{command.button} …")
                for name, command in self.commands.items()
            }
        return actions

    def row_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {"title": str(row), "commands": self._offered(request, row)}

    def command_view(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """``POST``: do it to one row, then show it; ``GET`` asks first."""
        row = self.target(request, pk, "change")
        if request.method == "POST":
            self._do(request, name, [row])
            return self.to_row(row)
        command = self.commands[name]
        return self.confirmation(
            request,
            title=f"{command.button}?",
            text=command.question,
            items=[self.described(row)],
            yes=command.button,
            back=self.row_url(row),
        )

    def _selected(
        self, name: str, _admin: object, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """The action of the list: asks first."""
        if "confirmed" in request.POST:
            self._do(request, name, queryset)
            return None
        rows, command = list(queryset), self.commands[name]
        return self.confirmation(
            request,
            title=f"{command.button}?",
            text=command.question,
            items=[self.described(row) for row in rows],
            hidden=[
                ("action", name),
                ("confirmed", "yes"),
                *((ACTION_CHECKBOX_NAME, row.pk) for row in rows),
            ],
            yes=command.button,
            back=request.get_full_path(),
        )

    def _do(self, request: HttpRequest, name: str, rows: Iterable[Any]) -> None:
        command = self.commands[name]

        def change(row: Any) -> None:
            command.change(row, actor_of(request))
            self.log_change(request, row, f"{command.button}.")

        attempt(
            request, sorted(rows, key=command.order) if command.order else rows, change, done=command.done
        )

    def _offered(self, request: HttpRequest, row: Any) -> list[dict[str, str]]:
        if not self.has_manage_permission(request):
            return []
        return [
            {"url": reverse(f"admin:{self._url_name(name)}", args=[row.pk]), "button": command.button}
            for name, command in self.commands.items()
            if command.may(row)
        ]

    def _url_name(self, command: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{command}"
