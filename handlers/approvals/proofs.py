"""Somebody proves to be who answers a question: asked for and taken in private."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from core.delivery.outbox import Notice
from core.kernel.errors import Refusal
from core.people.district import People
from core.people.factors import Proof
from core.system.district import System
from core.system.settings import DEMO_PASSWORD
from handlers.approvals.screens import ProveQuestion
from handlers.kit.chat import Chat
from handlers.kit.context import Press
from handlers.kit.dialogues import PROVE, Dialogues, Said
from handlers.kit.forms import post_in_private
from handlers.kit.secrets import PROOF_AGAIN, take_secret


@dataclass(frozen=True, slots=True)
class Proving:
    """For which question somebody proves it. kind: of the question."""

    approval_id: UUID
    kind: str


async def ask_proof(
    chat: Chat,
    press: Press | None,
    system: System,
    people: People,
    dialogues: Dialogues,
    approval_id: UUID,
) -> None:
    """Ask for a code or the password in the private chat of whoever pressed a button, or wrote
    there; what it proves is answered then. Refusals: those of `begin_proof`."""
    asked = await people.approvals.cards.of(approval_id)
    question = asked.question
    left = asked.over_at - system.clock.now()

    def shown(dialogue_id: str) -> Notice:
        return ProveQuestion(
            kind=question.kind,
            subject=question.subject,
            dialogue_id=dialogue_id,
            minutes=max(1, int(left.total_seconds() // 60)),
            demo_password=DEMO_PASSWORD if system.demo else "",
        )

    proving = Proving(approval_id, question.kind)
    await begin_proof(chat, people, dialogues, PROVE, proving, shown, press=press)


async def begin_proof(
    chat: Chat,
    people: People,
    dialogues: Dialogues,
    step: str,
    proving: Proving,
    shown: Callable[[str], Notice],
    *,
    press: Press | None = None,
) -> None:
    """step: at which the proof is taken. shown: what asks for it, in the dialogue of an id. press:
    what tells that it goes on in private; else the group is told. Refusals: factor_missing,
    dialogue_away."""
    if not await people.factors.enrolled(chat.actor.user_id):
        raise Refusal("factor_missing")
    dialogue = await dialogues.begin(chat.actor, step, proving, from_group=True)
    await post_in_private(chat, shown(dialogue.id), press=press)


async def take_proof(
    chat: Chat,
    people: People,
    dialogues: Dialogues,
    answer: Said,
    use: Callable[[Proof], Awaitable[None]],
    *,
    first: Callable[[UUID], Awaitable[None]] | None = None,
) -> None:
    """Prove it with what was written, and do what that is for. Where it is refused, and another
    code would do, the question stays. first: done with the question's id before it is looked
    at, whether it is answered or not."""
    prove = partial(_prove, chat, people, answer, use, first)
    await take_secret(chat, dialogues, answer, prove, again=PROOF_AGAIN)


async def _prove(
    chat: Chat,
    people: People,
    answer: Said,
    use: Callable[[Proof], Awaitable[None]],
    first: Callable[[UUID], Awaitable[None]] | None,
) -> None:
    approval_id = answer.dialogue.read(Proving).approval_id
    if first is not None:
        await first(approval_id)
    if not await people.approvals.waits(approval_id):
        # What is written long after the question is talk, and no try.
        raise Refusal("confirmation_expired")
    await use(await people.factors.prove(chat.actor, answer.text, approval_id))
