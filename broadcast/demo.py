"""Demo data: two channels that differ in what their policies allow. For ``manage.py demo``."""

from typing import Any

from broadcast.models import Access, ChannelPolicy
from broadcast.services.policies import save_policy

_POLICIES: dict[str, dict[str, Any]] = {
    # Anyone may try it out, and whoever comes later can read what was said.
    "lobby": {"emit": Access.OPEN, "listen": Access.OPEN, "history_size": 100, "history_age_s": 86_400},
    # For programs with a key, such as the one the demo prints.
    "news": {"emit": Access.KEY, "listen": Access.KEY, "history_size": 1000, "history_age_s": 604_800},
}


def fill() -> dict[str, Any]:
    """Put the policies of the demo channels in force, whatever they were before. Nothing to print."""
    for channel, fields in _POLICIES.items():
        policy = ChannelPolicy.objects.filter(channel=channel).first() or ChannelPolicy(channel=channel)
        for name, value in fields.items():
            setattr(policy, name, value)
        save_policy(policy=policy)
    return {}
