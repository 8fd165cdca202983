"""What is allowed on a channel: the policies in force in this process, and changing them.

Policies are asked for on the hottest path, so each process holds all of them in memory. A change is
announced over the bus and takes effect at once; a lost announcement, `MAX_AGE_S` later.
"""

from __future__ import annotations

import asyncio

from django.conf import settings
from django.db import transaction

from broadcast import selectors
from broadcast.models import Access, ChannelPolicy
from broadcast.rules import DEFAULT_POLICY_NAME, Policy
from realtime import runtime
from realtime.apikeys import Grant, get_grant
from realtime.db import in_db_thread
from realtime.errors import Refused

POLICIES_CHANGED = "broadcast.policies"

# How long a process may go on with policies it was not told have changed.
MAX_AGE_S = 10.0


class PolicyBook:
    """All policies, as this process knows them. One for each runtime."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._loop = rt.loop
        self._policies: dict[str, Policy] = {}
        self._loaded_s = float("-inf")
        self._loading: asyncio.Task[None] | None = None
        # Counts changes, so that a load which began before one is not taken for the state after it.
        self._changes = 0
        rt.on(POLICIES_CHANGED, self._on_changed)

    async def policy(self, channel: str) -> Policy:
        """The policy that holds for `channel`: its own, the one named ``*``, or the built-in one."""
        if self._loop.time() - self._loaded_s > MAX_AGE_S:
            await self.load()
        policy = self._policies.get(channel) or self._policies.get(DEFAULT_POLICY_NAME)
        if policy is None:
            policy = Policy(emit=Access.OPEN if settings.BROADCAST_OPEN else Access.KEY, listen=Access.OPEN)
        return policy

    async def load(self) -> None:
        """Read all policies; callers at the same time share one query."""
        if self._loading is None:
            self._loading = self._loop.create_task(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            while True:
                changes = self._changes
                policies = await in_db_thread(selectors.list_policies)
                if changes == self._changes:
                    break
            self._policies = policies
            self._loaded_s = self._loop.time()
        finally:
            self._loading = None

    @property
    def all(self) -> dict[str, Policy]:
        """Every policy as last loaded."""
        return self._policies

    def _on_changed(self, group: str, message: dict[str, object]) -> None:
        self._changes += 1
        self._loaded_s = float("-inf")


async def authorize(action: str, channel: str, key: str | None) -> Grant | None:
    """Check that whoever holds `key` may do `action` (``emit`` or ``listen``) on `channel`.

    Returns the key's grant where a key was needed.

    Raises:
        Refused: ``UNAUTHORIZED`` without a valid key, ``FORBIDDEN`` where a key does not help.
    """
    policy = await runtime.current().part(PolicyBook).policy(channel)
    access = policy.emit if action == "emit" else policy.listen
    if access == Access.OPEN:
        return None
    if access == Access.CLOSED:
        raise Refused("FORBIDDEN", f"The channel's policy lets no one {action}.")
    if key is None:
        raise Refused("UNAUTHORIZED", "This channel needs an API key: send Authorization: Bearer <key>.")
    grant = await get_grant(key)
    if grant is None:
        raise Refused("UNAUTHORIZED", "The API key is unknown, revoked or expired.")
    if not grant.allows(f"broadcast:{action}", channel):
        raise Refused(
            "FORBIDDEN", f"The API key's scopes do not include broadcast:{action} for this channel."
        )
    return grant


def save_policy(*, policy: ChannelPolicy) -> ChannelPolicy:
    """Validate and store a policy; every process follows it after the commit.

    Raises:
        django.core.exceptions.ValidationError: a field is wrong or the channel has a policy already.
    """
    policy.full_clean()
    policy.save()
    _announce()
    return policy


def delete_policy(*, policy: ChannelPolicy) -> None:
    """Delete a policy; the channel falls back to the default one after the commit."""
    policy.delete()
    _announce()


def _announce() -> None:
    transaction.on_commit(lambda: runtime.send_from_thread(runtime.EVERY_PROCESS, POLICIES_CHANGED, {}))
