"""Keys are exchanged while a merchant's server calls, and when it called last is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.parties.merchants import KeptApp
from core.people.actors import Actor
from core.runtime import Runtime
from tests.payapi.client import Caller
from tests.sizes import size

ADMIN = 1002
HANDS = 6
PRODUCTS = "/v1/products"


async def admin(runtime: Runtime) -> Actor:
    return await runtime.people.access.actor(ADMIN, "admin", ADMIN, private=True)


async def test_no_call_fails_while_keys_are_exchanged(
    desk: tuple[Runtime, str], caller: Caller
) -> None:
    runtime, url = desk
    keys, actor = runtime.accounts.keys, await admin(runtime)
    merchant = await runtime.parties.merchants.by_no("M1001")
    first = await keys.open_test(actor, merchant, "till")
    old = Caller(caller.http, url, first.key_id, first.secret)
    callers, answered = [old], []

    async def call(calls: int) -> None:
        for n in range(calls):
            one = callers[n % len(callers)]
            answer = await one.call("GET", PRODUCTS)
            answered.append((one.secret, answer.status))

    for _ in range(2):
        async with asyncio.TaskGroup() as hands:
            for _ in range(HANDS):
                hands.create_task(call(size(12, 200)))
            newer = await keys.rotate_test(actor, first.app_id)
            callers.append(replace(old, secret=newer.secret))
    await call(len(callers))
    assert {secret for secret, _ in answered} == {one.secret for one in callers}
    assert {status for _, status in answered} == {200}
    await keys.end_old(actor, first.app_id)
    statuses = [(await one.call("GET", PRODUCTS)).status for one in callers]
    assert statuses == [401, 401, 200]


async def test_when_an_app_called_last_is_written_once_a_minute(
    desk: tuple[Runtime, str], caller: Caller
) -> None:
    runtime, _ = desk
    apps = runtime.parties.merchants.apps
    merchant = await runtime.parties.merchants.by_no("M1001")

    async def app() -> KeptApp:
        return next(one for one in await apps.all(merchant) if one.app.key_id == caller.key)

    assert (await app()).used_at is None
    version = (await runtime.supply.market.now()).version
    wrong = replace(caller, secret="whsec_AAAA")
    assert (await wrong.call("GET", PRODUCTS)).status == 401
    await runtime.system.store.settle()
    assert (await app()).used_at is None, "nothing was proven"
    assert (await caller.call("GET", PRODUCTS)).status == 200
    await runtime.system.store.settle()
    first = (await app()).used_at
    assert first is not None
    for _ in range(3):
        await caller.call("GET", PRODUCTS)
    await runtime.system.store.settle()
    assert (await app()).used_at == first
    assert (await runtime.supply.market.now()).version == version, "nobody reads the market for it"
