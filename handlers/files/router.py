"""Charts and files of business days: by button, and typed."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.days import Days
from core.people.actors import Actor
from core.reports.district import Reports
from core.reports.exports import Paper
from handlers.files.words import Export
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.day_buttons import OpenChart, OpenExport
from handlers.kit.holders import Holders
from texts.days import resolve


def add_routes(routes: Router) -> None:
    """Pictures and files."""
    routes.message.register(export, Wants(Export))
    routes.callback_query.register(open_chart, Presses(OpenChart))
    routes.callback_query.register(open_export, Presses(OpenExport))


async def export(
    _: Message, chat: Chat, intent: Export, holders: Holders, reports: Reports
) -> None:
    """What was asked for, of each merchant or supplier of the group, or of the platform: all, or
    nothing and why."""
    papers = [
        Paper(
            intent.what,
            holder.kind,
            holder.id,
            resolve(intent.days, await reports.bills.open_day(holder.id)),
            intent.table,
            bom=_bom(intent, chat.actor),
            currency=holder.currency,
        )
        for holder in await holders.readable(chat.actor, intent.number, intent.currency)
    ]
    await reports.exports.ask(chat.actor, papers, reply_to=chat.message_id)


async def open_chart(_: CallbackQuery, chat: Chat, button: OpenChart, reports: Reports) -> None:
    """A chart in reply to what carries the button, or in its place."""
    days = Days(button.first, button.last)
    paper = Paper("chart", button.holder, button.holder_id, days, currency=button.currency)
    await reports.exports.ask(
        chat.actor,
        [paper],
        reply_to=None if button.replace else chat.message_id,
        replaces=chat.message_id if button.replace else None,
    )


async def open_export(_: CallbackQuery, chat: Chat, button: OpenExport, reports: Reports) -> None:
    """A file in reply to what carries the button."""
    actor, days = chat.actor, Days(button.first, button.last)
    paper = Paper(
        button.kind,
        button.holder,
        button.holder_id,
        days,
        button.table,
        bom=actor.language == "zh",
        currency=button.currency,
    )
    await reports.exports.ask(actor, [paper], reply_to=chat.message_id)


def _bom(intent: Export, actor: Actor) -> bool:
    """Chinese in a file without the mark is unreadable in Excel."""
    return actor.language == "zh" if intent.bom is None else intent.bom
