"""A second person says yes or no, and proves to be that person where the question asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, TakeAway
from core.kernel.errors import Refusal
from core.people.district import People
from core.system.district import System
from handlers.approvals.buttons import AnswerApproval
from handlers.approvals.screens import DEMO_PASSWORD, Proven, ProveQuestion, Waiting, WaitingNotice
from handlers.approvals.words import ShowApprovals
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.dialogues import PROVE, Answers, Dialogues, Said
from handlers.kit.refusals import RefusalNotice
from texts import translator

_FACTOR_NEEDED: Final = "factor_needed"
# What another answer may put right.
_AGAIN: Final = frozenset({"answer_forwarded", "code_used", "factor_locked", "factor_wrong"})


@dataclass(frozen=True, slots=True)
class Proving:
    """What a code is asked for."""

    approval_id: UUID
    kind: str


def add_routes(routes: Router) -> None:
    """Where one person is not enough."""
    routes.message.register(show, Wants(ShowApprovals))
    routes.message.register(prove, Answers(PROVE), Wants(Said))
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


async def ask_proof(
    chat: Chat,
    press: Press,
    system: System,
    people: People,
    dialogues: Dialogues,
    approval_id: UUID,
) -> None:
    """Ask for a code or the password in the private chat of whoever pressed a button. Refusals:
    factor_missing, dialogue_away."""
    actor = chat.actor
    if not await people.factors.enrolled(actor.user_id):
        raise Refusal("factor_missing")
    asked = await people.approvals.card(approval_id)
    question = asked.question
    private = await people.access.actor(actor.user_id, actor.name, actor.user_id, private=True)
    proving = Proving(approval_id, question.kind)
    dialogue = await dialogues.begin(private, PROVE, proving)
    left = asked.asked_at + question.open_for - system.clock.now()
    shown = ProveQuestion(
        kind=question.kind,
        subject=question.subject,
        dialogue_id=dialogue.id,
        minutes=max(1, int(left.total_seconds() // 60)),
        demo_password=DEMO_PASSWORD if system.demo else "",
    )
    await chat.tell(actor.user_id, Say(shown))
    words = translator(actor.language).gettext("Go on in the private chat with the bot.")
    await press.answer(words)


async def prove(_: Message, chat: Chat, intent: Said, people: People, dialogues: Dialogues) -> None:
    """Take what was written as the proof; its message is taken away whatever comes of it."""
    dialogue = intent.dialogue
    await chat.put(TakeAway(intent.message_id))
    if intent.message_id <= dialogue.heard:
        return
    proving = dialogue.read(Proving)
    try:
        if intent.foreign:
            raise Refusal("answer_forwarded")
        proof = await people.factors.prove(chat.actor, intent.text, proving.approval_id)
        await people.approvals.decide(chat.actor, proving.approval_id, yes=True, proof=proof)
    except Refusal as refusal:
        await chat.post(RefusalNotice(refusal.code, await chat.on_clocks_here(refusal)))
        if refusal.code in _AGAIN:
            await dialogues.keep(chat.actor, dialogue.at(PROVE, proving, heard=intent.message_id))
        else:  # no other answer would change it
            await dialogues.end(chat.actor)
        return
    await chat.post(Proven(proving.kind))
    await dialogues.end(chat.actor)
