"""Whom a broadcast is for, and when it is sent: what is picked, and what is asked in private."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.people.broadcasts import RIGHT
from core.people.district import People
from core.people.groups import Audience
from core.system.district import System
from handlers.broadcasts.buttons import MAX_SEARCH_BYTES, AimAtSegment, PickTarget, TurnTargets
from handlers.broadcasts.screens import BroadcastQuestion, BroadcastTargets, TargetLine
from handlers.broadcasts.words import MOMENT_EXAMPLE, read_moment
from handlers.groups.buttons import mark_of
from handlers.kit.chat import Chat
from handlers.kit.context import Presses
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step, plain


@dataclass(frozen=True, slots=True)
class Asked:
    """About which broadcast something is asked. zone: of the times that are written. at, search:
    what was written."""

    broadcast_id: UUID
    no: int
    zone: str = ""
    at: datetime | None = None
    search: str = ""


async def _read_at(now: datetime, asked: Asked, text: str) -> datetime:
    """Refusals: answer_unreadable, zone_unknown."""
    at = read_moment(text, now, asked.zone)
    if at is None:
        raise Refusal("answer_unreadable", example=MOMENT_EXAMPLE)
    return at


def _read_search(text: str) -> str:
    """So much of it as a button carries."""
    cut = " ".join(text.split()).encode()[:MAX_SEARCH_BYTES]
    return cut.decode(errors="ignore")


TIME: Final = Form[Asked, datetime](
    "broadcast_time",
    Asked,
    (Step("at", _read_at),),
    lambda asked: BroadcastQuestion(no=asked.no, zone=asked.zone),
)
SEARCH: Final = Form[Asked, None](
    "broadcast_search",
    Asked,
    (Step("search", plain(_read_search)),),
    lambda asked: BroadcastQuestion(no=asked.no),
)


def add_routes(routes: Router) -> None:
    """What is picked and what is asked."""
    routes.callback_query.register(turn, Presses(TurnTargets))
    routes.callback_query.register(pick, Presses(PickTarget))
    routes.callback_query.register(aim_at_segment, Presses(AimAtSegment))
    TIME.add_routes(routes, give_time)
    SEARCH.add_routes(routes, give_search)


async def turn(_: CallbackQuery, chat: Chat, button: TurnTargets, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    await chat.replace(await targets_page(people, button.broadcast_id, button.search, button.page))


async def pick(_: CallbackQuery, chat: Chat, button: PickTarget, people: People) -> None:
    """The same page as it is then; the card shows how many are picked."""
    await people.broadcasts.pick(chat.actor, button.broadcast_id, button.no)
    await chat.replace(await targets_page(people, button.broadcast_id, button.search, button.page))


async def aim_at_segment(
    _: CallbackQuery, chat: Chat, button: AimAtSegment, people: People
) -> None:
    """All that is in it. Refusals: segment_gone, those of `Broadcasts.aim`."""
    chat.actor.need_among_staff(RIGHT)
    names = [one.name for one in await people.directory.segments()]
    name = next((one for one in names if mark_of(one) == button.mark), None)
    if name is None:
        raise Refusal("segment_gone")
    await people.broadcasts.aim(chat.actor, button.broadcast_id, Audience("segment", name))


async def ask_time(chat: Chat, people: People, dialogues: Dialogues, broadcast_id: UUID) -> None:
    """Refusals: private_only, dialogue_away."""
    no = await _no_of(people, broadcast_id)
    await TIME.begin(chat, dialogues, Asked(broadcast_id, no, await chat.zone()))


async def ask_search(chat: Chat, people: People, dialogues: Dialogues, broadcast_id: UUID) -> None:
    """Refusals: private_only, dialogue_away."""
    await SEARCH.begin(chat, dialogues, Asked(broadcast_id, await _no_of(people, broadcast_id)))


async def give_time(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    people: People,
    system: System,
    dialogues: Dialogues,
) -> None:
    """Refusals: answer_unreadable, zone_unknown, those of `Broadcasts.time`."""
    asked = await TIME.take(chat, dialogues, system.clock.now(), answer)
    if asked is not None:
        await people.broadcasts.time(chat.actor, asked.broadcast_id, asked.at)
        await dialogues.end(chat.actor)


async def give_search(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    people: People,
    dialogues: Dialogues,
) -> None:
    """The chats that match, to be picked."""
    chat.actor.need_among_staff(RIGHT)
    asked = await SEARCH.take(chat, dialogues, None, answer)
    if asked is not None:
        await chat.post(await targets_page(people, asked.broadcast_id, asked.search, 1))
        await dialogues.end(chat.actor)


async def targets_page(
    people: People, broadcast_id: UUID, search: str, number: int
) -> BroadcastTargets:
    """A page of the chats that match, with those that are picked. Refusals:
    broadcast_not_found."""
    view = await people.broadcasts.view(broadcast_id)
    if view is None:
        raise Refusal("broadcast_not_found", text="")
    picked = frozenset(view.broadcast.audience.chat_ids)
    found = await people.directory.page(search, number)
    segments = await people.directory.segments()
    return BroadcastTargets(
        broadcast_id,
        view.broadcast.no,
        search,
        found.page,
        found.pages,
        len(picked),
        tuple(TargetLine(one.no, one.title, one.chat_id in picked) for one in found.entries),
        tuple(one.name for one in segments),
    )


async def _no_of(people: People, broadcast_id: UUID) -> int:
    view = await people.broadcasts.view(broadcast_id)
    if view is None:
        raise Refusal("broadcast_not_found", text="")
    return view.broadcast.no
