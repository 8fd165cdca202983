"""An issuer's keys: how long they are believed, and how seldom it is asked."""

import asyncio
from typing import Any

import pytest

from queue.issuer_keys import FIRST_FETCH_S, MAX_FRESH_S, MIN_FRESH_S, REFETCH_S, IssuerKeys
from realtime.clock import FakeClock
from realtime.outbound import Answer, NoAnswer
from realtime.wire import encode_json
from tests.queue.providers import ec_key, public_jwk, rsa_key

RSA = public_jwk("r1", rsa_key("r1"))
EC = public_jwk("e1", ec_key("e1"))


class FakeIssuer:
    """Gives `answer`, or raises it; waits while `gate` is closed."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.headers: dict[str, str] = {}
        self.answer: Any = {"keys": [RSA, EC]}

    async def fetch(self) -> Answer:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return Answer(200, self.headers, encode_json(self.answer))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(start_s=1.0)


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def keys(issuer: FakeIssuer, clock: FakeClock) -> IssuerKeys:
    return IssuerKeys("somebody", issuer.fetch, clock)


async def test_keys_of_both_kinds_are_found_and_asked_for_once(keys, issuer) -> None:
    assert (await keys.get("r1")).algorithm_name == "RS256"
    assert (await keys.get("e1")).algorithm_name == "ES256"
    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("headers", "fresh_s"),
    [
        ({}, MIN_FRESH_S),
        ({"cache-control": "no-store"}, MIN_FRESH_S),
        ({"cache-control": "max-age=1"}, MIN_FRESH_S),
        ({"cache-control": "public, max-age=19844, must-revalidate, no-transform"}, 19844),
        ({"cache-control": "public,Max-Age=1000", "age": "100"}, 900),
        ({"cache-control": "max-age=1000", "age": "a day"}, 1000),
        ({"cache-control": "s-maxage=5000"}, MIN_FRESH_S),
        ({"cache-control": "max-age=999999999"}, MAX_FRESH_S),
    ],
)
async def test_they_are_good_for_as_long_as_the_issuer_says_within_bounds(
    keys, issuer, clock, headers, fresh_s
) -> None:
    issuer.headers = headers
    await keys.get("r1")
    clock.advance(fresh_s - 1)
    await keys.get("r1")
    assert issuer.asked == 1
    clock.advance(1)
    await keys.get("r1")
    assert issuer.asked == 2


async def test_however_many_wait_there_is_one_fetch(keys, issuer) -> None:
    issuer.gate.clear()
    waiting = [asyncio.create_task(keys.get("r1")) for _ in range(500)]
    await asyncio.sleep(0)
    issuer.gate.set()
    assert None not in await asyncio.gather(*waiting)
    assert issuer.asked == 1


async def test_who_gives_up_waiting_does_not_end_it_for_the_others(keys, issuer) -> None:
    issuer.gate.clear()
    first, second = asyncio.create_task(keys.get("r1")), asyncio.create_task(keys.get("r1"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    issuer.gate.set()
    assert await second is not None
    assert issuer.asked == 1


async def test_a_flood_of_unknown_keys_asks_once_in_30_seconds(keys, issuer, clock) -> None:
    await keys.get("r1")
    clock.advance(REFETCH_S)
    for number in range(1000):
        assert await keys.get(f"made up {number}") is None
    assert issuer.asked == 2
    clock.advance(REFETCH_S)
    await asyncio.gather(*(keys.get(f"made up {number}") for number in range(1000)))
    assert issuer.asked == 3


async def test_a_new_key_is_found_and_a_withdrawn_one_is_not(keys, issuer, clock) -> None:
    await keys.get("r1")
    issuer.answer = {"keys": [public_jwk("r2", rsa_key("r2"))]}
    assert await keys.get("r1") is not None
    clock.advance(REFETCH_S)
    assert await keys.get("r2") is not None
    assert await keys.get("r1") is None


async def test_without_the_issuer_old_keys_stay_in_use(keys, issuer, clock) -> None:
    await keys.get("r1")
    issuer.answer = NoAnswer("it is down")
    clock.advance(MIN_FRESH_S)
    for _ in range(10):
        assert await keys.get("r1") is not None
    assert issuer.asked == 2
    with pytest.raises(NoAnswer, match="it is down"):
        await keys.get("r2")  # it may be new: nobody can say
    assert issuer.asked == 2
    clock.advance(REFETCH_S)
    issuer.answer = {"keys": [EC]}
    assert await keys.get("r1") is None


async def test_without_any_key_it_is_tried_once_a_second(keys, issuer, clock) -> None:
    issuer.answer = NoAnswer("it is down")
    for _ in range(10):
        with pytest.raises(NoAnswer, match="it is down"):
            await keys.get("r1")
    assert issuer.asked == 1
    clock.advance(FIRST_FETCH_S)
    issuer.answer = {"keys": [RSA]}
    assert await keys.get("r1") is not None


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        {},
        {"keys": {}},
        {"keys": [1, None, "r1", []]},
        {"keys": [{**RSA, "kid": 1}]},
        {"keys": [{**RSA, "use": "enc"}]},
        {"keys": [{**RSA, "alg": "RS512"}]},
        {"keys": [{**RSA, "n": 5}]},
        {"keys": [{**RSA, "n": "!"}]},
        {"keys": [{**RSA, "kty": ["RSA"]}]},
        {"keys": [{name: value for name, value in RSA.items() if name != "n"}]},
        {"keys": [{**EC, "x": EC["y"]}]},
        {"keys": [{**EC, "crv": "P-384"}]},
        {"keys": [{**EC, "crv": {}}]},
        {"keys": [{"kty": "oct", "kid": "r1", "k": "c2VjcmV0"}]},
        {"keys": [{"kty": "oct", "kid": "r1", "k": "c2VjcmV0", "alg": "RS256"}]},
    ],
)
async def test_what_is_no_public_key_for_signatures_is_left_out(keys, issuer, clock, answer) -> None:
    issuer.answer = answer
    with pytest.raises(NoAnswer, match="without a key that can be used"):
        await keys.get("r1")
    if isinstance(answer, dict) and isinstance(answer.get("keys"), list):
        issuer.answer = {"keys": [*answer["keys"], public_jwk("good", rsa_key("r1"))]}
        clock.advance(FIRST_FETCH_S)
        assert await keys.get("good") is not None
        assert await keys.get("r1") is None


async def test_closing_ends_a_fetch_under_way(keys, issuer) -> None:
    issuer.gate.clear()
    waiting = asyncio.create_task(keys.get("r1"))
    await asyncio.sleep(0)
    await keys.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
