"""What the calls of merchants' servers and payers ask of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import pytest

from bench.wire import Wire
from core.runtime import Runtime
from tests.conftest import Servers
from tests.payapi.client import Caller
from tests.payapi.conftest import serving
from tests.roundtrips import ROUNDS, counting, least

AT_ONCE: Final = 8


@pytest.fixture
async def wire(servers: Servers, database: str) -> AsyncIterator[Wire]:
    async with counting(servers, database) as wire:
        yield wire


@pytest.fixture
async def desk(
    wire: Wire, servers: Servers, supplier: dict[str, str]
) -> AsyncIterator[tuple[Runtime, str]]:
    async with serving(wire.dsn, servers.valkey_url, supplier) as found:
        yield found


async def test_an_order_is_asked_after_in_one_round_trip(wire: Wire, caller: Caller) -> None:
    made = (await caller.create()).json

    async def by_our_number() -> None:
        shown = await caller.call("GET", f"/v1/orders/{made['order_no']}")
        assert (shown.status, shown.json) == (200, made)

    async def by_theirs() -> None:
        found = await caller.call(
            "GET", f"/v1/orders?merchant_order_no={made['merchant_order_no']}"
        )
        assert found.json["data"] == [made]

    assert await least(wire, [by_our_number] * ROUNDS) == 1
    assert await least(wire, [by_theirs] * ROUNDS) == 2


async def test_orders_that_are_asked_after_at_once_share_their_question(
    wire: Wire, caller: Caller
) -> None:
    orders = [(await caller.create()).json for _ in range(AT_ONCE)]

    async def ask() -> None:
        shown = await asyncio.gather(
            *(caller.call("GET", f"/v1/orders/{order['order_no']}") for order in orders)
        )
        assert [(one.status, one.json) for one in shown] == [(200, order) for order in orders]

    assert await least(wire, [ask] * ROUNDS) <= AT_ONCE // 2


async def test_whose_order_it_is_not_is_said_without_a_question(
    wire: Wire, caller: Caller, stranger: Caller
) -> None:
    made = (await caller.create()).json

    async def ask() -> None:
        answer = await stranger.call("GET", f"/v1/orders/{made['order_no']}")
        assert (answer.status, answer.code) == (404, "order_not_found")

    # When a key was used is written meanwhile, at its first use with several questions.
    assert await least(wire, [ask] * (10 * ROUNDS)) == 0


async def test_a_payer_who_waits_asks_for_little(
    wire: Wire, caller: Caller, http: aiohttp.ClientSession
) -> None:
    made = (await caller.create()).json
    page = made["cashier_url"]

    async def look() -> None:
        async with http.get(f"{page}/status") as response:
            assert await response.json() == {"state": "pending", "told": "none"}

    async def open_page() -> None:
        async with http.get(page) as response:
            assert response.status == 200

    assert await least(wire, [look] * ROUNDS) == 1
    assert await least(wire, [open_page] * ROUNDS) == 1
