"""Enrolling a second factor in private, and having a lost one taken away."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.people.district import People
from core.people.factors import MIN_PASSWORD_CHARS
from core.system.district import System
from handlers.approvals.proofs import ask_proof
from handlers.factors.buttons import Enrol
from handlers.factors.screens import (
    CodeQuestion,
    FactorEnrolled,
    FactorsNotice,
    PasswordQuestion,
    enrolment_screen,
)
from handlers.factors.words import ResetFactors, ShowFactors
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import ENROL, PASSWORD, Answers, Dialogues, Said
from handlers.kit.secrets import SHOWN_S, need_private, show_secret, take_secret

# As an authenticator app lists it.
ISSUER: Final = "Paydesk"


def add_routes(routes: Router) -> None:
    """To be who one says, with more than a chat account."""
    routes.message.register(show, Wants(ShowFactors))
    routes.message.register(reset, Wants(ResetFactors))
    routes.message.register(give_code, Answers(ENROL))
    routes.message.register(give_password, Answers(PASSWORD))
    routes.callback_query.register(begin, Presses(Enrol))


async def show(_: Message, chat: Chat, people: People) -> None:
    """What I have. Refusals: private_only, not_permitted."""
    chat.actor.need("see_channel")
    need_private(chat)
    kinds = {one.kind for one in await people.factors.of(chat.actor.user_id) if one.enrolled_at}
    await chat.say(FactorsNotice("totp" in kinds, "password" in kinds))


async def reset(_: Message, chat: Chat, intent: ResetFactors, people: People) -> None:
    """Ask the other owners to take somebody's away."""
    await people.recovery.ask(chat.actor, intent.user_id, message_id=chat.message_id)


async def begin(
    _: CallbackQuery, chat: Chat, button: Enrol, people: People, bot: Bot, dialogues: Dialogues
) -> None:
    """Show the secret once, or ask for a password. Refusals: private_only, not_permitted,
    factor_enrolled."""
    chat.actor.need("see_channel")
    need_private(chat)
    if button.kind == "password":
        has = await people.factors.of(chat.actor.user_id)
        if any(one.kind == "password" and one.enrolled_at for one in has):
            raise Refusal("factor_enrolled")
        dialogue = await dialogues.begin(chat.actor, PASSWORD)
        await chat.post(PasswordQuestion(dialogue.id, MIN_PASSWORD_CHARS))
        return
    enrolment = await people.enrolments.begin_totp(chat.actor, ISSUER)
    dialogue = await dialogues.begin(chat.actor, ENROL)
    screen = enrolment_screen(enrolment.secret, chat.actor.language)
    await show_secret(bot, chat, screen, qr=enrolment.uri)
    await chat.post(CodeQuestion(dialogue.id, SHOWN_S))


async def give_code(
    _: Message, chat: Chat, answer: Said, system: System, people: People, dialogues: Dialogues
) -> None:
    """The first code of the new app."""

    async def use() -> None:
        proves = await people.enrolments.finish_totp(chat.actor, answer.text)
        await _go_on(chat, system, people, dialogues, "totp", proves)

    await take_secret(chat, dialogues, answer, use)


async def give_password(
    _: Message, chat: Chat, answer: Said, system: System, people: People, dialogues: Dialogues
) -> None:
    """The new password."""

    async def use() -> None:
        proves = await people.enrolments.set_password(chat.actor, answer.text)
        await _go_on(chat, system, people, dialogues, "password", proves)

    await take_secret(chat, dialogues, answer, use)


async def _go_on(
    chat: Chat,
    system: System,
    people: People,
    dialogues: Dialogues,
    kind: str,
    approval_id: UUID | None,
) -> None:
    """It counts, or is to be proven first. approval_id: the question of that."""
    if approval_id is not None:
        await ask_proof(chat, None, system, people, dialogues, approval_id)
        return
    await chat.post(FactorEnrolled(kind))
    await dialogues.end(chat.actor)
