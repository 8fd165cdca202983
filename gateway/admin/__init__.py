"""The admin of the gateway: accounts and their tokens, channels and members, messages, live connections."""

from gateway.admin.accounts import AccountAdmin
from gateway.admin.channels import ChannelAdmin
from gateway.admin.connections import LiveConnectionAdmin
from gateway.admin.messages import MessageAdmin

__all__ = ["AccountAdmin", "ChannelAdmin", "LiveConnectionAdmin", "MessageAdmin"]
