"""Forms of the notifications' pages: sending, updates of subscriptions, templates."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from notifications.admin.fields import IdsField, JsonField, PeopleField
from notifications.models import MAX_BODY_LENGTH, MAX_TITLE_LENGTH, MAX_TYPE_LENGTH, Template
from notifications.protocol.codec import BadRequest
from notifications.protocol.feed import Feed, read_feed
from notifications.rules import names_in
from realtime.errors import Refused

_VALUE: Final = "value-"


def _groups_help() -> SafeString:
    return format_html(
        'Everybody in them who can log in. <a class="text-link" href="{}">Groups are made here</a>; who '
        'is in one is said at their <a class="text-link" href="{}">user</a>.',
        reverse("admin:auth_group_changelist"),
        reverse("admin:auth_user_changelist"),
    )


def _new_key() -> str:
    return uuid4().hex


class KeyForm(forms.Form):
    """A form that is sent once, however often its button is pressed."""

    key = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, required=False, initial=_new_key)

    @property
    def its_key(self) -> str:
        """The one it came with, or a new one."""
        return self.cleaned_data["key"] or _new_key()

    def add_problem(self, error: BadRequest | Refused, fields: dict[str, str]) -> None:
        """Say it at the field that `fields` has for its path or code, else above the form."""
        where = error.path if isinstance(error, BadRequest) else error.code
        field = next((field for start, field in fields.items() if where.startswith(start)), None)
        self.add_error(field, error.message)


class SendForm(KeyForm):
    """A notification: to whom, and what, from a template or written out."""

    people = PeopleField(required=False, help_text="Type part of a name or a username, or an id.")
    ids = IdsField(
        required=False,
        label="Further ids",
        help_text="Of users, with spaces or commas between them: a list, or users of another service.",
    )
    groups = forms.ModelMultipleChoiceField(
        queryset=Group.objects.order_by("name"),
        required=False,
        to_field_name="name",
        widget=UnfoldAdminSelect2MultipleWidget(),
        help_text=lazy(_groups_help, SafeString)(),
    )
    everyone = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget(), help_text="Everybody who can log in."
    )
    template = forms.ModelChoiceField(
        queryset=Template.objects.order_by("name"),
        required=False,
        to_field_name="name",
        empty_label="None: it is written out",
        widget=UnfoldAdminSelectWidget(),
    )
    type = forms.CharField(
        max_length=MAX_TYPE_LENGTH,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="What kind of news it is, as programs know it: news, offer …",
    )
    title = forms.CharField(max_length=MAX_TITLE_LENGTH, required=False, widget=UnfoldAdminTextInputWidget())
    body = forms.CharField(
        max_length=MAX_BODY_LENGTH, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    data = JsonField(  # type: ignore[assignment]
        required=False, help_text="JSON, for programs. Not needed."
    )

    _WRITTEN: Final = ("type", "title", "body", "data")
    _WHERE: Final = {
        "document.users": "ids",
        "document.data": "data",
        "document.type": "type",
        "document.title": "title",
        "document.body": "body",
        "UNKNOWN_GROUP": "groups",
        "UNKNOWN_TEMPLATE": "template",
        "MISSING_VALUE": "template",
        "TOO_LONG": "template",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Fields of the template that was chosen before would keep one from choosing another.
        self.use_required_attribute = False
        chosen = self["people"].value() or []
        self.fields["people"].name_chosen(chosen)  # type: ignore[attr-defined]
        self._add_values()

    def _add_values(self) -> None:
        """A field for each name in the template that is chosen."""
        name = self["template"].value()
        template = Template.objects.filter(name=name).first() if name else None
        for value in sorted(names_in(template.parts)) if template is not None else ():
            self.fields[_VALUE + value] = forms.CharField(
                label="{" + value + "}", max_length=MAX_BODY_LENGTH, widget=UnfoldAdminTextInputWidget()
            )

    @property
    def to_whom(self) -> list[forms.BoundField]:
        return [self[name] for name in ("people", "ids", "groups", "everyone")]

    @property
    def from_template(self) -> list[forms.BoundField]:
        return [self[name] for name in ("template", *self._values())]

    @property
    def written_out(self) -> list[forms.BoundField]:
        return [self[name] for name in self._WRITTEN]

    def _values(self) -> list[str]:
        return [name for name in self.fields if name.startswith(_VALUE)]

    def clean_body(self) -> str:
        """Lines end as programs end them, not as browsers send them."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """As the feed's reader takes it; what that would refuse is said at its field."""
        values = self.cleaned_data
        if self.errors:
            return values
        written = any(values[name] not in ("", None) for name in self._WRITTEN)
        if values["template"] is not None and written:
            self.add_error("template", "Either a template, or written out: empty the one or the other.")
        elif values["template"] is None and not values["type"]:
            self.add_error("type", "Say what kind of news it is, or choose a template.")
        elif not (values["people"] or values["ids"] or values["groups"] or values["everyone"]):
            self.add_error("people", "Nobody to tell: name somebody, a group, or everyone.")
        else:
            try:
                values["feed"] = read_feed({"type": "notification", "document": self._document()})
            except BadRequest as error:
                self.add_problem(error, self._WHERE)
        return values

    def _document(self) -> dict[str, Any]:
        values = self.cleaned_data
        document: dict[str, Any] = {
            "users": list(dict.fromkeys([*values["people"], *values["ids"]])),
            "groups": [group.name for group in values["groups"]],
            "everyone": values["everyone"],
        }
        if values["template"] is None:
            return document | {name: values[name] for name in self._WRITTEN}
        given = {name.removeprefix(_VALUE): values[name] for name in self._values()}
        return document | {"template": values["template"].name, "values": given}

    @property
    def feed(self) -> Feed:
        """What is to be sent, of a form that is valid."""
        feed: Feed = self.cleaned_data["feed"]
        return feed

    def refuse(self, refused: Refused) -> None:
        """Say it at its field."""
        self.add_problem(refused, self._WHERE)


class UpdateForm(KeyForm):
    """An update of subscriptions."""

    subscriptions = IdsField(help_text="Ids of subscriptions, with spaces or commas between them.")
    reload = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Their lists are fetched again. Else they get the data.",
    )
    data = JsonField(  # type: ignore[assignment]
        required=False, help_text="JSON, as it is to be sent."
    )

    def clean(self) -> dict[str, Any]:
        """As the feed's reader takes it."""
        values = self.cleaned_data
        if not self.errors:
            document = {
                "subscriptions": values["subscriptions"],
                "options": {"reload": values["reload"]},
                "data": values["data"],
            }
            try:
                values["feed"] = read_feed({"type": "update_subscription", "document": document})
            except BadRequest as error:
                self.add_problem(error, {"document.data": "data", "document.subscriptions": "subscriptions"})
        return values


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template."""

    body = forms.CharField(
        max_length=MAX_BODY_LENGTH, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    data = JsonField(  # type: ignore[assignment]
        required=False, help_text="JSON, for programs. Not needed."
    )

    def clean_body(self) -> str:
        """Lines end as programs end them, not as browsers send them."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")


class ValuesForm(forms.Form):
    """Values for the names in a template."""

    def __init__(self, template: Template, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in sorted(names_in(template.parts)):
            self.fields[name] = forms.CharField(
                label="{" + name + "}",
                max_length=MAX_BODY_LENGTH,
                required=False,
                widget=UnfoldAdminTextInputWidget(),
            )
