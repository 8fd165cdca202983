"""Demo data of the broadcast channels."""

import pytest

from broadcast import demo
from broadcast.models import ChannelPolicy
from broadcast.services.policies import authorize
from realtime import runtime
from realtime.db import in_db_thread
from realtime.errors import Refused
from tests.broadcast.doors import make_key

pytestmark = pytest.mark.django_db(transaction=True)


def policies() -> dict[str, tuple[str, str]]:
    return {policy.channel: (policy.emit, policy.listen) for policy in ChannelPolicy.objects.all()}


def test_it_may_be_filled_again():
    assert demo.fill() == {}
    ChannelPolicy.objects.filter(channel="lobby").update(emit="closed")
    demo.fill()
    assert policies() == {"lobby": ("open", "open"), "news": ("key", "key")}


def test_what_others_made_stays():
    ChannelPolicy.objects.create(channel="mine", emit="closed")
    demo.fill()
    assert policies()["mine"] == ("closed", "open")


async def test_the_lobby_is_for_anyone_and_the_news_for_keys(settings):
    settings.BROADCAST_OPEN = False
    await in_db_thread(demo.fill)
    for action in ("emit", "listen"):
        assert await authorize(action, "lobby", None) is None
        with pytest.raises(Refused):
            await authorize(action, "news", None)
        assert await authorize(action, "news", await make_key("broadcast:emit", "broadcast:listen"))
    await runtime.current().stop()
