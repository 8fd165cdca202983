"""Presence over any number of processes, kept in Redis.

Each process renews a lease. The members of a process whose lease ran out are removed by whichever
process notices first, and `on_lost` tells the service to say so: at most `LEASE_S` + `RENEW_S` after
the process died. A process that finds its own lease gone (it was suspended, or Redis lost its memory)
enters all its members again. While Redis is away each process knows its own members only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from realtime.logs import get_logger
from realtime.presence import IdTakenError, Joined, Member, MemoryPresence
from realtime.tasks import end

log = get_logger(__name__)

# A member of a killed process is gone LEASE_S + RENEW_S later at most: within the 10 s we promise,
# and three lost renewals do not yet make a healthy process look dead.
LEASE_S = 6.0
RENEW_S = 1.5

# When thousands connect at once, each join would open a connection to Redis of its own; they queue
# for these instead.
MAX_REDIS_CONNECTIONS = 32
QUEUE_TIMEOUT_S = 20.0
REPLY_TIMEOUT_S = 3.0

PREFIX = "foyer:presence:"

# A room is a hash of member ID to JSON {"p": process, "i": info}; `rooms` is the set of rooms that
# have one. Scripts run atomically in Redis, which is what makes a join's answer exact.
#
# The client sends a command again when the connection broke before the answer came, so a join may find
# its own record there: that is no other member.
_JOIN = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0
and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return false end
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('SADD', KEYS[3], ARGV[3])
local count = redis.call('HLEN', KEYS[1])
if count > tonumber(ARGV[4]) then return {count, {}} end
return {count, redis.call('HGETALL', KEYS[1])}
"""
_LEAVE = """
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
local count = redis.call('HLEN', KEYS[1])
if count == 0 then
    redis.call('SREM', KEYS[2], ARGV[2])
    redis.call('SREM', KEYS[3], ARGV[2])
end
return {count, removed}
"""
# As above, but only while the member's process has no lease: it may have come back in the meantime.
_REAP = "if redis.call('EXISTS', KEYS[4]) == 1 then return {0, 0} end" + _LEAVE
_FORGET_PROCESS = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2])
return redis.call('SREM', KEYS[3], ARGV[1])
"""
# Only a member that is still there is updated: a late update must not bring back one that left.
_UPDATE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
"""


class _Record(msgspec.Struct):
    p: str
    i: dict[str, Any]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Record).decode


class RedisPresence:
    """Presence over any number of processes, kept in Redis."""

    def __init__(self, redis_url: str, process_id: str) -> None:
        self._process_id = process_id
        self._local = MemoryPresence(process_id)
        pool = aioredis.BlockingConnectionPool.from_url(
            redis_url,
            max_connections=MAX_REDIS_CONNECTIONS,
            timeout=QUEUE_TIMEOUT_S,
            socket_timeout=REPLY_TIMEOUT_S,
            socket_connect_timeout=REPLY_TIMEOUT_S,
            # Once more at once, for a connection that Redis closed while it was idle. Waiting longer
            # would make everyone who comes or goes wait while Redis is away.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis: Any = aioredis.Redis.from_pool(pool)
        self._join = self._redis.register_script(_JOIN)
        self._leave = self._redis.register_script(_LEAVE)
        self._update = self._redis.register_script(_UPDATE)
        self._reap_member = self._redis.register_script(_REAP)
        self._forget_process = self._redis.register_script(_FORGET_PROCESS)
        self._lost: list[Callable[[str, Member], None]] = []
        self._returned: list[Callable[[], None]] = []
        # Redis may lack what it should have of ours: it was away when it was told.
        self._stale = False
        self._task: asyncio.Task[None] | None = None

    # -- names in Redis ----------------------------------------------------------------------

    _rooms_key = PREFIX + "rooms"
    _processes_key = PREFIX + "processes"

    @staticmethod
    def _room_key(room: str) -> str:
        return f"{PREFIX}room:{room}"

    @staticmethod
    def _lease_key(process_id: str) -> str:
        return f"{PREFIX}lease:{process_id}"

    @staticmethod
    def _held_key(process_id: str) -> str:
        """The rooms in which a process has, or had, members."""
        return f"{PREFIX}held:{process_id}"

    # -- the interface -------------------------------------------------------------------------

    def on_lost(self, callback: Callable[[str, Member], None]) -> None:
        self._lost.append(callback)

    def on_returned(self, callback: Callable[[], None]) -> None:
        self._returned.append(callback)

    async def join(self, room: str, member_id: str, info: dict[str, Any], *, limit: int) -> Joined:
        # Here first: what Redis holds and we do not know of is taken for forgotten and removed.
        joined = await self._local.join(room, member_id, info, limit=limit)
        record = _encode({"p": self._process_id, "i": info})
        try:
            answer = await self._join(keys=self._keys(room), args=[member_id, record, room, limit])
        except RedisError as error:
            self._missed(error)
            return joined
        except asyncio.CancelledError:
            # Redis may have entered the member or may still do so: the next renewal tidies up.
            await self._local.leave(room, member_id)
            self._stale = True
            raise
        if answer is None:
            await self._local.leave(room, member_id)
            raise IdTakenError(member_id)
        count, flat = answer
        return Joined([member for member in self._read(flat) if member.id != member_id], count)

    async def update(self, room: str, member_id: str, info: dict[str, Any]) -> None:
        await self._local.update(room, member_id, info)
        record = _encode({"p": self._process_id, "i": info})
        try:
            await self._update(keys=[self._room_key(room)], args=[member_id, record])
        except RedisError as error:
            self._missed(error)

    async def leave(self, room: str, member_id: str) -> int:
        left = await self._local.leave(room, member_id)
        try:
            count, _ = await self._leave(keys=self._keys(room), args=[member_id, room])
        except RedisError as error:
            self._missed(error)
            return left
        return int(count)

    async def members(self, room: str) -> list[Member]:
        try:
            return await self._stored_members(room)
        except RedisError as error:
            self._missed(error)
            return await self._local.members(room)

    async def count(self, room: str) -> int:
        try:
            return int(await self._redis.hlen(self._room_key(room)))
        except RedisError as error:
            self._missed(error)
            return await self._local.count(room)

    async def rooms(self, prefix: str) -> dict[str, int]:
        try:
            names = [name.decode() for name in await self._redis.smembers(self._rooms_key)]
            names = sorted(name for name in names if name.startswith(prefix))
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hlen(self._room_key(name))
                counts = await pipe.execute()
        except RedisError as error:
            self._missed(error)
            return await self._local.rooms(prefix)
        return {name: count for name, count in zip(names, counts, strict=True) if count}

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="presence lease")

    async def stop(self) -> None:
        """Give the lease back. Members still entered are removed by the other processes."""
        if self._task is not None:
            await end([self._task])
        try:
            await self._redis.delete(self._lease_key(self._process_id))
        except RedisError as error:
            log.info("presence.lease_not_returned", error=repr(error))
        await self._redis.aclose()

    # -- inside --------------------------------------------------------------------------------

    def _keys(self, room: str, process_id: str = "") -> list[str]:
        """What joining and leaving touch: the room, the set of rooms, and the process's set of them."""
        return [self._room_key(room), self._rooms_key, self._held_key(process_id or self._process_id)]

    async def _stored_members(self, room: str) -> list[Member]:
        found = await self._redis.hgetall(self._room_key(room))
        return [_member(key, value) for key, value in found.items()]

    @staticmethod
    def _read(flat: list[bytes]) -> list[Member]:
        return [_member(key, value) for key, value in zip(flat[::2], flat[1::2], strict=True)]

    def _missed(self, error: RedisError) -> None:
        if not self._stale:
            self._stale = True
            log.warning("presence.redis_away", error=repr(error))

    async def _watch(self) -> None:
        while True:
            try:
                await self._renew()
                await self._reap()
            except RedisError as error:
                self._missed(error)
            except Exception:
                log.exception("presence.watch_failed")
            await asyncio.sleep(RENEW_S)

    async def _renew(self) -> None:
        """Renew the lease; enter every member again if Redis has forgotten us or missed something."""
        key = self._lease_key(self._process_id)
        lease_ms = int(LEASE_S * 1000)
        renewed = await self._redis.set(key, 1, px=lease_ms, xx=True)
        if renewed and not self._stale:
            return
        stale, self._stale = self._stale, False
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 1, px=lease_ms)
            pipe.sadd(self._processes_key, self._process_id)
            for room in await self._local.rooms(""):
                pipe.sadd(self._rooms_key, room)
                pipe.sadd(self._held_key(self._process_id), room)
                for member in await self._local.members(room):
                    pipe.hset(
                        self._room_key(room), member.id, _encode({"p": self._process_id, "i": member.info})
                    )
            await pipe.execute()
        await self._remove_unknown()
        if stale:
            log.info("presence.entered_again")
        for callback in self._returned:
            callback()

    async def _remove_unknown(self) -> None:
        """Remove members entered under our name that left while Redis was away."""
        for room in await self._held_rooms(self._process_id):
            stored = await self._stored_members(room)
            # Asked after Redis: whoever joined in between is known by now.
            known = {member.id for member in await self._local.members(room)}
            for member in stored:
                if member.process_id == self._process_id and member.id not in known:
                    _, removed = await self._leave(keys=self._keys(room), args=[member.id, room])
                    self._tell_lost(room, member, removed)

    async def _reap(self) -> None:
        """Remove the members of processes whose lease ran out."""
        for raw in await self._redis.smembers(self._processes_key):
            process_id = raw.decode()
            lease = self._lease_key(process_id)
            if process_id == self._process_id or await self._redis.exists(lease):
                continue
            for room in await self._held_rooms(process_id):
                for member in await self._stored_members(room):
                    if member.process_id == process_id:
                        keys = [*self._keys(room, process_id), lease]
                        _, removed = await self._reap_member(keys=keys, args=[member.id, room])
                        self._tell_lost(room, member, removed)
            # Last: a reaper that is killed half-way leaves the rest to the next one.
            keys = [lease, self._held_key(process_id), self._processes_key]
            if await self._forget_process(keys=keys, args=[process_id]):
                log.warning("presence.process_lost", process=process_id)

    async def _held_rooms(self, process_id: str) -> list[str]:
        return [raw.decode() for raw in await self._redis.smembers(self._held_key(process_id))]

    def _tell_lost(self, room: str, member: Member, removed: int) -> None:
        # Two processes may reap at once; only the one that removed the member announces it.
        if removed:
            for callback in self._lost:
                callback(room, member)


def _member(key: bytes, value: bytes) -> Member:
    record = _decode(value)
    return Member(key.decode(), record.p, record.i)
