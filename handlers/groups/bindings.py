"""Bindings as they begin and end: written, recorded, and told wherever somebody has to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from aiogram.types import Message

from core.delivery.district import Delivery
from core.delivery.outbox import Say, values_of
from core.kernel.errors import Refusal
from core.people.approvals import Asked, Question
from core.people.district import People
from core.people.groups import Group, Holder
from core.system.district import System
from core.system.store import Tx
from handlers.groups.screens import Bound, BoundElsewhere, Unbound
from handlers.kit.chat import Chat
from handlers.kit.refusals import OnlyInGroups


@dataclass(frozen=True, slots=True)
class UnbindQuestion(Question):
    """Whether to take these off a group: one of them, or all. numbers: theirs."""

    kind: ClassVar[str] = "unbind"
    open_for: ClassVar[timedelta] = timedelta(minutes=5)
    bound: tuple[Holder, ...]
    numbers: tuple[str, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Binding:
    """What a group becomes. write: makes it so; whether it is new. no, name: of the merchant or
    supplier; empty for an ops group."""

    kind: str
    write: Callable[[Tx], Awaitable[bool]]
    no: str = ""
    name: str = ""
    merchant_id: UUID | None = None
    supplier_id: UUID | None = None


async def bind(
    message: Message,
    chat: Chat,
    system: System,
    delivery: Delivery,
    people: People,
    binding: Binding,
) -> bool:
    """Bind the group, and say so; in private that is refused. Whether it was a group."""
    if message.chat.type == "private":
        await chat.refuse(OnlyInGroups())
        return False
    actor = chat.actor
    if actor.group is None:
        # The bot was added while nobody listened: its standing is asked when it next changes.
        await people.groups.seen(
            chat.id, chat_type=message.chat.type, title=message.chat.title or "",
            bot_status="member",
        )  # fmt: skip
    async with system.store.transaction() as tx:
        new = await binding.write(tx)
        bound = Bound(binding.kind, binding.no, binding.name, new, actor.name)
        if new:
            await delivery.audit.record(
                tx, "bind", actor=actor.trail_name, facts=values_of(bound),
                merchant_id=binding.merchant_id, chat_id=chat.id, message_id=chat.message_id,
            )  # fmt: skip
        await chat.say(bound, tx=tx)
        holder_id = binding.merchant_id or binding.supplier_id
        if new and holder_id is not None:
            title = message.chat.title or str(chat.id)
            told = BoundElsewhere(binding.no, binding.name, title, actor.name)
            others = await people.groups.of_holder(tx, holder_id)
            await _tell_elsewhere(
                tx, delivery, people, [c for c in others if c != actor.home], told
            )
    return True


async def _tell_elsewhere(
    tx: Tx, delivery: Delivery, people: People, others: Sequence[int], told: BoundElsewhere
) -> None:
    """A merchant or supplier with groups has one more: those groups hear of it, and ops. It may be
    the wrong one, and strangers read along there."""
    if not others:
        return
    for chat_id in others:
        await delivery.outbox.say(tx, chat_id, Say(told))
    await people.groups.tell_ops(tx, Say(told))


@dataclass(frozen=True, slots=True)
class Ending:
    """Who is taken off a group, and who stays. ids: of who is taken off; one: it is that one alone,
    while others may stay."""

    group: Group
    done: tuple[Holder, ...]
    left: tuple[Holder, ...]
    ids: tuple[UUID, ...]
    one: UUID | None

    @staticmethod
    def of(group: Group, bound: Sequence[Holder], number: str | None) -> Ending:
        """bound: as `bound_to` has it. number: of the one that is taken off; None: all are.
        Refusals: confirmation_expired (it is bound otherwise by now)."""
        ids = dict(zip(bound, (*group.merchant_ids, *group.supplier_ids), strict=True))
        done = tuple(one for one in bound if number in (None, one.no))
        left = tuple(one for one in bound if one not in done)
        if group.kind == "unbound" or (number is not None and not done):
            raise Refusal("confirmation_expired")
        only = ids[done[0]] if number is not None else None
        return Ending(group, done, left, tuple(ids[one] for one in done), only)

    def told(self, actor_name: str) -> Unbound:
        return Unbound(self.done, self.left, actor_name)

    async def write(
        self,
        tx: Tx,
        chat: Chat,
        delivery: Delivery,
        people: People,
        asked: Asked[UnbindQuestion] | None = None,
    ) -> None:
        """Take them off, with their people, live bills and open questions. asked: the question that
        is answered by it."""
        actor, group = chat.actor, self.group
        await people.groups.unbind(tx, group.chat_id, self.one)
        if asked is not None:
            await people.approvals.answer(tx, actor, asked, yes=True)
        await people.approvals.drop_of(tx, actor, group.chat_id, self.ids)
        was = {
            "kind": group.kind, "title": group.title, "language": group.language,
            "label": group.label,
        }  # fmt: skip
        await delivery.audit.record(
            tx, "unbind", actor=actor.trail_name, facts=was | values_of(self.told(actor.name)),
            chat_id=group.chat_id, message_id=chat.message_id,
        )  # fmt: skip
