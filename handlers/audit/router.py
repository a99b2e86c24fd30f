"""The trail in the chat, by pages."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.people.district import People
from core.people.trail import Search
from core.system.district import System
from handlers.audit.buttons import TurnAudit
from handlers.audit.screens import AuditNotice, DeedLine, said_facts
from handlers.audit.words import ShowAudit
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.vocabulary import WORDS
from texts.days import resolve


def add_routes(routes: Router) -> None:
    """Who did that?"""
    routes.message.register(show, Wants(ShowAudit))
    routes.callback_query.register(turn, Presses(TurnAudit))


async def show(_: Message, chat: Chat, intent: ShowAudit, people: People, system: System) -> None:
    """The newest page. Refusals: those of `Trail.read` and of days that there are not."""
    chat.actor.need_among_staff("watch")
    zone = await chat.zone()
    first = last = None
    if intent.days is not None:
        today = system.clock.now().astimezone(ZoneInfo(zone)).date()
        days = resolve(intent.days, today)
        first, last = days.first, days.last
    asked = TurnAudit(1, intent.who, intent.what, first, last)
    await chat.say(await _page(chat, people, asked, zone))


async def turn(_: CallbackQuery, chat: Chat, button: TurnAudit, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff("watch")
    await chat.replace(await _page(chat, people, button, await chat.zone()))


async def _page(chat: Chat, people: People, asked: TurnAudit, zone: str) -> AuditNotice:
    action = asked.what if asked.what in WORDS["trail"] else ""
    search = Search(
        who=asked.who,
        number="" if action else asked.what,
        action=action,
        since=_begin_of(asked.first, zone) if asked.first else None,
        until=_begin_of(asked.last + timedelta(days=1), zone) if asked.last else None,
    )
    found = await people.trail.read(chat.actor, search, asked.page)
    lines = tuple(
        DeedLine(
            at=row.at,
            who=row.actor_name,
            actor=row.actor.removeprefix("telegram:"),
            chat=row.chat,
            private=row.chat_id is not None and row.chat_id > 0,
            merchant_no=row.merchant_no,
            action=row.action,
            facts=said_facts(row.facts),
        )
        for row in found.rows
    )
    return AuditNotice(
        asked.page, lines, found.more, zone, asked.who, asked.what, asked.first, asked.last
    )


def _begin_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
