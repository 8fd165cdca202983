"""Fields of the notifications' forms: people, ids, and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.urls import reverse_lazy
from unfold.widgets import UnfoldAdminMultipleAutocompleteWidget, UnfoldAdminTextareaWidget

from notifications.models import MAX_DATA_BYTES
from notifications.selectors.people import names_of
from realtime.errors import ProtocolViolation
from realtime.wire import decode_json, encode_json

# Who tells more at once has their ids in a list.
MAX_PEOPLE: Final = 200

_CODE = {"style": "font-family: monospace", "spellcheck": "false", "dir": "ltr"}


class _PeopleSelect(UnfoldAdminMultipleAutocompleteWidget):
    # Its own template takes no values but those of a model.
    option_template_name = "django/forms/widgets/select_option.html"


class PeopleField(forms.MultipleChoiceField):
    """People of this site, found by name as one types; gives their ids."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"data-ajax--url": reverse_lazy("admin:notifications_sent_people")}
        super().__init__(widget=_PeopleSelect(attrs=attrs), **kwargs)

    def name_chosen(self, ids: Iterable[str]) -> None:
        """Have those that are chosen shown with their names. One query."""
        self.choices = list(names_of(list(ids)[:MAX_PEOPLE]).items())


class IdsField(forms.CharField):
    """Ids with spaces, commas or line ends between them; gives them as a list, each once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autocomplete": "off", **_CODE}), **kwargs
        )

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys((super().to_python(value) or "").replace(",", " ").split()))


class _Typed(str):
    """What somebody typed, which is text of JSON; any other text is a value."""

    __slots__ = ()


class JsonField(forms.CharField):
    """Any JSON as a text; gives its value, None for nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, **_CODE}), **kwargs)

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        try:
            return decode_json(text, max_bytes=MAX_DATA_BYTES)
        except ProtocolViolation as error:
            raise forms.ValidationError(error.message) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        return _Typed(data or "")

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, _Typed):
            return value
        return encode_json(value).decode()

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except forms.ValidationError:
            return True
