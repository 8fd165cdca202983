"""Forms of the page of live channels."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from broadcast.protocol.messages import MAX_FRAME_BYTES
from broadcast.rules import Target, is_channel_name, parse_target
from realtime.errors import ProtocolViolation
from realtime.wire import decode_compact

MAX_REPEATED_CHARACTERS = 4096
"""A longer payload is not offered again: it would go through the session."""


class EmitForm(forms.Form):
    """One event, to be emitted from the admin."""

    payload = forms.CharField(
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 5, "style": "font-family: monospace", "spellcheck": "false"}
        ),
        initial='{"hello": "world"}',
        help_text="Any JSON value but an empty object and null.",
    )
    clients = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Empty for everyone, a number for that many at random, or client IDs with commas.",
    )
    require_ack = forms.BooleanField(
        required=False,
        label="Wait for acknowledgement",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="The answer then says who acknowledged, after 5 seconds at most.",
    )

    def clean_payload(self) -> bytes:
        """The payload as compact JSON text."""
        try:
            return decode_compact(self.cleaned_data["payload"], max_bytes=MAX_FRAME_BYTES)[1]
        except ProtocolViolation as error:
            raise forms.ValidationError(error.message) from None

    def clean_clients(self) -> Target:
        """Whom to send it to."""
        try:
            return parse_target(self.cleaned_data["clients"].strip() or None)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def to_repeat(self) -> dict[str, Any]:
        """What the form should begin with next time; nothing if it is large."""
        payload = self.data["payload"]
        if len(payload) > MAX_REPEATED_CHARACTERS:
            return {}
        return {
            "payload": payload,
            "clients": self.data.get("clients", ""),
            "require_ack": self.cleaned_data["require_ack"],
        }


class OpenForm(forms.Form):
    """The name of a channel to look at, also one that nobody listens to yet."""

    channel = forms.CharField(
        max_length=128,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_channel(self) -> str:
        """A channel's name."""
        channel: str = self.cleaned_data["channel"].strip()
        if not is_channel_name(channel):
            raise forms.ValidationError("Not a channel's name: 1 to 128 of A–Z a–z 0–9 . _ : ~ -")
        return channel
