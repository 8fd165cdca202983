"""The admin of the ticket desk: tickets, tables, people, devices, the journal, and the figures."""

from ticketing.admin.devices import DeviceAdmin
from ticketing.admin.figures import DeskFiguresAdmin
from ticketing.admin.journal import TicketEventAdmin
from ticketing.admin.people import StaffAdmin
from ticketing.admin.tables import TableAdmin
from ticketing.admin.tickets import TicketAdmin
from ticketing.admin.visitors import VisitorAdmin

__all__ = [
    "DeskFiguresAdmin",
    "DeviceAdmin",
    "StaffAdmin",
    "TableAdmin",
    "TicketAdmin",
    "TicketEventAdmin",
    "VisitorAdmin",
]
