"""The demo's people: they can log in, and are in a channel."""

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from gateway.demo import fill
from gateway.models import Account, Channel, Message

pytestmark = pytest.mark.django_db


def test_the_demo_may_be_made_again() -> None:
    first, second = fill(), fill()
    assert first["gateway_channel"] == second["gateway_channel"]
    assert [user["id"] for user in first["users"]] == [user["id"] for user in second["users"]]
    assert Account.objects.count() == 3
    channel = Channel.objects.get(pk=second["gateway_channel"])
    assert {str(member.account_id) for member in channel.members.all()} == {u["id"] for u in second["users"]}
    assert Message.objects.count() == 1
    for user in second["users"]:
        login = {"username": user["username"], "password": user["password"]}
        assert authenticate(RequestFactory().get("/"), **login) is not None
