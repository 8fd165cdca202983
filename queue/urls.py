"""The page for people who wait, under ``/queue/``. It shares its address with the socket."""

from django.urls import path

from queue import views

app_name = "queue"
urlpatterns = [
    path("", views.line, name="line"),
]
