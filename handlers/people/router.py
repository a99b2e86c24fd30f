"""Colleagues: the list, a card for each, what is said of them, and how new ones come."""

from __future__ import annotations

from typing import Final

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.people.district import People
from core.people.people import RIGHTS, STAFF_ROLES, Change, Person, Standing
from core.people.staff import Hired, HireQuestion, Outcome, seen
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.secrets import need_private, show_secret
from handlers.people.buttons import EndLink, HireAs, MakePerson, OnPerson, TurnPeople
from handlers.people.mentions import Mentioned, mentioned_in
from handlers.people.screens import (
    HireRoles,
    HireWaits,
    JoinWaits,
    PeopleNotice,
    PersonChoice,
    PersonLine,
    PersonNotice,
    link_screen,
)
from handlers.people.words import ChangePerson, Hire, Join, ShowPeople

RIGHT: Final = "people"
PAGE_SIZE: Final = 8
_MINUTES: Final = int(HireQuestion.open_for.total_seconds() // 60)


def add_routes(routes: Router) -> None:
    """Who works here."""
    routes.message.register(show, Wants(ShowPeople))
    routes.message.register(change, Wants(ChangePerson))
    routes.message.register(hire, Wants(Hire))
    routes.message.register(join, Wants(Join))
    routes.callback_query.register(turn, Presses(TurnPeople))
    routes.callback_query.register(end_link, Presses(EndLink))
    routes.callback_query.register(press, Presses(OnPerson))
    routes.callback_query.register(press_change, Presses(MakePerson))
    routes.callback_query.register(press_hire, Presses(HireAs))


# ── what there is ────────────────────────────────────────────────────────────────────────────────
async def show(_: Message, chat: Chat, intent: ShowPeople, people: People) -> None:
    """The first page; or the card of one, who may be nobody yet."""
    chat.actor.need_among_staff(RIGHT)
    if intent.user_id is None:
        await chat.say(await _page(chat, people, 1))
        return
    await chat.say(await _card(chat, people, await _person(people, intent.user_id)))


async def turn(_: CallbackQuery, chat: Chat, button: TurnPeople, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    await chat.replace(await _page(chat, people, button.page))


async def end_link(_: CallbackQuery, chat: Chat, button: EndLink, people: People) -> None:
    """Nobody comes in by it any more. Refusals: those of `Invitations.end`."""
    await people.invitations.end(chat.actor, button.invitation_id)
    await chat.replace(await _page(chat, people, 1))


async def _page(chat: Chat, people: People, number: int) -> PeopleNotice:
    """A page of all colleagues; one behind the last is the last. With the links that are open."""
    staff = await people.people.staff()
    pages = max(1, -(-len(staff) // PAGE_SIZE))
    number = min(number, pages)
    shown = staff[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    proven = await people.factors.enrolled_among([one.user_id for one in shown])
    lines = [
        PersonLine(
            one.user_id,
            one.name,
            one.role or "",
            one.standing.allowed,
            one.standing.denied,
            one.user_id in proven,
        )
        for one in shown
    ]
    links = tuple(await people.invitations.open())
    return PeopleNotice(number, pages, len(staff), tuple(lines), links, await chat.zone())


async def _card(chat: Chat, people: People, person: Person) -> PersonNotice:
    return PersonNotice(
        user_id=person.user_id,
        name=person.name,
        role=person.role or "",
        allowed=person.standing.allowed,
        denied=person.standing.denied,
        factor=await people.factors.enrolled(person.user_id),
        hired_at=person.hired_at,
        zone=await chat.zone(),
    )


async def _person(people: People, user_id: int) -> Person:
    """Somebody whom we do not know is nobody yet."""
    return await people.people.find(user_id) or Person(user_id, str(user_id), Standing())


# ── what is said of them ─────────────────────────────────────────────────────────────────────────
async def change(_: Message, chat: Chat, intent: ChangePerson, people: People) -> None:
    """Do it, or have a second person asked. Refusals: those of `Staff.change`."""
    outcome = await people.staff.change(
        chat.actor, intent.user_id, intent.change, message_id=chat.message_id
    )
    await _answer(chat, people, outcome)


async def press(_: CallbackQuery, chat: Chat, button: OnPerson, people: People) -> None:
    """Open the card; or ask what exactly, in its place."""
    chat.actor.need_among_staff(RIGHT)
    person = await _person(people, button.user_id)
    if button.action == "open":
        await chat.replace(await _card(chat, people, person))
        return
    changes = _choices(chat, person, button.action)
    asked = PersonChoice(person.user_id, person.name, button.action, changes, seen(person.standing))
    await chat.replace(asked)


def _choices(chat: Chat, person: Person, what: str) -> tuple[Change, ...]:
    """What can be pressed: nothing that would change nothing, nor what the actor lacks."""
    mine, theirs = chat.actor.rights, person.rights
    match what:
        case "role":
            return tuple(Change("role", role) for role in STAFF_ROLES if role != person.role)
        case "allow":
            return tuple(Change("allow", one) for one in RIGHTS if one in mine - theirs)
        case "deny":
            return tuple(Change("deny", one) for one in RIGHTS if one in theirs)
        case _:
            return (Change("leave"),)


async def press_change(_: CallbackQuery, chat: Chat, button: MakePerson, people: People) -> None:
    """As `change`, for who still stands as it was shown. Refusals: also person_changed."""
    outcome = await people.staff.change(
        chat.actor,
        button.user_id,
        button.change,
        offered_to=button.seen,
        message_id=chat.message_id,
    )
    await _answer(chat, people, outcome, pressed=True)


async def _answer(chat: Chat, people: People, outcome: Outcome, *, pressed: bool = False) -> None:
    """The card as it is now; and how it goes on, where a second person decides."""
    waits, card = outcome.waits, await _card(chat, people, outcome.person)
    if pressed:
        await chat.replace(card)
    elif waits is None:
        await chat.say(card)
    if waits is not None:
        notice = HireWaits(
            outcome.person.name,
            _MINUTES,
            waits.over_at,
            waits.alone_from,
            waits.factor,
            await chat.zone(),
        )
        await chat.say(notice)


# ── how new ones come ────────────────────────────────────────────────────────────────────────────
async def hire(message: Message, chat: Chat, intent: Hire, people: People, bot: Bot) -> None:
    """The person of a number; in an ops group whoever wrote the message that is replied to; else a
    link, in private. Refusals: those of `Staff.change`, and of `Invitations.make`; private_only."""
    who = Mentioned(intent.user_id) if intent.user_id is not None else None
    if who is None and chat.actor.group is not None and chat.actor.group.kind == "ops":
        who = mentioned_in(message)
    if who is None:
        await _show_link(chat, people, bot, intent.role)
        return
    outcome = await people.staff.change(
        chat.actor,
        who.user_id,
        Change("role", intent.role),
        name=who.name,
        message_id=chat.message_id,
    )
    await _answer(chat, people, outcome)


async def press_hire(
    _: CallbackQuery, chat: Chat, button: HireAs, people: People, bot: Bot
) -> None:
    """Ask for the role; or show a link for it. Refusals: as in `hire`."""
    chat.actor.need_among_staff(RIGHT)
    if not button.role:
        await chat.say(HireRoles())
        return
    await _show_link(chat, people, bot, button.role)


async def _show_link(chat: Chat, people: People, bot: Bot, role: str) -> None:
    chat.actor.need_among_staff(RIGHT)
    need_private(chat)
    invitation = await people.invitations.make(chat.actor, role)
    name = (await bot.me()).username or ""
    screen = link_screen(invitation, name, await chat.zone(), chat.actor.language)
    await show_secret(bot, chat, screen)


async def join(message: Message, chat: Chat, intent: Join, people: People) -> None:
    """Somebody opened a link. One that nobody made gets silence, as all that strangers say.
    Refusals: staff_already, invitation_over."""
    speaker = message.from_user
    if speaker is None or chat.id != chat.actor.user_id:
        return
    joined = await people.invitations.join(speaker.id, speaker.full_name, intent.code)
    if joined is None:
        return
    hired = joined.state == "hired"
    await chat.say(Hired(joined.role) if hired else JoinWaits(joined.role, _MINUTES))
