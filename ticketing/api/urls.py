"""The API's routes, under ``/api/ticketing/``. No path ends in a slash."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from ticketing.api import devices, login, people, stats, tables, tickets


class IdConverter(IntConverter):
    """A row's id: no more digits than a database can hold."""

    regex = "[0-9]{1,18}"


class TableNumberConverter(IntConverter):
    """A table's number."""

    regex = "[0-9]{1,4}"


register_converter(IdConverter, "desk_id")
register_converter(TableNumberConverter, "table_number")

app_name = "ticketing-api"
urlpatterns = [
    path("login", login.Login.as_view(), name="login"),
    path("logout", login.Logout.as_view(), name="logout"),
    path("token", login.OwnToken.as_view(), name="token"),
    path("next", tickets.Next.as_view(), name="next"),
    path("tickets", tickets.TicketList.as_view(), name="tickets"),
    path("tickets.csv", tickets.TicketFile.as_view(), name="tickets-csv"),
    path("tickets/<desk_id:ticket_id>", tickets.TicketDetail.as_view(), name="ticket"),
    path("tickets/<desk_id:ticket_id>/claim", tickets.Claim.as_view(), name="claim"),
    path("tickets/<desk_id:ticket_id>/complete", tickets.Complete.as_view(), name="complete"),
    path("tickets/<desk_id:ticket_id>/cancel", tickets.Cancel.as_view(), name="cancel"),
    path("tickets/<desk_id:ticket_id>/release", tickets.Release.as_view(), name="release"),
    path("tickets/<desk_id:ticket_id>/recall", tickets.Recall.as_view(), name="recall"),
    path("tickets/<desk_id:ticket_id>/no-show", tickets.NoShow.as_view(), name="no-show"),
    path("tickets/<desk_id:ticket_id>/transfer", tickets.Transfer.as_view(), name="transfer"),
    path("tables", tables.TableList.as_view(), name="tables"),
    path("tables/<table_number:number>", tables.TableDetail.as_view(), name="table"),
    path("tables/<table_number:number>/pause", tables.Pause.as_view(), name="pause"),
    path("tables/<table_number:number>/resume", tables.Resume.as_view(), name="resume"),
    path("tables/<table_number:number>/free", tables.Free.as_view(), name="free"),
    path("staff", people.StaffList.as_view(), name="staff-list"),
    path("staff/<desk_id:staff_id>", people.StaffDetail.as_view(), name="staff"),
    path("staff/<desk_id:staff_id>/tokens", people.StaffTokens.as_view(), name="staff-tokens"),
    path("visitors", people.VisitorList.as_view(), name="visitors"),
    path("visitors/<desk_id:visitor_id>", people.VisitorDetail.as_view(), name="visitor"),
    path("devices", devices.DeviceList.as_view(), name="devices"),
    path("devices/<desk_id:device_id>", devices.DeviceDetail.as_view(), name="device"),
    path("devices/<desk_id:device_id>/token", devices.DeviceToken.as_view(), name="device-token"),
    path("stats", stats.Stats.as_view(), name="stats"),
]
