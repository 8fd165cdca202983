"""The admin of the broadcast channels: policies, the kept events, and what goes on right now."""

from broadcast.admin.kept import ChannelPolicyAdmin, EventAdmin
from broadcast.admin.live import LiveChannelAdmin

__all__ = ["ChannelPolicyAdmin", "EventAdmin", "LiveChannelAdmin"]
