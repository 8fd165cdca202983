"""Routes of the API under ``/api/notifications/``."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from notifications.api import views
from notifications.models import TEMPLATE_NAME_PATTERN


class TemplateNameConverter(StringConverter):
    """A template's name."""

    regex = TEMPLATE_NAME_PATTERN


register_converter(TemplateNameConverter, "template_name")

app_name = "notifications-api"
urlpatterns = [
    path("", views.Messages.as_view(), name="send"),
    path("sent", views.SentList.as_view(), name="sent"),
    path("sent/<int:sent_id>", views.SentDetail.as_view(), name="sent-detail"),
    path("dead-letters", views.DeadLetters.as_view(), name="dead-letters"),
    path("dead-letters/<int:letter_id>/retry", views.Retry.as_view(), name="retry"),
    path("dead-letters/<int:letter_id>/discard", views.Discard.as_view(), name="discard"),
    path("templates", views.Templates.as_view(), name="templates"),
    path("templates/<template_name:name>", views.TemplateDetail.as_view(), name="template"),
]
