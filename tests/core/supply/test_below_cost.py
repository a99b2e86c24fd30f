"""No way by which one person alone brings a rate below a cost: whatever writes rates, costs or who
sells what is tried, in any order."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from itertools import count
from typing import Any, Final, get_args
from uuid import UUID

import pytest

from core.accounts.pricing import Pricing
from core.kernel.errors import Refusal
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.people.receipts import Cause
from core.supply.catalogue import Catalogue, ProductMove, SetVerb
from core.supply.channels import SCRIPT, NewChannel
from tests.core.support import ADMIN, FINANCE, OPS_CHAT, OWNER, Desk, set_setting
from tests.sizes import size

PRODUCT: Final = "alipay_qr"
DAYS: Final = 4
AMOUNTS: Final = (1, 10, 100, 101, 999, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LOW: Final = Tariff.flat(Rate(100))
HIGH: Final = Tariff.flat(Rate(30_000))
DEAR: Final = "C90"
FIXED: Final = "C91"
_messages = count(5000)

# Every public verb, and whether a rate can come to lie below a cost by it. One that is new and not
# said here fails.
PRICING: Final = {"set_rate": True, "set_cost": True, "set_usdt_rate": False}
CATALOGUE: Final = {
    "ask": False, "confirm": True, "drop": False, "change": True, "turn": True,
    "add_product": False, "name_product": False, "set_channels": True, "turn_product": True,
}  # fmt: skip


def verbs(of: type[Any]) -> set[str]:
    return {name for name, one in vars(of).items() if callable(one) and not name.startswith("_")}


def test_every_verb_is_said_here() -> None:
    assert verbs(Pricing) == PRICING.keys()
    assert verbs(Catalogue) == CATALOGUE.keys()


class Changer:
    """One person who changes what is paid and who sells it."""

    def __init__(self, desk: Desk, draw: random.Random) -> None:
        self.desk = desk
        self.draw = draw
        self.said: list[str] = []

    async def losses(self) -> set[tuple[str, str, int]]:
        """(merchant, channel, days from now) of which some order of the product would cost more
        than it brings in, as an order's own look at the market says it."""
        runtime, found = self.desk.runtime, set()
        market, now = await runtime.supply.market.reload(), self.desk.clock.now()
        for merchant in await runtime.parties.merchants.everybody():
            today = await runtime.reports.bills.open_day(merchant.id)
            for days in range(DAYS):
                offer = market.offer(merchant.id, PRODUCT, today + timedelta(days=days))
                at = now + timedelta(days=days)
                if offer is None:
                    continue
                for one in market.channels(PRODUCT, merchant.id, at):
                    least, most = one.amount_min or 100, one.amount_max or 10**9
                    if any(
                        _fee(offer.tariff, minor) < one.cost.of(minor)
                        for minor in one.amount_list or (*AMOUNTS, least)
                        if one.amount_list or least <= minor <= most
                    ):
                        found.add((merchant.merchant_no, one.channel_no, days))
        return found

    async def step(self) -> None:
        """One verb, with whatever is drawn for it. What is refused changes nothing."""
        step = self.draw.choice([
            self.set_rate, self.set_cost, self.set_channels, self.set_channels, self.change,
            self.turn, self.turn_product, self.add_channel,
        ])  # fmt: skip
        try:
            await step()
        except Refusal as refusal:
            self.said[-1] += f" ({refusal.code})"

    async def set_rate(self) -> None:
        merchant, tariff = await self._merchant(), self._tariff()
        since = self._since(await self.desk.runtime.reports.bills.open_day(merchant.id))
        self._say("set_rate", merchant.merchant_no, tariff, since)
        await self.desk.runtime.accounts.pricing.set_rate(
            await self._actor(), merchant, PRODUCT, tariff, _cause(), valid_from=since
        )

    async def set_cost(self) -> None:
        channel_no, cost = await self._channel(), self._tariff()
        today = (await self.desk.runtime.supply.channels.costs(channel_no)).today
        since = self._since(today)
        self._say("set_cost", channel_no, cost, since)
        await self.desk.runtime.accounts.pricing.set_cost(
            await self._actor(), channel_no, cost, _cause(), valid_from=since
        )

    async def set_channels(self) -> None:
        verb = self.draw.choice(get_args(SetVerb))
        merchant = await self._merchant() if verb == "follow" or self.draw.random() < 0.5 else None
        channel_no = await self._channel()
        self._say("set_channels", verb, channel_no, merchant and merchant.merchant_no)
        await self.desk.runtime.supply.catalogue.set_channels(
            await self._actor(), PRODUCT, verb, channel_no, _cause(), merchant=merchant
        )

    async def change(self) -> None:
        channel = await self.desk.runtime.supply.channels.by_no(await self._channel())
        values: dict[str, Any] = self.draw.choice([
            {"amount_list": (), "amount_min": None, "amount_max": None},
            {"amount_list": (), "amount_min": 20_000, "amount_max": 1_000_000},
            {"amount_list": (100, 100_000), "amount_min": None, "amount_max": None},
            {"weight": 5},
        ])  # fmt: skip
        self._say("change", channel.channel_no, values)
        await self.desk.runtime.supply.catalogue.change(
            await self._actor(), channel, values, _cause()
        )

    async def turn(self) -> None:
        channel_no, move = await self._channel(), self.draw.choice(["on", "off", "archive"])
        self._say("turn", channel_no, move)
        await self.desk.runtime.supply.catalogue.turn(
            await self._actor(), channel_no, move, _cause()
        )

    async def turn_product(self) -> None:
        merchant = await self._merchant() if self.draw.random() < 0.7 else None
        move: ProductMove = self.draw.choice(["on", "off"])
        self._say("turn_product", merchant and merchant.merchant_no, move)
        await self.desk.runtime.supply.catalogue.turn_product(
            await self._actor(), PRODUCT, move, _cause(), merchant=merchant
        )

    async def add_channel(self) -> None:
        runtime, actor = self.desk.runtime, await self._actor()
        new = NewChannel(None, "x", PRODUCT, self._tariff(), (PRODUCT,), currency="CNY")
        self._say("add_channel", new.cost)
        supplier = await runtime.parties.suppliers.by_no("S01")
        await runtime.supply.catalogue.ask(actor, supplier, new, message_id=next(_messages))
        asked: UUID = await runtime.system.store.fetchval(
            "SELECT id FROM approval WHERE kind = 'channel' ORDER BY created_at DESC, id DESC"
        )
        await runtime.supply.catalogue.confirm(actor, asked, message_id=next(_messages))

    async def on(self) -> None:
        """All that is off or archived comes back: nobody is asked about that."""
        runtime, actor = self.desk.runtime, await self._actor()
        catalogue, channels = runtime.supply.catalogue, await runtime.supply.channels.all()
        moves = [
            *(
                catalogue.turn(actor, one.channel_no, move, _cause())
                for one in channels
                for move in ("restore", "on")
            ),
            catalogue.turn_product(actor, PRODUCT, "on", _cause()),
            *(
                catalogue.turn_product(actor, PRODUCT, "on", _cause(), merchant=merchant)
                for merchant in await runtime.parties.merchants.everybody()
            ),
        ]
        for move in moves:
            try:
                await move
            except Refusal:
                continue

    async def _actor(self) -> Any:
        return await self.desk.actor(ADMIN, OPS_CHAT)

    async def _merchant(self) -> Merchant:
        return self.draw.choice(await self.desk.runtime.parties.merchants.everybody())

    async def _channel(self) -> str:
        channels = await self.desk.runtime.supply.channels.all()
        return self.draw.choice([one.channel_no for one in channels])

    def _tariff(self) -> Tariff:
        fixed = self.draw.choice([0, 0, 30])
        return Tariff.flat(Rate(self.draw.choice([4_000, 6_500, 9_000, 12_000]), fixed))

    def _since(self, today: Any) -> Any:
        days = self.draw.choice([0, 0, 1, 2])
        return None if not days else today + timedelta(days=days)

    def _say(self, *words: object) -> None:
        self.said.append(" ".join(map(str, words)))


def _fee(tariff: Tariff, minor: int) -> int:
    if tariff.tiers_by == "amount":
        return tariff.of(minor)
    return min(tier.rate.of(minor) for tier in tariff.tiers)


@pytest.mark.parametrize("seed", range(size(6, 60)))
async def test_one_person_alone_brings_no_rate_below_a_cost(desk: Desk, seed: int) -> None:
    one = Changer(desk, random.Random(seed))
    await one.on()
    assert await one.losses() == set()
    for _ in range(size(16, 60)):
        await one.step()
        assert await one.losses() == set(), "\n".join(one.said)
    await one.on()
    assert await one.losses() == set(), "\n".join(one.said)


async def _set_rate(desk: Desk, cause: Cause) -> None:
    await desk.runtime.accounts.pricing.set_rate(
        await desk.actor(ADMIN, OPS_CHAT), desk.merchant, PRODUCT, LOW, cause
    )


async def _set_cost(desk: Desk, cause: Cause) -> None:
    await desk.runtime.accounts.pricing.set_cost(
        await desk.actor(ADMIN, OPS_CHAT), "C01", HIGH, cause
    )


async def _sell(desk: Desk, cause: Cause, verb: SetVerb = "add") -> None:
    await _catalogue(desk).set_channels(
        await desk.actor(ADMIN, OPS_CHAT), PRODUCT, verb, DEAR, cause
    )


async def _sell_to_one(desk: Desk, cause: Cause) -> None:
    await _catalogue(desk).set_channels(
        await desk.actor(ADMIN, OPS_CHAT), PRODUCT, "add", DEAR, cause, merchant=desk.merchant
    )


async def _follow(desk: Desk, cause: Cause) -> None:
    """The merchant has channels of its own, and the product's have a dearer one."""
    await _catalogue(desk).set_channels(
        await desk.actor(ADMIN, OPS_CHAT), PRODUCT, "follow", "", cause, merchant=desk.merchant
    )


async def _take_amounts(desk: Desk, cause: Cause) -> None:
    channel = await desk.runtime.supply.channels.by_no(FIXED)
    await _catalogue(desk).change(
        await desk.actor(ADMIN, OPS_CHAT), channel, {"amount_min": 100}, cause
    )


async def _add_channel(desk: Desk, cause: Cause) -> None:
    actor, catalogue = await desk.actor(ADMIN, OPS_CHAT), _catalogue(desk)
    new = NewChannel(None, "dear", PRODUCT, HIGH, (PRODUCT,), currency="CNY")
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    await catalogue.ask(actor, supplier, new, message_id=next(_messages))
    store = desk.runtime.system.store
    asked = await store.fetchval("SELECT id FROM approval WHERE kind = 'channel'")
    for _ in range(2):
        await catalogue.confirm(actor, asked, message_id=cause.message_id)


_WAYS: Final = {
    "set_rate": _set_rate, "set_cost": _set_cost, "sell": _sell, "sell_to_one": _sell_to_one,
    "follow": _follow, "take_amounts": _take_amounts, "add_channel": _add_channel,
}  # fmt: skip


def _catalogue(desk: Desk) -> Catalogue:
    return desk.runtime.supply.catalogue


async def _prepare(desk: Desk, way: str) -> None:
    """A dear channel that sells nothing, and one that costs a fixed sum and takes large amounts."""
    runtime = desk.runtime
    supplier = await runtime.parties.suppliers.by_no("S01")
    fixed = Tariff.flat(Rate(0, 50))
    for new in (
        NewChannel(DEAR, "dear", PRODUCT, HIGH, (), currency="CNY"),
        NewChannel(FIXED, "fixed", PRODUCT, fixed, (PRODUCT,), currency="CNY", amount_min=100_000),
    ):
        await runtime.supply.channels.add_channel(supplier, new)
    if way == "follow":
        sets = runtime.supply.channel_sets
        await sets.put(PRODUCT, ["C01"], SCRIPT, merchant_id=desk.merchant.id)
        await sets.add(PRODUCT, DEAR, SCRIPT)


async def _standing(desk: Desk) -> dict[str, list[str]]:
    """All that the verbs write, as text."""
    tables = ("tariff", "channel_tariff", "product_channel", "channel", "cause")
    store = desk.runtime.system.store
    return {
        table: [
            row["said"]
            for row in await store.fetch(f"SELECT t::text AS said FROM {table} t ORDER BY 1")
        ]
        for table in tables
    }


async def _press(desk: Desk, user_id: int) -> str:
    """Approve the newest card; the code of what is refused."""
    (card,) = await desk.runtime.people.approvals.cards.waiting()
    try:
        await desk.runtime.people.approvals.decide(
            await desk.actor(user_id, OPS_CHAT), card.id, yes=True
        )
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("way", _WAYS)
async def test_each_way_takes_a_second_person(desk: Desk, way: str) -> None:
    await _prepare(desk, way)
    before, cause = await _standing(desk), _cause()
    for _ in range(2):  # and when the message is delivered again
        await _WAYS[way](desk, cause)
    assert await _standing(desk) == before
    assert await _press(desk, ADMIN) == "second_person_needed"
    assert await _press(desk, FINANCE) == "not_permitted"
    assert await _standing(desk) == before
    assert await _press(desk, OWNER) == ""
    after = await _standing(desk)
    assert after != before
    await _WAYS[way](desk, cause)
    assert await _standing(desk) == after
    assert await desk.runtime.people.approvals.cards.waiting() == []


@pytest.mark.parametrize("way", _WAYS)
async def test_each_way_is_approved_beside_what_was_seen(desk: Desk, way: str) -> None:
    await _prepare(desk, way)
    await _WAYS[way](desk, _cause())
    # Whatever is seen: each merchant pays something else by now, and still less than it costs.
    for merchant in await desk.runtime.parties.merchants.everybody():
        await desk.runtime.parties.merchants.offers.set_tariff(
            merchant, PRODUCT, Tariff.flat(Rate(90)), actor="test"
        )
    before = await _standing(desk)
    said = "rate_changed" if way == "set_rate" else "margins_changed"
    assert await _press(desk, OWNER) == said
    assert await _standing(desk) == before


@pytest.mark.parametrize("way", _WAYS)
async def test_where_one_is_enough_nobody_is_asked(desk: Desk, way: str) -> None:
    await _prepare(desk, way)
    await set_setting(desk.runtime, "below_cost_second", value=False)
    before = await _standing(desk)
    await _WAYS[way](desk, _cause())
    assert await _standing(desk) != before
    assert await desk.runtime.people.approvals.cards.waiting() == []


async def test_a_rate_and_a_cost_that_are_set_at_once_see_each_other(desk: Desk) -> None:
    """Each alone is no loss: 1.2 % is paid, and 0.65 % is what it costs."""
    actor, middle = await desk.actor(ADMIN, OPS_CHAT), 9_000
    pricing = desk.runtime.accounts.pricing
    await asyncio.gather(
        pricing.set_rate(actor, desk.merchant, PRODUCT, Tariff.flat(Rate(middle - 1)), _cause()),
        *(
            pricing.set_cost(actor, channel_no, Tariff.flat(Rate(middle)), _cause())
            for channel_no in ("C01", "C02", "C03")
        ),
    )
    assert await Changer(desk, random.Random(0)).losses() == set()
    assert len(await desk.runtime.people.approvals.cards.waiting()) >= 1


def _cause() -> Cause:
    return Cause(OPS_CHAT, next(_messages), 1)
