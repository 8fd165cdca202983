"""The admin of the login queue: its policy and what the line does now, tickets, sessions, the log."""

from queue.admin.log import LogEntryAdmin
from queue.admin.never_waits import NeverWaitsAdmin
from queue.admin.policy import PolicyAdmin
from queue.admin.sessions import SessionAdmin
from queue.admin.tickets import TicketAdmin

__all__ = ["LogEntryAdmin", "NeverWaitsAdmin", "PolicyAdmin", "SessionAdmin", "TicketAdmin"]
