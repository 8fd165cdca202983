"""The chat page, under ``/gateway/``. It shares its address with the socket."""

from django.urls import path

from gateway import views

app_name = "gateway"
urlpatterns = [
    path("", views.chat, name="chat"),
]
