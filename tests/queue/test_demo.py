"""The demo's policy: that of a new installation, whatever it was before."""

import pytest

from queue.demo import fill
from queue.models import Policy
from queue.selectors.line import view_line
from queue.services.policy import save_policy

pytestmark = pytest.mark.django_db


def test_the_demo_opens_the_line_again() -> None:
    save_policy(changes={"capacity": 0, "paused": True, "message": "Closed."}, actor="test")
    assert fill() == {}
    assert fill() == {}
    policy = Policy.objects.get()
    policy.full_clean()
    assert (policy.capacity, policy.paused, policy.message) == (1_000, False, "")
    assert view_line().may_go
