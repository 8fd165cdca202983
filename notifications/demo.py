"""Demo data: a template, and news for everybody. For ``manage.py demo``."""

from typing import Any

from notifications.models import Source
from notifications.protocol.feed import NewNotification
from notifications.services.commands import Send, commit_one
from notifications.services.templates import save_template

_TEMPLATE = "welcome"
_NEWS = (
    NewNotification(everyone=True, template=_TEMPLATE, values={"place": "the front desk"}),
    NewNotification(
        everyone=True,
        type="news",
        title="The door at the back is open again",
        body="The lift is repaired as well.",
    ),
    NewNotification(
        everyone=True, type="task", title="The morning's post has come", data={"room": 4, "letters": 12}
    ),
)


def fill() -> dict[str, Any]:
    """The template as it was at first, and the news. What was told before is not told again."""
    save_template(
        name=_TEMPLATE,
        type="welcome",
        title="Welcome to {place}",
        body="What you should know of {place} comes here, at once and on every device.",
    )
    for number, news in enumerate(_NEWS, 1):
        commit_one(Send(news, Source.ADMIN, "demo", key=f"demo: {number}"))
    return {"notification_template": _TEMPLATE}
