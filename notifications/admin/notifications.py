"""Whose notifications are where: found by user, to look at only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from notifications.admin.filters import SentFilter, TypeFilter, UserFilter, is_sent_id
from notifications.admin.words import data_words, in_short, link, sent_url, unbroken, whole
from notifications.models import Notification, NotificationStatus
from notifications.selectors.people import names_of
from realtime.admin_base import ReadOnlyAdmin
from realtime.admin_lists import BoundedPaginator
from realtime.admin_times import minute, moment

STATUS_LABELS = {
    NotificationStatus.UNSEEN: "warning",
    NotificationStatus.UNREAD: "info",
    NotificationStatus.READ: "success",
}


class NotificationList(ChangeList):
    """The page of the list, with the names of users: one more query, however many are listed."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = names_of({row.user_id for row in self.result_list})
        for row in self.result_list:
            row.user_name = names.get(row.user_id)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Of one user, or of one thing that was sent. Of everybody's at once nobody could read a page."""

    list_display = ("user", "type", "title", "status_label", "sent_at")
    list_filter = (UserFilter, "status", TypeFilter, SentFilter)
    list_select_related = ("sent",)
    list_per_page = 50
    list_before_template = "admin/notifications/notification/bounds.html"
    sortable_by = ()
    ordering = ("-id",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    fields = ("user", "status_words", "sent_at_exactly", "type", "title_words", "body", "data", "sent_link")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return Notification.objects.select_related("sent")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NotificationList]:
        return NotificationList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, "view")
        if not _says_whose(request):
            return self.page(request, "notification/whose", title="Notifications")
        bound = {"max_listed": BoundedPaginator.max_listed}
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **bound})
        return response

    @admin.display(description="user")
    def user(self, row: Notification) -> SafeString:
        """Their name, or the id that another service has for them."""
        name = row.user_name if hasattr(row, "user_name") else names_of([row.user_id]).get(row.user_id)
        return in_short(name or row.user_id)

    @admin.display(description="title")
    def title(self, row: Notification) -> SafeString:
        """What it says."""
        return in_short(row.sent.title or row.sent.body)

    @display(description="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def status_label(self, row: Notification) -> tuple[int, str]:
        """How far they got with it."""
        return row.status, row.get_status_display()

    @admin.display(description="sent")
    def sent_at(self, row: Notification) -> SafeString:
        """When."""
        return unbroken(minute(row.sent.created_at))

    # --- Its page -------------------------------------------------------------------------------------

    @admin.display(description="status")
    def status_words(self, row: Notification) -> str:
        """The same on its page."""
        return row.get_status_display()

    @admin.display(description="sent")
    def sent_at_exactly(self, row: Notification) -> str:
        """To the second."""
        return moment(row.sent.created_at)

    @admin.display(description="title")
    def title_words(self, row: Notification) -> SafeString:
        """All of it."""
        return whole(row.sent.title)

    @admin.display(description="body")
    def body(self, row: Notification) -> SafeString:
        """All of it."""
        return whole(row.sent.body)

    @admin.display(description="data")
    def data(self, row: Notification) -> SafeString:
        """For programs."""
        return data_words(row.sent.data)

    @admin.display(description="what was sent")
    def sent_link(self, row: Notification) -> SafeString:
        """To whom else."""
        return link(sent_url(row.sent_id), str(row.sent))


def _says_whose(request: HttpRequest) -> bool:
    return bool(request.GET.get("user")) or is_sent_id(request.GET.get("sent", ""))
