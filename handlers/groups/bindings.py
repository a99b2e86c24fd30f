"""Bindings as they begin and end: written, recorded, and told wherever somebody has to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Say, values_of
from core.kernel.errors import Refusal
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.approvals import Asked, Question
from core.people.district import People
from core.people.group_links import GroupLink
from core.people.groups import Group, Groups, Holder
from core.system.district import System
from core.system.store import Tx
from handlers.groups.buttons import mark_of_all
from handlers.groups.screens import Bound, BoundElsewhere, Unbound
from handlers.kit.chat import AnyMessage, Chat


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
    """What a group becomes. no, name: of the merchant or supplier; empty for an ops group. first:
    only where nobody else is bound there."""

    kind: Literal["merchant", "supplier", "ops"]
    no: str = ""
    name: str = ""
    holder_id: UUID | None = None
    first: bool = False

    @staticmethod
    def of(holder: Merchant | Supplier | None, *, first: bool = False) -> Binding:
        """None: an ops group."""
        match holder:
            case Merchant():
                return Binding("merchant", holder.merchant_no, holder.name, holder.id, first)
            case Supplier():
                return Binding("supplier", holder.supplier_no, holder.name, holder.id, first)
            case None:
                return Binding("ops", first=first)

    async def write(self, tx: Tx, groups: Groups, chat_id: int) -> bool:
        """Make it so; whether it is new. Refusals: those of `Groups.bind_merchant` and of
        `Groups.need_free`."""
        if self.first:
            await groups.need_free(tx, chat_id, self.holder_id)
        if self.holder_id is None:
            return await groups.bind_ops(tx, chat_id)
        if self.kind == "merchant":
            return await groups.bind_merchant(tx, chat_id, self.holder_id)
        return await groups.bind_supplier(tx, chat_id, self.holder_id)


@dataclass(frozen=True, slots=True)
class Place:
    """A group that is bound. here: whether that is said in it."""

    chat_id: int
    title: str
    here: bool = True


async def bind(
    chat: Chat,
    system: System,
    delivery: Delivery,
    people: People,
    binding: Binding,
    place: Place,
    link: GroupLink | None = None,
) -> None:
    """Bind the group, and say so there. A merchant or supplier with groups has one more then: those
    hear of it, and ops. It may be the wrong one, and strangers read along there. link: by which it
    is bound; ops hears of it in any case. Refusals: those of `Binding.write` and of
    `GroupLinks.use`."""
    actor = chat.actor
    async with system.store.transaction() as tx:
        if link is not None:
            await people.group_links.use(tx, actor, link, place.chat_id)
        new = await binding.write(tx, people.groups, place.chat_id)
        bound = Bound(binding.kind, binding.no, binding.name, new, actor.name)
        if new:
            of_link = {} if link is None else {"asked_by": link.made_by_name}
            await delivery.audit.record(
                tx, "bind", actor=actor.trail_name, facts=values_of(bound) | of_link,
                merchant_id=binding.holder_id if binding.kind == "merchant" else None,
                chat_id=place.chat_id, message_id=chat.message_id if place.here else None,
            )  # fmt: skip
        if place.here:
            await chat.say(bound, tx=tx)
        else:
            await delivery.outbox.say(tx, place.chat_id, Say(bound))
        if new and binding.holder_id is not None:
            made_by = "" if link is None else link.made_by_name
            told = BoundElsewhere(binding.no, binding.name, place.title, actor.name, made_by)
            groups = await people.groups.of_holder(tx, binding.holder_id)
            now = await people.groups.find(place.chat_id, tx=tx)
            others = [one for one in groups if now is None or one != now.chat_id]
            for chat_id in others:
                await delivery.outbox.say(tx, chat_id, Say(told))
            if others or link is not None:
                await people.groups.tell_ops(tx, Say(told))


async def place_of(message: AnyMessage, chat: Chat, people: People) -> Place:
    """The group in which somebody speaks or presses."""
    title = message.chat.title or ""
    if chat.actor.group is None:
        # The bot was added while nobody listened: its standing is asked when it next changes.
        await people.groups.seen(
            chat.id, chat_type=message.chat.type, title=title, bot_status="member"
        )
    return Place(chat.id, title or str(chat.id))


@dataclass(frozen=True, slots=True)
class Ending:
    """Who is taken off a group, and who stays. ids: of who is taken off; none of an ops group."""

    group: Group
    done: tuple[Holder, ...]
    left: tuple[Holder, ...]
    ids: tuple[UUID, ...]

    @staticmethod
    def of(group: Group, bound: Sequence[Holder], number: str, shown: str) -> Ending:
        """bound: as `bound_to` has it. number: of the one that is taken off; empty: all are that
        were shown, of whom `shown` is the mark. Refusals: confirmation_expired (it is bound
        otherwise by now)."""
        ids = dict(zip(bound, (*group.merchant_ids, *group.supplier_ids), strict=True))
        done = tuple(one for one in bound if number in ("", one.no))
        left = tuple(one for one in bound if one not in done)
        same = bool(done) if number else shown == mark_of_all([one.no for one in bound])
        if group.kind == "unbound" or not same:
            raise Refusal("confirmation_expired")
        return Ending(group, done, left, tuple(ids[one] for one in done))

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
        for holder_id in self.ids or (None,):
            await people.groups.unbind(tx, group.chat_id, holder_id)
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
