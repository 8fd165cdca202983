"""The pages of the ticket desk, under ``/ticketing/``."""

from django.urls import URLPattern

app_name = "ticketing"
urlpatterns: list[URLPattern] = []
