"""Routes of the API under ``/api/v1/``."""

from django.urls import path, register_converter

from gateway.api import views
from gateway.rules import ID_PATTERN, id_of


class IdConverter:
    """An id in an address, as a number."""

    regex = ID_PATTERN

    def to_python(self, value: str) -> int:
        number = id_of(value)
        if number is None:
            raise ValueError(value)
        return number

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "gateway_id")

app_name = "gateway-api"
urlpatterns = [
    path("auth/register", views.Register.as_view(), name="register"),
    path("auth/login", views.Login.as_view(), name="login"),
    path("auth/logout", views.Logout.as_view(), name="logout"),
    path("users", views.Users.as_view(), name="users"),
    path("users/me", views.Me.as_view(), name="me"),
    path("users/<gateway_id:account_id>", views.User.as_view(), name="user"),
    path("channels", views.Channels.as_view(), name="channels"),
    path("channels/<gateway_id:channel_id>", views.ChannelDetail.as_view(), name="channel"),
    path("channels/<gateway_id:channel_id>/members/me", views.Membership.as_view(), name="membership"),
    path("channels/<gateway_id:channel_id>/posts", views.Posts.as_view(), name="posts"),
]
