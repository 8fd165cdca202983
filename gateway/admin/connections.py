"""Live connections in the admin: whose, since when, how quick, and ending one.

A face: every process of the installation is asked, on the server's event loop (`async_to_sync` finds it).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from gateway.admin.links import account_url
from gateway.models import Account, LiveConnection
from gateway.rules import id_of
from gateway.selectors.overview import accounts_called
from gateway.services.connections import Connection, disconnect, list_connections
from realtime.admin_base import ReadOnlyAdmin, actor_of
from realtime.admin_times import NONE, moment
from realtime.logs import get_logger

log = get_logger(__name__)

# A page for people: a longer list would be looked at by nobody.
MAX_SHOWN = 200
# Accounts that a search may find. Whoever finds more has not said whom they mean.
MAX_ACCOUNTS = 1_000


@admin.register(LiveConnection)
class LiveConnectionAdmin(ReadOnlyAdmin):
    """Up to date at each reload."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_view), name="gateway_liveconnection_changelist"),
            path("disconnect/", view(self.disconnect_view), name="gateway_liveconnection_disconnect"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """The newest connections of everybody, or of those whose name has `q` in it. Two queries."""
        self.require(request, "view")
        text = request.GET.get("q", "").strip()
        found = accounts_called(text, MAX_ACCOUNTS) if text else None
        live = async_to_sync(list_connections)(account_ids=found, limit=MAX_SHOWN)
        return self.page(
            request,
            "liveconnection/list",
            title="Live connections",
            text=text,
            rows=_rows(live.newest, _accounts(live.newest)),
            count=live.count,
            more=live.count - len(live.newest),
            processes=len(live.counts) + len(live.silent),
            silent=len(live.silent),
            may_disconnect=may_disconnect(request),
            disconnect_url=reverse("admin:gateway_liveconnection_disconnect"),
            here=request.get_full_path(),
        )

    def disconnect_view(self, request: HttpRequest) -> HttpResponse:
        """``POST``: end one connection, then show the page it came from: the list, or the account's."""
        self.require(request, "disconnect")
        text = request.POST.get("q", "")
        back = self.list_url() + (f"?{urlencode({'q': text})}" if text else "")
        account_id = id_of(request.POST.get("account", ""))
        if request.method == "POST" and account_id is not None:
            self._disconnect(request, account_id, request.POST.get("connection", ""))
            if "to_account" in request.POST:
                back = account_url(account_id)
        return HttpResponseRedirect(back)

    def _disconnect(self, request: HttpRequest, account_id: int, connection_id: str) -> None:
        account = Account.objects.filter(pk=account_id).first()
        if account is None or not _is_there(account.pk, connection_id):
            messages.warning(request, "This connection had ended already.")
            return
        disconnect(account_id=account_id, connection_id=connection_id)
        log.info("gateway.disconnected_in_admin", connection=connection_id, by=actor_of(request))
        messages.success(
            request,
            f"A connection of {account} was ended. Its program may come back at once: to keep it away, "
            "revoke the tokens of the account.",
        )


def may_disconnect(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("gateway.disconnect_liveconnection"))


def connections_of(request: HttpRequest, account: Account) -> dict[str, Any]:
    """What the page of an account shows of its connections; nothing for who may not see them. No query."""
    if not request.user.has_perm("gateway.view_liveconnection"):
        return {"may_see_connections": False}
    live = async_to_sync(list_connections)(account_ids=[account.pk], limit=MAX_SHOWN)
    return {
        "may_see_connections": True,
        "may_disconnect": may_disconnect(request),
        "connections": _rows(live.newest, {account.pk: account}),
        "more_connections": live.count - len(live.newest),
        "processes": len(live.counts) + len(live.silent),
        "silent": len(live.silent),
        "disconnect_url": reverse("admin:gateway_liveconnection_disconnect"),
    }


def _is_there(account_id: int, connection_id: str) -> bool:
    live = async_to_sync(list_connections)(account_ids=[account_id], limit=MAX_ACCOUNTS)
    return any(one.id == connection_id for one in live.newest)


def _accounts(connections: Sequence[Connection]) -> dict[int, Account]:
    rows = Account.objects.select_related("user")
    return rows.in_bulk({one.account_id for one in connections})


def _rows(connections: Sequence[Connection], accounts: dict[int, Account]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "account_id": one.account_id,
            "account": accounts.get(one.account_id),
            "url": account_url(one.account_id),
            "since": moment(datetime.fromtimestamp(one.since_ms / 1_000, UTC)),
            "latency": NONE if one.latency_ms is None else f"{one.latency_ms} ms",
            "process": one.process_id,
        }
        for one in connections
    ]
