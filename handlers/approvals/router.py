"""A second person says yes or no, and proves to be that person where the question asks for it."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.people.district import People
from core.people.factors import Proof
from core.system.district import System
from handlers.approvals.buttons import AnswerApproval
from handlers.approvals.proofs import Proving, ask_proof, take_proof
from handlers.approvals.screens import Proven, Waiting, WaitingNotice
from handlers.approvals.words import ShowApprovals
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.dialogues import PROVE, Answers, Dialogues, Said

_FACTOR_NEEDED: Final = "factor_needed"


def add_routes(routes: Router) -> None:
    """Where one person is not enough."""
    routes.message.register(show, Wants(ShowApprovals))
    routes.message.register(prove, Answers(PROVE))
    routes.callback_query.register(answer, Presses(AnswerApproval))


async def show(_: Message, chat: Chat, people: People) -> None:
    """What waits. Refusals: those of `Actor.need_among_staff`."""
    chat.actor.need_among_staff("see_channel")
    waiting = await people.approvals.waiting()
    lines = tuple(Waiting(one.question.kind, one.asked_by_name, one.asked_at) for one in waiting)
    await chat.say(WaitingNotice(lines, await chat.zone()))


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
