"""The pages of the ticket desk, under ``/ticketing/``. Three of them share their address with a socket."""

from django.contrib.auth.views import LogoutView
from django.urls import path, reverse_lazy

from ticketing import views

app_name = "ticketing"
urlpatterns = [
    path("", views.start, name="start"),
    path("kiosk/", views.kiosk, name="kiosk"),
    path("display/", views.display, name="display"),
    path("staff/", views.StaffPage.as_view(), name="staff"),
    path(
        "staff/sign-out/",
        LogoutView.as_view(http_method_names=["post", "options"], next_page=reverse_lazy("ticketing:staff")),
        name="sign-out",
    ),
]
