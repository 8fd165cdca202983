"""The page of somebody who has tokens: where they begin, issuing one, which is shown once, and revoking them.

Core, for the faces of services whose people sign in with tokens of an account (`realtime.user_tokens`).
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, timedelta, tzinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from realtime.admin_base import ServiceAdmin
from realtime.admin_times import moment
from realtime.user_tokens import revoke_tokens_beginning, tokens_of

EXPIRIES: dict[str, tuple[str, timedelta | None]] = {
    "day": ("16 hours: a working day", timedelta(hours=16)),
    "month": ("30 days", timedelta(days=30)),
    "never": ("until it is revoked", None),
}


class TokenForm(forms.Form):
    """How long a new token is to be valid."""

    expiry = forms.ChoiceField(
        label="Valid for",
        choices=[(key, words) for key, (words, _) in EXPIRIES.items()],
        widget=UnfoldAdminSelectWidget(),
    )


class TokensAdmin(ServiceAdmin):
    """Rows have a `user`, whose tokens these are. Whoever may change the row may manage them."""

    change_form_outer_after_template = "admin/realtime/tokens.html"

    no_tokens = ""
    """Said where there are none: what makes one."""
    token_use = ""
    """Said with a new token: what to do with it."""
    revoking_words = ""
    """What becomes of whoever uses a token that is revoked."""

    @abstractmethod
    def may_have_token(self, row: Any) -> bool:
        """Whether a token would open anything."""

    @abstractmethod
    def issue(self, row: Any, expiry: timedelta | None) -> str:
        """Make a token; None: it never expires."""

    @abstractmethod
    def revoke_all(self, row: Any) -> int:
        """Make all tokens invalid; gives how many there were."""

    def zone(self) -> tzinfo:
        """In which times are written."""
        return UTC

    def row_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """One query."""
        return {
            "tokens": [self._token_row(token, row) for token in tokens_of(row.user_id)],
            "token_form": TokenForm(),
            "no_tokens": self.no_tokens,
            "may_manage_tokens": self.holds(request, "change"),
            "may_have_token": self.may_have_token(row),
            "issue_url": self._url("issue", row),
            "revoke_url": self._url("revoke", row),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/token/", view(self.issue_view), name=self._name("issue")),
            path("<int:pk>/revoke/", view(self.revoke_view), name=self._name("revoke")),
            path("<int:pk>/revoke-one/", view(self.revoke_one_view), name=self._name("revoke_one")),
            *super().get_urls(),
        ]

    def issue_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make a token and show it, this once."""
        row = self.target(request, pk, "change")
        form = TokenForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            return self.to_row(row)
        if not self.may_have_token(row):
            messages.error(request, f"{row} is not active: a token would open nothing.")
            return self.to_row(row)
        words, expiry = EXPIRIES[form.cleaned_data["expiry"]]
        token = self.issue(row, expiry)
        self.log_change(request, row, f"Token issued, valid {words}.")
        return self.secret(
            request,
            title="The new token",
            owner=str(row),
            what="token",
            secrets=[("Token", token)],
            use=self.token_use,
            back=self.row_url(row),
            back_words=f"Back to {row}",
        )

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make all tokens invalid, then show the row; ``GET`` asks first."""
        row = self.target(request, pk, "change")
        if request.method == "POST":
            count = self.revoke_all(row)
            self.log_change(request, row, "Tokens revoked.")
            messages.success(request, f"Revoked: {count}.")
            return self.to_row(row)
        return self.confirmation(
            request,
            title=f"Sign {row} out everywhere?",
            text=f"All tokens become invalid. {self.revoking_words}",
            yes="Revoke all tokens",
            back=self.row_url(row),
        )

    def revoke_one_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make the token invalid that begins with `start`; ``GET`` asks first."""
        row = self.target(request, pk, "change")
        if request.method == "POST":
            start = request.POST.get("start", "")
            if revoke_tokens_beginning(user_id=row.user_id, start=start):
                self.log_change(request, row, f"Token {start}… revoked.")
                messages.success(request, f"{start}… was revoked.")
            else:
                messages.warning(request, "This token was gone already.")
            return self.to_row(row)
        start = request.GET.get("start", "")
        return self.confirmation(
            request,
            title=f"Revoke {start}…?",
            text=f"The token becomes invalid. {self.revoking_words}",
            yes="Revoke this token",
            hidden=[("start", start)],
            back=self.row_url(row),
        )

    def _name(self, command: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{command}"

    def _url(self, command: str, row: Any) -> str:
        return reverse(f"admin:{self._name(command)}", args=[row.pk])

    def _token_row(self, token: Any, row: Any) -> dict[str, Any]:
        return {
            "start": token.token_key,
            "created": moment(token.created, self.zone()),
            "ends": moment(token.expiry, self.zone()) if token.expiry else "never",
            "valid": token.expiry is None or token.expiry > timezone.now(),
            "revoke_url": f"{self._url('revoke_one', row)}?start={token.token_key}",
        }
