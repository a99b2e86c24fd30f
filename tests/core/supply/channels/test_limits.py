"""The day's limits: never passed by many at once, never lost with Redis, given back at an end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.runtime import Runtime
from core.supply.channels import SCRIPT, Channel, Reason, Used, Wish, why_full
from core.supply.channels.limits import Limits
from core.trade.orders import ByHand, Opened
from tests.conftest import Servers
from tests.core.support import Desk, completing, nothing, pay_link, refused
from tests.sizes import size

FULL = "C03: is off; C01: has its 50 orders of the day"


async def limit(runtime: Runtime, channel_no: str = "C01", **limits: Any) -> Channel:
    return await runtime.supply.channels.change(channel_no, lambda t: replace(t, **limits), SCRIPT)


async def used(runtime: Runtime, channel_no: str = "C01") -> Used:
    channel = await runtime.supply.channels.by_no(channel_no)
    return (await runtime.supply.routing.used([channel]))[channel_no]


async def counted(desk: Desk) -> Used:
    """As the database has it, with Redis emptied."""
    await desk.runtime.system.redis.flushdb()
    return await used(desk.runtime)


async def alone(desk: Desk) -> None:
    """C01 is the only channel that is on."""
    await desk.runtime.supply.channels.turn("C03", "off", SCRIPT)


async def many(desk: Desk, number: int, amount_minor: int = 10_000) -> Counter[str]:
    """So many orders at once, each of another number: how each ended."""

    async def one() -> str:
        try:
            return (await desk.open(amount_minor)).order.state
        except Refusal as refusal:
            return str(refusal.facts.get("reasons", refusal.code))

    return Counter(await asyncio.gather(*(one() for _ in range(number))))


async def test_two_hundred_at_once_are_fifty_and_none_is_lost_with_redis(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await alone(desk)
    await limit(desk.runtime, day_limit_count=50)
    ended: Counter[str] = Counter()

    async def flush() -> None:
        for _ in range(30):
            await desk.runtime.system.redis.flushdb()
            await asyncio.sleep(0.01)

    flushing = asyncio.create_task(flush())
    for _ in range(4):
        ended += await many(desk, 50)
        await desk.runtime.system.redis.flushdb()
    await flushing
    assert ended == {"pending": 50, FULL: 150}
    assert await used(desk.runtime) == await counted(desk) == Used(50, 500_000)
    await desk.sound()


async def test_without_redis_the_database_is_counted(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await alone(desk)
    runtime = desk.runtime
    channel = await limit(runtime, day_limit_count=12)
    for _ in range(2):
        await desk.open()
    away = Redis.from_url("redis://127.0.0.1:9", socket_connect_timeout=1)
    limits = Limits(runtime.system.store, away)

    async def one(number: int) -> tuple[Reason, ...]:
        return await limits.take([channel], 10_000, f"A{number}")

    said = await asyncio.gather(*(one(n) for n in range(30)))
    assert [len(reasons) for reasons in said].count(0) == 10
    assert await limits.used([channel]) == {"C01": Used(12, 120_000)}
    await limits.give_back("A0")
    assert await limits.used([channel]) != {"C01": Used(12, 120_000)}
    await away.aclose()


async def test_what_was_counted_while_redis_was_away_is_not_forgotten(desk: Desk) -> None:
    """It is back, with what it knew before."""
    desk.clock.go_to_noon()
    await limit(desk.runtime, day_limit_count=50)
    await desk.open()
    redis, name = desk.runtime.system.redis, await only_key(desk)
    before: Any = await redis.hgetall(name)
    await redis.rename(name, "elsewhere")
    await redis.set(name, "no hash: every script fails")
    await desk.open()
    await redis.delete(name)
    await redis.hset(name, mapping=before)
    assert await used(desk.runtime) == Used(2, 20_000)
    await redis.delete("elsewhere")


async def only_key(desk: Desk) -> str:
    (name,) = [key async for key in desk.runtime.system.redis.scan_iter("paydesk:{channels}:*")]
    return str(name.decode())


async def test_an_amount_of_the_day_goes_to_the_next_channel_when_it_is_full(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await limit(desk.runtime, day_limit_minor=25_000)
    channels = []
    for amount_minor in (10_000, 10_000, 10_000, 5_000, 1_000):
        opened = await desk.open(amount_minor)
        assert opened.attempt is not None
        channels.append((opened.attempt.channel_no, opened.attempt.reasons))
    full = Reason("C01", "day_amount", {"used": "200.00", "limit": "250.00"})
    assert str(full) == "C01: has 200.00 of the day's 250.00"
    assert channels[2] == ("C03", (full,))
    assert [number for number, _ in channels] == ["C01", "C01", "C03", "C01", "C03"]
    assert await used(desk.runtime) == await counted(desk) == Used(3, 25_000)


async def test_room_is_given_back_at_every_end_and_money_keeps_it(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await limit(desk.runtime, day_limit_count=50)
    following, merchant_id = desk.runtime.trade.follow_up, desk.merchant.id

    async def stands(count: int) -> None:
        assert await used(desk.runtime) == Used(count, count * 10_000)
        assert await counted(desk) == Used(count, count * 10_000)

    await desk.supplier.fault("create", "refuse")
    await desk.open()
    await stands(0)
    ended = await desk.open()
    await stands(1)
    await following.end(merchant_id, ended.order.id, "close", actor="api:k", request_id="c")
    await stands(0)
    await desk.see(ended, 10_000)  # late money is still money
    await stands(1)
    paid = await desk.open()
    await desk.pay(paid)
    failed = await desk.open()
    await stands(3)
    await desk.pay(failed, "fail")
    await stands(2)
    short = await desk.open(expires_in_s=60)
    await desk.supplier.pay(pay_link(short), "less")
    desk.clock.advance(61)
    await following.expire_due(10)
    assert (await desk.order(short)).state == "expired"
    await stands(3)  # it took money
    await unknown(desk)
    await stands(4)
    by_hand = await desk.open(expires_in_s=60)
    desk.clock.advance(61)
    await following.expire_due(10)
    await stands(4)
    await completing(desk.runtime).complete(
        merchant_id, by_hand.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip
    await stands(5)
    await desk.sound()


async def unknown(desk: Desk) -> Opened:
    await desk.supplier.fault("create", "500")
    return await desk.open()


async def test_what_is_refused_takes_nothing(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await limit(desk.runtime, day_limit_count=50)
    first = await desk.open()
    dear = Tariff.flat(Rate(0, 201))
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", dear, actor="test"
    )
    for changes, code in (
        ({"amount": Money(500, "JPY")}, "currency_not_sold"),
        ({"merchant_order_no": first.order.merchant_order_no, "subject": "x"}, "order_conflict"),
        ({"amount": Money(200, "CNY")}, "fee_exceeds_amount"),
    ):
        with pytest.raises(Refusal) as error:
            await desk.open(**changes)
        assert refused(error.value) == code
    assert await used(desk.runtime) == Used(1, 10_000)


async def test_twins_take_one_place(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await limit(desk.runtime, day_limit_count=50)
    await asyncio.gather(*(desk.open(merchant_order_no="TWIN", subject="x") for _ in range(10)))
    assert await used(desk.runtime) == await counted(desk) == Used(1, 10_000)


async def test_a_day_of_the_supplier_begins_with_nothing(desk: Desk) -> None:
    desk.clock.go_to_noon()
    channel = await limit(desk.runtime, day_limit_count=2)
    numbers = [await channel_of(desk) for _ in range(3)]
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    desk.clock.go_to(supplier.day_cut.start_of(channel.today + timedelta(days=1)))
    numbers.append(await channel_of(desk))
    assert numbers == ["C01", "C01", "C03", "C01"]
    assert await used(desk.runtime) == await counted(desk) == Used(1, 10_000)


async def channel_of(desk: Desk) -> str:
    opened = await desk.open()
    assert opened.attempt is not None
    return opened.attempt.channel_no


async def test_a_limit_that_is_set_in_the_day_counts_what_was_before(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await desk.open()
    await limit(desk.runtime, day_limit_count=3)
    await desk.open()
    await limit(desk.runtime, day_limit_count=None)
    await desk.open()  # nobody counts
    await limit(desk.runtime, day_limit_minor=31_000)
    assert await used(desk.runtime) == Used(3, 30_000)
    assert await channel_of(desk) == "C03"


async def test_redis_and_the_rule_in_words_agree(servers: Servers, runtime: Runtime) -> None:
    """Whatever is taken and given back, Redis lets through what `why_full` does."""
    base = await runtime.supply.channels.by_no("C01")

    @given(
        st.none() | st.integers(1, 6),
        st.none() | st.integers(1, 60),
        st.lists(st.tuples(st.integers(1, 25), st.booleans()), max_size=20),
    )
    @settings(max_examples=size(10, 200))
    def run(count: int | None, minor: int | None, orders: list[tuple[int, bool]]) -> None:
        loop.run_until_complete(life(count, minor, orders))

    async def life(count: int | None, minor: int | None, orders: list[tuple[int, bool]]) -> None:
        channel = replace(base, id=uuid4(), day_limit_count=count, day_limit_minor=minor)
        redis = Redis.from_url(servers.valkey_url)
        limits, there = Limits(Nothing(), redis), dict[str, int]()  # type: ignore[arg-type]
        for number, (amount, ends) in enumerate(orders):
            expected = why_full(channel, Used(len(there), sum(there.values())), amount)
            said = await limits.take([channel], amount, f"A{number}")
            assert said == (() if expected is None else (expected,))
            if expected is None and channel.limited:
                there[f"A{number}"] = amount
                if ends:
                    await limits.give_back(f"A{number}")
                    del there[f"A{number}"]
                else:
                    limits.keep(f"A{number}")
        await redis.aclose()

    loop = asyncio.new_event_loop()
    try:
        await asyncio.to_thread(run)
    finally:
        loop.close()


class Losing:
    """A Redis that loses its data right after it took something, once; `then` happens before the
    answer arrives."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.then: Callable[[], Awaitable[object]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def eval(self, script: str, number: int, *values: str) -> Any:
        said = await self._redis.eval(script, number, *values)
        then, self.then = self.then, None
        if then is not None:
            await self._redis.delete(values[0])
            await then()
        return said


async def test_a_hash_is_known_by_its_id_whatever_the_clock_of_redis_says(
    servers: Servers, runtime: Runtime
) -> None:
    base = await runtime.supply.channels.by_no("C01")
    channel = replace(base, id=uuid4(), day_limit_count=9)
    redis = Redis.from_url(servers.valkey_url)
    losing = Losing(redis)
    ours = Limits(cast(Any, Nothing()), cast(Any, losing))
    theirs = Limits(cast(Any, Nothing()), redis)

    async def take(limits: Limits, attempt_no: str) -> None:
        assert await limits.take([channel], 1, attempt_no) == ()
        limits.keep(attempt_no)

    async def there() -> int:
        return (await theirs.used([channel]))["C01"].count

    await take(ours, "A1")
    await take(theirs, "A2")
    assert await there() == 2
    for key in [key async for key in redis.scan_iter(f"*{channel.id}*")]:
        await redis.delete(key)
    await take(theirs, "A3")  # the other process makes it anew
    await take(ours, "A4")
    assert await there() == 2
    losing.then = lambda: ours.used([channel])  # lost, and made anew before the answer is here
    await take(ours, "A5")
    assert await there() == 1
    await redis.aclose()


class Nothing:
    """A database without attempts."""

    async def fetch(self, _: str, *__: object) -> list[dict[str, object]]:
        return []


async def test_explaining_takes_nothing_and_names_every_reason(desk: Desk) -> None:
    desk.clock.go_to_noon()
    runtime = desk.runtime
    wish = Wish(desk.merchant.id, "live", "alipay_qr", Money(10_000, "CNY"))
    await limit(runtime, day_limit_count=1)
    for _ in range(2):
        choice = await runtime.supply.routing.explain(wish)
        assert [c.channel_no for c in choice.ranked] == ["C01", "C03"]
        assert choice.reasons == ()
    await desk.open()
    await limit(runtime, "C03", weight=0)
    choice = await runtime.supply.routing.explain(replace(wish, merchant_id=None))
    assert choice.ranked == ()
    assert sorted(map(str, choice.reasons)) == [
        "C01: has its 1 orders of the day",
        "C03: has weight 0",
    ]
    with pytest.raises(Refusal) as error:
        await runtime.supply.routing.explain(replace(wish, product_code="gold"))
    assert refused(error.value) == "product_not_found"
    stranger = await runtime.supply.routing.explain(replace(wish, merchant_id=UUID(int=9)))
    assert stranger.reasons == choice.reasons
