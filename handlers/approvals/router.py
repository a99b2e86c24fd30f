"""A second person says yes or no, and proves to be that person where the question asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.people.district import People
from core.people.factors import Proof
from core.system.district import System
from handlers.approvals.buttons import AnswerApproval, OpenApproval
from handlers.approvals.proofs import Proving, ask_proof, take_proof
from handlers.approvals.screens import Proven, Waiting, WaitingNotice
from handlers.approvals.words import ShowApprovals
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.dialogues import PROVE, Answers, Dialogues, Said
from texts import translator

_FACTOR_NEEDED: Final = "factor_needed"
_MINUTE: Final = timedelta(minutes=1)


def add_routes(routes: Router) -> None:
    """Where one person is not enough."""
    routes.message.register(show, Wants(ShowApprovals))
    routes.message.register(prove, Answers(PROVE))
    routes.callback_query.register(answer, Presses(AnswerApproval))
    routes.callback_query.register(open_card, Presses(OpenApproval))


async def show(_: Message, chat: Chat, people: People, system: System) -> None:
    """What waits, the oldest first. Refusals: those of `Actor.need_among_staff`."""
    chat.actor.need_among_staff("see_channel")
    now = system.clock.now()
    lines = [
        Waiting(
            one.id,
            one.question.kind,
            one.question.subject,
            one.asked_by_name,
            int((now - one.asked_at) / _MINUTE),
        )
        for one in await people.approvals.cards.waiting()
    ]
    await chat.say(WaitingNotice(tuple(lines)))


async def open_card(
    _: CallbackQuery, chat: Chat, button: OpenApproval, press: Press, people: People
) -> None:
    """Post the card anew, where it is answered. Refusals: those of `ApprovalCards.post_again`."""
    chat.actor.need_among_staff("see_channel")
    await people.approvals.cards.post_again(chat.actor, button.approval_id)
    if chat.id == chat.actor.user_id:
        words = translator(chat.actor.language).gettext(
            "It stands at the end of the ops group now."
        )
        await press.answer(words)


async def answer(
    _: CallbackQuery,
    chat: Chat,
    button: AnswerApproval,
    press: Press,
    system: System,
    people: People,
    dialogues: Dialogues,
) -> None:
    """Approve, reject or take back; or go on in private, where that is to be proven."""
    try:
        await people.approvals.decide(chat.actor, button.approval_id, yes=button.yes)
    except Refusal as refusal:
        if refusal.code != _FACTOR_NEEDED:
            raise
        await ask_proof(chat, press, system, people, dialogues, button.approval_id)


async def prove(_: Message, chat: Chat, answer: Said, people: People, dialogues: Dialogues) -> None:
    """Take what was written as the proof, and answer the question."""

    async def use(proof: Proof) -> None:
        proving = answer.dialogue.read(Proving)
        await people.approvals.decide(chat.actor, proving.approval_id, yes=True, proof=proof)
        await chat.post(Proven(proving.kind))
        await dialogues.end(chat.actor)

    await take_proof(chat, people, dialogues, answer, use)
