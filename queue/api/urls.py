"""The API's routes, under ``/api/queue/``. No path ends in a slash."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from queue.api import line, never_waits, sessions, tickets
from queue.models import SESSION_ID_PATTERN, TICKET_ID_PATTERN


class TicketIdConverter(StringConverter):
    """A ticket's id."""

    regex = TICKET_ID_PATTERN


class SessionIdConverter(StringConverter):
    """A session's id."""

    regex = SESSION_ID_PATTERN


register_converter(TicketIdConverter, "line_ticket")
register_converter(SessionIdConverter, "line_session")

app_name = "queue-api"
urlpatterns = [
    path("stats", line.Stats.as_view(), name="stats"),
    path("policy", line.PolicyDetail.as_view(), name="policy"),
    path("occupancy", line.Occupancy.as_view(), name="occupancy"),
    path("tickets", tickets.TicketList.as_view(), name="tickets"),
    path("tickets/<line_ticket:ticket_id>", tickets.TicketDetail.as_view(), name="ticket"),
    path("tickets/<line_ticket:ticket_id>/admit", tickets.Admit.as_view(), name="admit"),
    path(
        "tickets/<line_ticket:ticket_id>/move-to-front", tickets.MoveToFront.as_view(), name="move-to-front"
    ),
    path("tickets/<line_ticket:ticket_id>/log", tickets.TicketLog.as_view(), name="ticket-log"),
    path("tickets/<line_ticket:ticket_id>/overtaken-by", tickets.OvertakenBy.as_view(), name="overtaken-by"),
    path("sessions", sessions.SessionList.as_view(), name="sessions"),
    path("sessions/heartbeats", sessions.Heartbeats.as_view(), name="heartbeats"),
    path("sessions/<line_session:session_id>", sessions.SessionDetail.as_view(), name="session"),
    path("sessions/<line_session:session_id>/heartbeat", sessions.Heartbeat.as_view(), name="heartbeat"),
    path("never-waits", never_waits.NeverWaitsList.as_view(), name="never-waits"),
    path("log", tickets.Log.as_view(), name="log"),
]
