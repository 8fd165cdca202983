"""Forms of the gateway's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
)

from gateway.models import (
    MAX_CONTENT_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_URL_LENGTH,
    Account,
    ChannelType,
    Member,
    MessageType,
)

# The widgets find accounts as the admin's list of them does.
_ACCOUNT_FIELD = Member._meta.get_field("account")


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel's texts."""

    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION_LENGTH, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    stream_url = forms.URLField(
        label="Stream URL",
        required=False,
        max_length=MAX_URL_LENGTH,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget(),
    )


class NewChannelForm(ChannelForm):
    """And, once, its author and whom a direct message is with."""

    members = forms.ModelMultipleChoiceField(
        queryset=Account.objects.select_related("user"),
        required=False,
        help_text="Of a direct message: whom it is with. Others join by themselves, or are added later.",
        widget=AutocompleteSelectMultiple(_ACCOUNT_FIELD, admin.site),
    )

    def clean(self) -> dict[str, Any] | None:
        """What `create_channel` would refuse is said at the field it is about."""
        values = super().clean() or self.cleaned_data
        members, author = values.get("members"), values.get("author")
        if members is None or author is None or "type" not in values:
            return values
        if values["type"] != ChannelType.DIRECT:
            if members:
                self.add_error("members", "Only a direct message is opened with members.")
        elif not set(members) - {author}:
            self.add_error("members", "A direct message needs somebody besides its author.")
        elif off := [str(account) for account in members if not account.user.is_active]:
            self.add_error("members", f"Switched off: {', '.join(off)}.")
        return values


class MemberForm(forms.Form):
    """Who is to be a member."""

    account = forms.ModelChoiceField(
        queryset=Account.objects.all(), widget=AutocompleteSelect(_ACCOUNT_FIELD, admin.site)
    )


class PostForm(forms.Form):
    """A message, posted from the admin."""

    content = forms.CharField(
        label="Text", max_length=MAX_CONTENT_LENGTH, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    type = forms.TypedChoiceField(choices=MessageType.choices, coerce=int, widget=UnfoldAdminSelectWidget())

    def clean_content(self) -> str:
        """Lines end as programs end them, not as browsers send them."""
        content: str = self.cleaned_data["content"]
        return content.replace("\r\n", "\n")
