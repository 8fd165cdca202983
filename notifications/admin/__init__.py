"""The admin of the notifications: sending, what was sent, whose it is, dead letters, templates, commands."""

from notifications.admin.backend_commands import BackendCommandAdmin
from notifications.admin.dead_letters import DeadLetterAdmin
from notifications.admin.notifications import NotificationAdmin
from notifications.admin.sent import SentAdmin
from notifications.admin.templates import TemplateAdmin

__all__ = ["BackendCommandAdmin", "DeadLetterAdmin", "NotificationAdmin", "SentAdmin", "TemplateAdmin"]
