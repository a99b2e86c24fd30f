"""Charts and files of business days: by button, and typed."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.days import Days
from core.people.actors import Actor
from core.reports.exports import Paper
from core.runtime import Runtime
from handlers.files.buttons import OpenChart, OpenExport
from handlers.files.words import Export
from handlers.kit.context import Presses, Wants
from handlers.kit.holders import readable
from texts.days import resolve


def router() -> Router:
    """Pictures and files."""
    routes = Router(name="exports")
    routes.message.register(export, Wants(Export))
    routes.callback_query.register(open_chart, Presses(OpenChart))
    routes.callback_query.register(open_export, Presses(OpenExport))
    return routes


async def export(message: Message, intent: Export, actor: Actor, runtime: Runtime) -> None:
    """What was asked for, of each merchant or supplier of the group, or of the platform: all, or
    nothing and why."""
    papers = [
        Paper(
            intent.what,
            holder.kind,
            holder.id,
            resolve(intent.days, await runtime.reports.bills.open_day(holder.id)),
            intent.table,
            bom=_bom(intent, actor),
            currency=holder.currency,
        )
        for holder in await readable(runtime, actor, intent.number, intent.currency)
    ]
    await runtime.reports.exports.ask(actor, papers, reply_to=message.message_id)


async def open_chart(
    query: CallbackQuery, button: OpenChart, actor: Actor, runtime: Runtime
) -> None:
    """A chart in reply to what carries the button, or in its place."""
    if query.message is None:
        return
    days = Days(button.first, button.last)
    paper = Paper("chart", button.holder, button.holder_id, days, currency=button.currency)
    message_id = query.message.message_id
    await runtime.reports.exports.ask(
        actor,
        [paper],
        reply_to=None if button.replace else message_id,
        replaces=message_id if button.replace else None,
    )


async def open_export(
    query: CallbackQuery, button: OpenExport, actor: Actor, runtime: Runtime
) -> None:
    """A file in reply to what carries the button."""
    if query.message is None:
        return
    days = Days(button.first, button.last)
    paper = Paper(
        button.kind,
        button.holder,
        button.holder_id,
        days,
        button.table,
        bom=actor.language == "zh",
        currency=button.currency,
    )
    await runtime.reports.exports.ask(actor, [paper], reply_to=query.message.message_id)


def _bom(intent: Export, actor: Actor) -> bool:
    """Chinese in a file without the mark is unreadable in Excel."""
    return actor.language == "zh" if intent.bom is None else intent.bom
