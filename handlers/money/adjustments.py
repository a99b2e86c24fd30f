"""Corrections, credit lines, and what one USDT is worth in a group."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.accounts.district import Accounts
from core.accounts.vouchers import ADJUSTMENT, Advance, Cause, money_of
from core.accounts.written import Written
from core.people.district import People
from handlers.kit.chat import Chat, proof_of
from handlers.kit.context import Wants
from handlers.kit.refusals import OnlyInGroups
from handlers.money.screens import CreditNotice, UsdtRate
from handlers.money.words import Adjust, SetCredit, SetUsdtRate, ShowCredit, ShowUsdtRate


def add_routes(routes: Router) -> None:
    """Money that is set right, and the numbers that money goes by."""
    routes.message.register(adjust, Wants(Adjust))
    routes.message.register(show_credit, Wants(ShowCredit))
    routes.message.register(set_credit, Wants(SetCredit))
    routes.message.register(show_usdt_rate, Wants(ShowUsdtRate))
    routes.message.register(set_usdt_rate, Wants(SetUsdtRate))


async def adjust(
    message: Message, chat: Chat, intent: Adjust, people: People, accounts: Accounts
) -> None:
    """Correct what a merchant is owed, with a reason."""
    chat.actor.need("adjust")
    line = intent.line
    if await accounts.vouchers.booked_lines(chat.id, chat.message_id):
        return
    example = "/adjust M1001 -20 …"
    merchant = await people.access.merchant_in(chat.actor, line.merchant_no, example=example)
    amount = money_of(line.amount.units_in(merchant.currency), merchant.currency)
    correction = Advance(amount, line.remark, proof_file_id=proof_of(message))
    written = Written(line.line, ADJUSTMENT, merchant, correction)
    await accounts.slips.record(chat.actor, [written], chat.message_id)


async def show_credit(
    _: Message, chat: Chat, intent: ShowCredit, people: People, accounts: Accounts
) -> None:
    """A merchant's credit line, how it stands, and what is left."""
    chat.actor.need("read_money")
    merchant = await people.access.merchant_in(
        chat.actor, intent.merchant_no, example="/credit M1001"
    )
    standing = await accounts.credit.standing(merchant)
    await chat.say(CreditNotice(merchant.merchant_no, merchant.name, merchant.currency, standing))


async def set_credit(
    _: Message, chat: Chat, intent: SetCredit, people: People, accounts: Accounts
) -> None:
    """How much a merchant lets us owe beyond what was advanced, or no limit at all."""
    chat.actor.need("set_credit")
    merchant = await people.access.merchant_in(
        chat.actor, intent.merchant_no, example="/credit M1001 50000"
    )
    currency, amount = merchant.currency, intent.amount
    line = None if amount is None else money_of(amount.units_in(currency), currency)
    cause = Cause(chat.id, chat.message_id, 1)
    await accounts.credit.set_line(chat.actor, merchant, line, cause)


async def show_usdt_rate(_: Message, chat: Chat) -> None:
    """What one USDT is worth in this group."""
    chat.actor.need("read_money")
    group = chat.actor.group
    if group is None:
        await chat.refuse(OnlyInGroups())
        return
    await chat.say(UsdtRate("" if group.usdt_rate is None else format(group.usdt_rate, "f")))


async def set_usdt_rate(_: Message, chat: Chat, intent: SetUsdtRate, accounts: Accounts) -> None:
    """What one USDT is worth in this group from now on."""
    chat.actor.need("set_rate")
    if await chat.refuse_outside_groups():
        return
    cause = Cause(chat.id, chat.message_id, 1)
    await accounts.pricing.set_usdt_rate(chat.actor, intent.rate, cause)
