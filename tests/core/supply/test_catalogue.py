"""Channels and products that people change: by right, where staff alone reads, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.suppliers import Supplier
from core.people.receipts import Cause
from core.runtime import Runtime
from core.supply.channels import NewChannel
from tests.core.supply.onboarding.support import new_supplier, staff
from tests.core.support import ADMIN, CHAT, FINANCE, OPS_CHAT, OWNER, Desk, refused

NEW = NewChannel(None, "new", "alipay_qr", Tariff.flat(Rate(5000)), ("alipay_qr",), amount_min=100)


async def with_ways(runtime: Runtime) -> Supplier:
    """A supplier whose document names the codes it knows."""
    boss = await staff(runtime)
    document = await runtime.supply.documents.propose_from_library(boss, "alipay")
    return await runtime.supply.onboarding.open(boss, new_supplier(document))


async def questions(desk: Desk) -> list[UUID]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT id FROM approval WHERE kind = 'channel' ORDER BY created_at, id"
    )
    return [row["id"] for row in rows]


async def test_a_code_is_one_that_the_document_names(desk: Desk) -> None:
    runtime, actor = desk.runtime, await desk.actor(ADMIN, OPS_CHAT)
    supplier = await with_ways(runtime)
    ways = (await runtime.parties.suppliers.connector(supplier.document_id)).ways
    way, other = sorted(ways)[:2]
    with pytest.raises(Refusal) as error:
        await runtime.supply.catalogue.ask(
            actor, supplier, replace(NEW, supplier_code="bitcoin"), message_id=1
        )
    assert refused(error.value) == "channel_code_unknown"
    assert way in str(error.value)
    assert await questions(desk) == []
    await runtime.supply.catalogue.ask(
        actor, supplier, replace(NEW, supplier_code=way), message_id=1
    )
    (question,) = await questions(desk)
    await runtime.supply.catalogue.confirm(actor, question, message_id=2)
    channel = next(c for c in await runtime.supply.channels.all(supplier.id))
    cause = Cause(OPS_CHAT, 3, 1)
    with pytest.raises(Refusal) as error:
        await runtime.supply.catalogue.change(actor, channel, {"supplier_code": "gold"}, cause)
    assert refused(error.value) == "channel_code_unknown"
    assert await runtime.supply.catalogue.change(actor, channel, {"supplier_code": other}, cause)
    assert (await runtime.supply.channels.by_id(channel.id)).supplier_code == other


async def test_channels_that_are_confirmed_at_once_get_a_number_each(desk: Desk) -> None:
    runtime, actor = desk.runtime, await desk.actor(ADMIN, OPS_CHAT)
    supplier = await runtime.parties.suppliers.by_no("S01")
    for _ in range(3):
        await runtime.supply.catalogue.ask(actor, supplier, NEW, message_id=1)
    pressed = [*await questions(desk), *await questions(desk)]  # each of them twice
    answers = await asyncio.gather(
        *(runtime.supply.catalogue.confirm(actor, one, message_id=2) for one in pressed),
        return_exceptions=True,
    )
    assert {refused(one) for one in answers if isinstance(one, Exception)} <= {
        "confirmation_expired"
    }
    added = [
        c.channel_no for c in await runtime.supply.channels.all(supplier.id) if c.name == "new"
    ]
    assert added == ["C05", "C06", "C07"]


async def test_who_may_not_or_not_here_changes_nothing(desk: Desk) -> None:
    runtime = desk.runtime
    supplier = await runtime.parties.suppliers.by_no("S01")
    channel = await runtime.supply.channels.by_no("C01")
    boss = await desk.actor(ADMIN, OPS_CHAT)
    await runtime.supply.catalogue.ask(boss, supplier, NEW, message_id=1)
    (question,) = await questions(desk)
    before = await runtime.system.store.fetchval("SELECT count(*) FROM audit")
    for user_id, chat_id, code in (
        (FINANCE, OPS_CHAT, "not_permitted"), (ADMIN, CHAT, "staff_only"),
    ):  # fmt: skip
        actor = await desk.actor(user_id, chat_id)
        cause = Cause(chat_id, 9, 1)
        selling = runtime.supply.catalogue
        for doing in (
            selling.ask(actor, supplier, NEW, message_id=1),
            selling.confirm(actor, question, message_id=1),
            selling.drop(actor, question, message_id=1),
            selling.change(actor, channel, {"weight": 5}, cause),
            selling.turn(actor, "C01", "off", cause),
            selling.turn(actor, "C01", "off", None),
            selling.set_channels(actor, "alipay_qr", "remove", "C01", cause),
            selling.turn_product(actor, "alipay_qr", "off", cause),
            selling.turn_product(actor, "alipay_qr", "off", cause, merchant=desk.merchant),
        ):
            with pytest.raises(Refusal) as error:
                await doing
            assert refused(error.value) == code
    somebody = await desk.actor(OWNER, OPS_CHAT)
    for answering in (runtime.supply.catalogue.confirm, runtime.supply.catalogue.drop):
        with pytest.raises(Refusal) as error:
            await answering(somebody, question, message_id=1)
        assert refused(error.value) == "confirmation_foreign"
    assert await runtime.system.store.fetchval("SELECT count(*) FROM audit") == before
    assert await runtime.supply.channels.by_no("C01") == channel


async def test_a_product_that_is_off_for_a_merchant_is_not_offered_to_it(desk: Desk) -> None:
    runtime, actor = desk.runtime, await desk.actor(ADMIN, OPS_CHAT)
    for state, message_id in (("off", 1), ("on", 2)):
        cause = Cause(OPS_CHAT, message_id, 1)
        assert await runtime.supply.catalogue.turn_product(
            actor, "alipay_qr", state, cause, merchant=desk.merchant  # type: ignore[arg-type]
        )  # fmt: skip
        offered = "alipay_qr" in await runtime.parties.merchants.offers.of(desk.merchant)
        assert offered == (state == "on")
    trail = await runtime.system.store.fetch(
        "SELECT merchant_id, facts FROM audit WHERE action = 'product_turned' ORDER BY at"
    )
    assert [row["facts"]["after"] for row in trail] == ["off", "on"]
    assert {row["merchant_id"] for row in trail} == {desk.merchant.id}
