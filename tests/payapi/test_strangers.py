"""Who keeps failing to prove who it is: not looked at for a while, and nobody else pays for it."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from core.kernel.errors import Refusal
from payapi.strangers import FAILURES, FAILURES_OF_PROVEN, KEYS, PROVEN_FOR_S, Strangers
from tests.conftest import Servers
from tests.payapi.client import Answer, Caller
from tests.payapi.conftest import server_of
from tests.payapi.test_app import led

HERE, THERE = "203.0.113.7", "198.51.100.9"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def strangers(clock: Clock) -> Strangers:
    return Strangers(clock)


def passes(strangers: Strangers, address: str, key: str) -> bool:
    try:
        strangers.need_room(address, key)
    except Refusal as refusal:
        return refusal.code != "rate_limited"
    return True


def fail(strangers: Strangers, address: str, key: str, times: int = FAILURES.times) -> None:
    for _ in range(times):
        if passes(strangers, address, key):
            strangers.failed(address, key)


def test_a_key_that_keeps_failing_waits_there_and_there_alone(
    strangers: Strangers, clock: Clock
) -> None:
    fail(strangers, HERE, "a", FAILURES.times - 1)
    assert passes(strangers, HERE, "a")
    fail(strangers, HERE, "a", 1)
    assert not passes(strangers, HERE, "a")
    assert passes(strangers, THERE, "a")
    assert passes(strangers, HERE, "b"), "a shop's other app, or another shop behind one address"
    clock.now_s += FAILURES.window_s
    assert passes(strangers, HERE, "a")


def test_ever_new_keys_are_not_looked_up_for_ever(strangers: Strangers, clock: Clock) -> None:
    strangers.proved(HERE, "shop")
    for n in range(KEYS.times):
        fail(strangers, HERE, f"guess {n}", 1)
    assert not passes(strangers, HERE, "one more")
    assert passes(strangers, HERE, "shop")
    assert passes(strangers, HERE, "guess 3"), "it is one of the few already"
    assert passes(strangers, THERE, "one more")
    clock.now_s += KEYS.window_s
    assert passes(strangers, HERE, "one more")


def test_who_proved_itself_there_may_fail_more_often(strangers: Strangers, clock: Clock) -> None:
    strangers.proved(HERE, "shop")
    fail(strangers, HERE, "shop", FAILURES_OF_PROVEN.times - 1)
    assert passes(strangers, HERE, "shop")
    fail(strangers, HERE, "shop", 1)
    assert not passes(strangers, HERE, "shop")
    clock.now_s += PROVEN_FOR_S
    fail(strangers, HERE, "shop")
    assert not passes(strangers, HERE, "shop")


def test_a_network_of_ipv6_is_one_place(strangers: Strangers) -> None:
    for n in range(FAILURES.times):
        fail(strangers, f"2001:db8:1:2::{n:x}", "a", 1)
    assert not passes(strangers, "2001:db8:1:2:ffff::1", "a")
    assert passes(strangers, "2001:db8:1:3::1", "a")


def test_whatever_strangers_do_a_shop_that_proved_itself_goes_on(
    strangers: Strangers, clock: Clock
) -> None:
    """Drawn at random; and what is looked up for strangers stays within its limits."""
    draw = random.Random(10)
    looked_up: list[float] = []
    for _ in range(20_000):
        clock.now_s += draw.random() / 50
        if draw.random() < 0.02:
            strangers.proved(HERE, "shop")
            assert passes(strangers, HERE, "shop")
        key = draw.choice(("bad", f"guess {draw.randrange(10**6)}"))
        if passes(strangers, HERE, key):
            looked_up.append(clock.now_s)
            strangers.failed(HERE, key)
    for start in looked_up:
        within = [at for at in looked_up if start <= at < start + 60]
        # The first failures of the keys of a window, and the others of each.
        assert len(within) <= KEYS.times + 2 * FAILURES.times


def test_what_is_kept_is_bounded(clock: Clock) -> None:
    strangers = Strangers(clock, max_known=50)
    for n in range(500):
        strangers.proved(f"203.0.113.{n % 250}", f"shop {n}")
        fail(strangers, f"198.51.100.{n % 250}", f"key {n}", 1)
    assert passes(strangers, "203.0.113.249", "shop 499")


async def test_a_flood_of_wrong_signatures_asks_nothing_of_the_database(
    servers: Servers, database: str, supplier: dict[str, str], http: ClientSession
) -> None:
    async with led(servers, database, supplier) as (line, desk):
        shop = await server_of("M1001", desk, http)
        other = await server_of("M1002", desk, http)
        stranger = replace(shop, secret=other.secret)

        async def wrong(caller: Caller) -> Answer:
            headers = caller.headers("GET", "/v1/balance", "", datetime.now(UTC))
            return await caller.send("GET", "/v1/balance", b"", headers)

        answers = [await wrong(stranger) for _ in range(FAILURES.times + 5)]
        codes = [answer.code for answer in answers]
        assert codes == ["signature_invalid"] * FAILURES.times + ["rate_limited"] * 5
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        # Another merchant behind the same address is served.
        assert (await other.call("GET", "/v1/balance")).status == 200
        await line.cut()
        began = time.monotonic()
        refused = await asyncio.gather(*(wrong(stranger) for _ in range(100)))
        assert {answer.status for answer in refused} == {429}
        assert (await other.call("GET", "/v1/balance")).status == 503
        assert time.monotonic() - began < 5
        await line.start()


async def test_keys_that_nobody_has_are_not_looked_up_for_ever(caller: Caller) -> None:
    assert (await caller.call("GET", "/v1/balance")).status == 200
    guesses = [replace(caller, key=f"pdk_live_{n}") for n in range(KEYS.times + 3)]
    codes = [(await guess.call("GET", "/v1/balance")).code for guess in guesses]
    assert codes == ["key_unknown"] * KEYS.times + ["rate_limited"] * 3
    assert (await caller.call("GET", "/v1/balance")).status == 200
