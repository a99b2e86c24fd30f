"""Money by the line: `+1000` and its relatives, which prepay a merchant or book what a supplier
paid in; the undo button; and messages that were edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.accounts.vouchers import PAYIN, PREPAYMENT, USDT, Advance, convert, money_of
from core.accounts.written import Written
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.district import People
from handlers.kit.chat import Chat, proof_of
from handlers.kit.commands import CommandTable, right_here
from handlers.kit.context import Presses, Wants
from handlers.kit.intents import Intent, NoCommand, Reading, Usage
from handlers.money.buttons import AnswerSlip, UndoVoucher
from handlers.money.money_lines import AdvanceLine, Unreadable, Why, named_supplier
from handlers.money.screens import EditedMoney, MoneyUnreadable
from handlers.money.words import Adjust, Advances, AdvancesFault


def add_routes(routes: Router) -> None:
    """Money that is advanced or taken back."""
    routes.message.register(record, Wants(Advances))
    routes.message.register(unreadable, Wants(AdvancesFault))
    routes.edited_message.register(edited)
    routes.callback_query.register(undo, Presses(UndoVoucher))
    routes.callback_query.register(answer, Presses(AnswerSlip))


async def record(
    message: Message,
    chat: Chat,
    intent: Advances,
    parties: Parties,
    people: People,
    accounts: Accounts,
) -> None:
    """Book every line, or none, with one receipt for all; where one may be a slip, ask first."""
    actor = chat.actor
    actor.need(right_here("prepay", actor))
    if await accounts.vouchers.booked_lines(chat.id, chat.message_id):
        return
    proof = proof_of(message)
    written = []
    for line in intent.lines:
        try:
            written.append(await _decide(parties, people, actor, line, proof))
        except Refusal as refusal:
            which = line.line if len(intent.lines) > 1 else 0
            await chat.refuse_with(refusal, line=which)
            return
    await accounts.slips.record(actor, written, chat.message_id)


async def _decide(
    parties: Parties, people: People, actor: Actor, line: AdvanceLine, proof: str | None
) -> Written:
    """What a line books: in a supplier's group a pay-in, elsewhere a prepayment."""
    if not actor.in_suppliers_group:
        supplier_no, _ = named_supplier(line.remark)
        if supplier_no is not None and line.merchant_no is None:
            raise Refusal("payin_not_here", supplier_no=supplier_no)
        merchant = await people.access.merchant_in(actor, line.merchant_no, example="+1000 M1001")
        advance = advance_of(line, merchant.currency, actor, proof)
        return Written(line.line, PREPAYMENT, merchant, advance)
    if line.merchant_no is not None:
        raise Refusal("merchant_not_found", merchant_no=line.merchant_no)
    supplier_no, remark = named_supplier(line.remark)
    supplier = await _supplier_in(parties, actor, supplier_no)
    advance = advance_of(replace(line, remark=remark), supplier.currency, actor, proof)
    return Written(line.line, PAYIN, supplier, advance)


def advance_of(line: AdvanceLine, currency: str, actor: Actor, proof: str | None) -> Advance:
    """A line as money of who has this currency; USDT without a rate is at the group's, and what
    is written in another currency is refused.

    Refusals: usdt_rate_missing, currency_other, amount_doubtful, amount_invalid,
    amount_over_limit.
    """
    rate, said = line.rate, USDT if line.amount.currency == USDT else currency
    amount = money_of(line.amount.units_in(said), said)
    if said == USDT and rate is None and currency != USDT:
        rate = actor.group.usdt_rate if actor.group is not None else None
        if rate is None:
            raise Refusal("usdt_rate_missing")
    advance = Advance(amount, line.remark, rate, proof)
    convert(advance, currency)
    return advance


async def _supplier_in(parties: Parties, actor: Actor, supplier_no: str | None) -> Supplier:
    """The supplier a line is about: the one named, or the only one of this group.

    Refusals: supplier_ambiguous, supplier_not_found (also for one that is none of this group's).
    """
    bound = actor.supplier_ids or ()
    suppliers = [await parties.suppliers.by_id(supplier_id) for supplier_id in bound]
    if supplier_no is None and len(suppliers) > 1:
        numbers = ", ".join(supplier.supplier_no for supplier in suppliers)
        raise Refusal("supplier_ambiguous", suppliers=numbers)
    for supplier in suppliers:
        if supplier_no in (None, supplier.supplier_no):
            return supplier
    raise Refusal("supplier_not_found", supplier_no=supplier_no or "")


async def unreadable(_: Message, chat: Chat, intent: AdvancesFault) -> None:
    """Say which line, and that nothing was booked. Talk of others is left alone."""
    actor, fault = chat.actor, intent.fault
    right = right_here("prepay", actor)
    if not actor.may(right):
        if intent.sure:
            actor.need(right)
        return
    why: Why | Literal["phone"] = "phone"
    aside = True
    if isinstance(fault, Unreadable):
        why, aside = fault.why, fault.aside
    notice = MoneyUnreadable(fault.line, fault.text, why, actor.in_suppliers_group)
    # What may be talk is only a hint, and nobody else's business.
    await chat.refuse(notice, alone=aside)


async def edited(
    _: Message, chat: Chat, intent: Intent | None, commands: CommandTable, accounts: Accounts
) -> None:
    """An edit moves no money and sets nothing: what was done stays, what was not is not. Whoever
    may do such a thing is told so."""
    actor = chat.actor
    acts = _acts(intent, actor)
    right = commands.right_to(intent, actor) if intent and acts else right_here("prepay", actor)
    if not actor.may(right):
        return
    booked = await accounts.vouchers.booked_lines(chat.id, chat.message_id)
    if booked or acts:
        money = bool(booked) or isinstance(intent, Advances | AdvancesFault | Adjust)
        await chat.refuse(EditedMoney(tuple(booked.values()), money))


async def undo(_: CallbackQuery, chat: Chat, button: UndoVoucher, accounts: Accounts) -> None:
    """Take back what a receipt tells of, and strike it through; or ask."""
    await accounts.slips.undo(chat.actor, button.voucher_id, message_id=chat.message_id)


async def answer(_: CallbackQuery, chat: Chat, button: AnswerSlip, accounts: Accounts) -> None:
    """Do what may have been a slip, or drop it. A second press finds the question answered."""
    answered = accounts.slips.confirm if button.yes else accounts.slips.drop
    await answered(chat.actor, button.approval_id, message_id=chat.message_id)


def _acts(intent: Intent | None, actor: Actor) -> bool:
    """Whether carrying this out would move or set something."""
    if intent is None or isinstance(intent, Reading | Usage | NoCommand):
        return False
    if isinstance(intent, AdvancesFault) and isinstance(intent.fault, Unreadable):
        return not (intent.fault.aside or intent.is_talk(actor))
    return not intent.is_talk(actor)
