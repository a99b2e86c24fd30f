"""Ops hears of money that people move by hand, wherever they do it, and once."""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance, Cause
from core.delivery.outbox import Say
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.ops import What
from handlers.kit.vocabulary import WORDS
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SUPPLIER_CHAT,
    Desk,
    confirm_completion,
    facts,
)


async def who(desk: Desk, user_id: int, chat_id: int) -> Actor:
    return await desk.runtime.people.access.actor(
        user_id, "somebody", chat_id, private=chat_id == user_id
    )


async def heard(desk: Desk) -> list[dict[str, Any]]:
    """What the ops group was told since the last look, of deeds that one person did."""
    said = [fact for fact in await facts(desk.runtime, OPS_CHAT) if isinstance(fact, Say)]
    return [
        {
            **{
                name: value
                for name, value in deed.items()
                if name not in ("amount", "approved_by_name")
            },
            **deed["amount"],
            "actor_name": say.facts["actor_name"],
            "group": say.facts["group"],
        }
        for say in said
        if say.screen == "deed"
        for deed in say.facts["deeds"]
    ]


async def test_a_completion_in_private_is_told_with_all_that_it_takes_to_ask(desk: Desk) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:  # one person is enough
        await desk.runtime.people.settings.put(tx, owner, "complete_second", None)
    for chat_id, told in ((OPERATOR, True), (CHAT, True), (OPS_CHAT, False)):
        opened = await desk.open(4_999_900)
        actor = await who(desk, OPERATOR, chat_id)
        completions = desk.runtime.trade.completions
        await completions.ask(
            actor, opened.order.order_no, "the supplier said so", message_id=5, request_id="x"
        )
        asked: UUID = await desk.runtime.system.store.fetchval(
            "SELECT id FROM approval ORDER BY created_at DESC LIMIT 1"
        )
        assert await heard(desk) == []
        for _ in range(2):  # pressed twice
            await confirm_completion(desk.runtime, actor, asked)
        group = actor.group.title if actor.group else ""
        assert await heard(desk) == told * [
            {
                "what": "completed",
                "holder_no": "M1001",
                "holder_name": desk.merchant.name,
                "minor": 4_999_900,
                "currency": "CNY",
                "number": opened.order.order_no,
                "reason": "the supplier said so",
                "actor_name": actor.name,
                "group": group,
            }
        ]


async def test_every_adjustment_and_its_undoing_is_told(desk: Desk) -> None:
    adjustments = desk.runtime.accounts.adjustments
    correction = Correction(Money(-2000, "CNY"), "wrong fee")
    for line, (chat_id, told) in enumerate(((FINANCE, True), (CHAT, True), (OPS_CHAT, False))):
        actor = await who(desk, FINANCE, chat_id)
        receipt = await adjustments.record(
            actor, desk.merchant, correction, Cause(chat_id, line, 1)
        )
        await adjustments.record(actor, desk.merchant, correction, Cause(chat_id, line, 1))
        assert [(f["what"], f["minor"], f["number"], f["reason"]) for f in await heard(desk)] == (
            told * [("adjusted", -2000, receipt.record_no, "wrong fee")]
        )
        undone = await adjustments.undo(
            actor, desk.merchant, receipt.voucher_id, Cause(chat_id, 100 + line, 1)
        )
        assert [(f["what"], f["minor"], f["number"]) for f in await heard(desk)] == (
            told * [("adjusted_undone", 2000, undone.record_no)]
        )


async def test_prepayments_and_pay_ins_are_told_where_they_are_made_in_private(desk: Desk) -> None:
    runtime, supplier = desk.runtime, await desk.runtime.parties.suppliers.by_no("S01")
    advance = Advance(Money(100_000, "CNY"), "cash")
    for line, (chat_id, told) in enumerate(((ADMIN, True), (CHAT, False))):
        actor = await who(desk, ADMIN, chat_id)
        receipt = await runtime.accounts.prepayments.record(
            actor, desk.merchant, advance, Cause(chat_id, line, 1)
        )
        assert [(f["what"], f["holder_no"]) for f in await heard(desk)] == (
            told * [("prepaid", "M1001")]
        )
        await runtime.accounts.prepayments.undo(
            actor, desk.merchant, receipt.voucher_id, Cause(chat_id, 100 + line, 1)
        )
        assert [f["what"] for f in await heard(desk)] == told * ["prepaid_undone"]
    for line, (chat_id, told) in enumerate(((ADMIN, True), (SUPPLIER_CHAT, False))):
        actor = await who(desk, ADMIN, chat_id)
        await runtime.accounts.payins.record(
            actor, supplier, advance, Cause(chat_id, 200 + line, 1)
        )
        assert [(f["what"], f["holder_no"], f["minor"]) for f in await heard(desk)] == (
            told * [("paid_in", "S01", 100_000)]
        )


async def test_what_becomes_of_money_in_suspense_is_told(desk: Desk) -> None:
    for how in ("credit_merchant", "refund_payer"):
        for chat_id, told in ((OWNER, True), (OPS_CHAT, False)):
            opened = await desk.open()
            await desk.see(opened, 10100)
            await heard(desk)
            (item,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
            await desk.runtime.trade.discrepancies.resolve(
                await who(desk, OWNER, chat_id), desk.merchant.id, item.id, how, "asked them",
                left_minor=item.left_minor,
            )  # fmt: skip
            assert [(f["what"], f["number"], f["minor"]) for f in await heard(desk)] == (
                told * [(how, opened.order.order_no, 10100)]
            ), "there everybody saw it"


def test_every_deed_has_its_word() -> None:
    assert set(WORDS["deed"]) == set(get_args(What))
