"""The API's routes, under ``/api/ticketing/``. No path ends in a slash."""

from django.urls import URLPattern

app_name = "ticketing-api"
urlpatterns: list[URLPattern] = []
