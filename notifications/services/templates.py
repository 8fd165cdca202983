"""Templates: what is sent again and again."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from notifications.models import Template


@transaction.atomic
def save_template(*, name: str, **fields: Any) -> tuple[Template, bool]:
    """Make or replace the template of that name; gives it, and whether it is new. Three queries.

    Raises:
        ValidationError: a field is not valid.
    """
    known = Template.objects.select_for_update().filter(name=name).first()
    template = Template(pk=known.pk if known else None, name=name, **fields)
    template.full_clean(validate_unique=False)
    template.save()
    return template, known is None


def delete_template(*, name: str) -> bool:
    """Delete it; gives whether there was one. One query."""
    return bool(Template.objects.filter(name=name).delete()[0])
