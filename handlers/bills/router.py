"""Bills, and the prepayments of business days."""

from __future__ import annotations

from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.delivery.outbox import NOBODY, Bill, DeskBill, Fact
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.reports.district import Reports
from handlers.bills.buttons import OtherVouchers, TurnCompleted, TurnVouchers
from handlers.bills.screens import CompletedHistory, PrepaidHistory
from handlers.bills.words import ShowBill, ShowPrepaid
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.day_buttons import TurnBill
from handlers.kit.holders import Holder, Holders
from texts.days import NoSuchDay, Span, resolve


def add_routes(routes: Router) -> None:
    """What business days came to."""
    routes.message.register(show_bill, Wants(ShowBill))
    routes.message.register(show_prepaid, Wants(ShowPrepaid))
    routes.callback_query.register(turn_bill, Presses(TurnBill))
    routes.callback_query.register(turn_vouchers, Presses(TurnVouchers))
    routes.callback_query.register(turn_days, Presses(OtherVouchers))
    routes.callback_query.register(turn_completed, Presses(TurnCompleted))


async def show_bill(
    _: Message, chat: Chat, intent: ShowBill, holders: Holders, reports: Reports
) -> None:
    """A bill for each merchant or supplier of the group, the one that is named, or the
    platform's."""
    for holder in await holders.readable(chat.actor, intent.number, intent.currency):
        days = await _meant(reports, holder, intent.days)
        bill = _bill(holder, days, reply_to=chat.message_id)
        await chat.put(bill, merchant_id=_merchant_id(holder))


async def turn_bill(
    _: CallbackQuery, chat: Chat, button: TurnBill, holders: Holders, reports: Reports
) -> None:
    """Other days in the same message; beside a bill that stays what it is, in a new one."""
    holder = await holders.behind(chat.actor, button.holder, button.holder_id, button.currency)
    days = await _meant(reports, holder, button.days)
    bill = (
        _bill(holder, days, reply_to=chat.message_id)
        if button.fresh
        else _bill(holder, days, edit_message_id=chat.message_id)
    )
    await chat.put(bill, merchant_id=_merchant_id(holder))


async def show_prepaid(
    _: Message,
    chat: Chat,
    intent: ShowPrepaid,
    holders: Holders,
    accounts: Accounts,
    reports: Reports,
) -> None:
    """The days' prepayments by pages; in a supplier's group, what it paid in."""
    for holder in await holders.readable(chat.actor, intent.number):
        if holder.kind == "p":
            raise Refusal("merchant_needed", example="/prepaid M1001")
        days = await _meant(reports, holder, intent.days)
        page = await _page(accounts, holders, holder, days, 1)
        await chat.say(page, merchant_id=_merchant_id(holder))


async def turn_vouchers(
    _: CallbackQuery, chat: Chat, button: TurnVouchers, holders: Holders, accounts: Accounts
) -> None:
    """Another page: in the same message, or beside a bill."""
    holder = await holders.behind(chat.actor, button.holder, button.holder_id)
    days = Days(button.first, button.last)
    page = await _page(accounts, holders, holder, days, button.page)
    put = chat.say if button.fresh else chat.replace
    await put(page, merchant_id=_merchant_id(holder))


async def turn_days(
    _: CallbackQuery,
    chat: Chat,
    button: OtherVouchers,
    holders: Holders,
    accounts: Accounts,
    reports: Reports,
) -> None:
    """The first page of other days in the same message."""
    holder = await holders.behind(chat.actor, button.holder, button.holder_id)
    days = await _meant(reports, holder, button.days)
    page = await _page(accounts, holders, holder, days, 1)
    await chat.replace(page, merchant_id=_merchant_id(holder))


async def turn_completed(
    _: CallbackQuery, chat: Chat, button: TurnCompleted, holders: Holders, reports: Reports
) -> None:
    """A page of what was completed by hand, without what only staff may read: in the same message,
    or beside a bill."""
    holder = await holders.behind(chat.actor, "m", button.merchant_id)
    days = Days(button.first, button.last)
    found = await reports.bills.completed(holder.id, days, button.page)
    page = CompletedHistory(
        merchant_id=holder.id,
        merchant_no=holder.no,
        merchant_name=holder.name,
        currency=holder.currency,
        zone=await holders.zone_on(holder, days.last),
        first=days.first,
        last=days.last,
        page=found.page,
        pages=found.pages,
        count=found.count,
        lines=found.lines,
    )
    await (chat.say if button.fresh else chat.replace)(page, merchant_id=holder.id)


async def _meant(reports: Reports, holder: Holder, span: Span | NoSuchDay) -> Days:
    return resolve(span, await reports.bills.open_day(holder.id))


def _bill(
    holder: Holder, days: Days, *, reply_to: int | None = None, edit_message_id: int | None = None
) -> Fact:
    first, last = days.first.isoformat(), days.last.isoformat()
    if holder.kind == "m":
        return Bill(str(holder.id), first, last, reply_to, edit_message_id)
    if holder.kind == "s":
        return DeskBill(first, last, str(holder.id), reply_to, edit_message_id)
    return DeskBill(first, last, None, reply_to, edit_message_id, holder.currency)


def _merchant_id(holder: Holder) -> UUID:
    return holder.id if holder.kind == "m" else NOBODY


async def _page(
    accounts: Accounts, holders: Holders, holder: Holder, days: Days, page: int
) -> PrepaidHistory:
    kind = "payin" if holder.kind == "s" else "prepayment"
    found = await accounts.vouchers.page(holder.id, kind, (days.first, days.last), page)
    return PrepaidHistory(
        holder=holder.kind,
        holder_id=holder.id,
        holder_no=holder.no,
        holder_name=holder.name,
        currency=holder.currency,
        zone=await holders.zone_on(holder, days.last),
        first=days.first,
        last=days.last,
        page=found.page,
        pages=found.pages,
        count=found.count,
        sum_minor=found.sum_minor,
        lines=found.lines,
    )
