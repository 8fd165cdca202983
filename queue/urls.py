"""The page for people who wait, under ``/queue/``. It shares its address with the socket."""

from queue import views

from django.urls import path

app_name = "queue"
urlpatterns = [
    path("", views.line, name="line"),
]
