"""Corrections, credit lines, and what one USDT is worth in a group."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.accounts.slips import Written
from core.accounts.vouchers import ADJUSTMENT, Advance, Cause, money_of
from core.people.actors import Actor
from core.runtime import Runtime
from handlers.kit.context import Wants, proof_of, refuse, say
from handlers.money.words import Adjust, SetCredit, SetUsdtRate, ShowCredit, ShowUsdtRate


def router() -> Router:
    """Money that is set right, and the numbers that money goes by."""
    routes = Router(name="adjustments")
    routes.message.register(adjust, Wants(Adjust))
    routes.message.register(show_credit, Wants(ShowCredit))
    routes.message.register(set_credit, Wants(SetCredit))
    routes.message.register(show_usdt_rate, Wants(ShowUsdtRate))
    routes.message.register(set_usdt_rate, Wants(SetUsdtRate))
    return routes


async def adjust(message: Message, intent: Adjust, actor: Actor, runtime: Runtime) -> None:
    """Correct what a merchant is owed, with a reason."""
    actor.need("adjust")
    line = intent.line
    if await runtime.accounts.vouchers.booked_lines(message.chat.id, message.message_id):
        return
    example = "/adjust M1001 -20 …"
    merchant = await runtime.people.access.merchant_in(actor, line.merchant_no, example=example)
    amount = money_of(line.amount.units_in(merchant.currency), merchant.currency)
    correction = Advance(amount, line.remark, proof_file_id=proof_of(message))
    written = Written(line.line, ADJUSTMENT, merchant, correction)
    await runtime.accounts.slips.record(actor, [written], message.message_id)


async def show_credit(message: Message, intent: ShowCredit, actor: Actor, runtime: Runtime) -> None:
    """A merchant's credit line, how it stands, and what is left."""
    actor.need("read_money")
    merchant = await runtime.people.access.merchant_in(
        actor, intent.merchant_no, example="/credit M1001"
    )
    facts = await runtime.accounts.credit.facts(merchant)
    await say(runtime, actor, "credit", facts, message.message_id)


async def set_credit(message: Message, intent: SetCredit, actor: Actor, runtime: Runtime) -> None:
    """How much a merchant lets us owe beyond what was advanced, or no limit at all."""
    actor.need("set_credit")
    merchant = await runtime.people.access.merchant_in(
        actor, intent.merchant_no, example="/credit M1001 50000"
    )
    currency, amount = merchant.currency, intent.amount
    line = None if amount is None else money_of(amount.units_in(currency), currency)
    cause = Cause(message.chat.id, message.message_id, 1)
    await runtime.accounts.credit.set_line(actor, merchant, line, cause)


async def show_usdt_rate(message: Message, actor: Actor, runtime: Runtime) -> None:
    """What one USDT is worth in this group."""
    actor.need("read_money")
    if actor.group is None:
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    rate = actor.group.usdt_rate
    facts = {"rate": "" if rate is None else format(rate, "f")}
    await say(runtime, actor, "usdt_rate", facts, message.message_id)


async def set_usdt_rate(
    message: Message, intent: SetUsdtRate, actor: Actor, runtime: Runtime
) -> None:
    """What one USDT is worth in this group from now on."""
    actor.need("set_rate")
    if actor.group is None:
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    cause = Cause(actor.chat_id, message.message_id, 1)
    await runtime.accounts.pricing.set_usdt_rate(actor, intent.rate, cause)
