"""The demo's news: everybody has them, and has them once."""

import pytest

from notifications.demo import fill
from notifications.models import Notification, Sent, Template
from tests.notifications.clients import somebody

pytestmark = pytest.mark.django_db


def test_the_demo_may_be_made_again() -> None:
    ann, ben = somebody("ann"), somebody("ben")
    assert fill() == fill()
    assert Template.objects.get().name == "welcome"
    assert Sent.objects.count() == 3
    for account in (ann, ben):
        assert Notification.objects.filter(user_id=str(account.pk)).count() == 3
    assert Sent.objects.get(type="welcome").title == "Welcome to the front desk"
