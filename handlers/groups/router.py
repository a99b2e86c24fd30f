"""Binding groups: to merchants, to suppliers, as the ops group; and taking bindings off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.delivery.district import Delivery
from core.delivery.outbox import Say, values_of
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.approvals import Question
from core.people.district import People
from core.people.groups import Group
from core.system.district import System
from core.system.store import Tx
from handlers.groups.buttons import AnswerUnbind
from handlers.groups.membership import bound_to, show_checklist
from handlers.groups.screens import (
    Bound,
    BoundElsewhere,
    Holder,
    Info,
    LanguageSet,
    UnbindDropped,
    UnbindQuestionNotice,
    Unbound,
)
from handlers.groups.words import BindMerchant, BindOps, BindSupplier, SetLanguage, ShowInfo, Unbind
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
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
class _Binding:
    """What a group becomes. write: makes it so; whether it is new. no, name: of the merchant or
    supplier; empty for an ops group."""

    kind: str
    write: Callable[[Tx], Awaitable[bool]]
    no: str = ""
    name: str = ""
    merchant_id: UUID | None = None
    supplier_id: UUID | None = None


def add_routes(routes: Router) -> None:
    """Who a group belongs to."""
    routes.message.register(bind_merchant, Wants(BindMerchant))
    routes.message.register(bind_supplier, Wants(BindSupplier))
    routes.message.register(bind_ops, Wants(BindOps))
    routes.message.register(ask_unbind, Wants(Unbind))
    routes.message.register(show_info, Wants(ShowInfo))
    routes.message.register(set_language, Wants(SetLanguage))
    routes.callback_query.register(answer_unbind, Presses(AnswerUnbind))


async def bind_merchant(
    message: Message,
    chat: Chat,
    bot: Bot,
    intent: BindMerchant,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """This group becomes that merchant's."""
    chat.actor.need("bind")
    merchant = await parties.merchants.by_no(intent.merchant_no)
    binding = _Binding(
        "merchant",
        lambda tx: people.groups.bind_merchant(tx, chat.id, merchant.id),
        merchant.merchant_no,
        merchant.name,
        merchant_id=merchant.id,
    )
    if await _bind(message, chat, system, delivery, people, binding):
        await show_checklist(bot, system, delivery, parties, people, chat.id)


async def bind_supplier(
    message: Message,
    chat: Chat,
    bot: Bot,
    intent: BindSupplier,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """This group becomes that supplier's."""
    chat.actor.need("bind")
    supplier = await parties.suppliers.by_no(intent.supplier_no)
    binding = _Binding(
        "supplier",
        lambda tx: people.groups.bind_supplier(tx, chat.id, supplier.id),
        supplier.supplier_no,
        supplier.name,
        supplier_id=supplier.id,
    )
    if await _bind(message, chat, system, delivery, people, binding):
        await show_checklist(bot, system, delivery, parties, people, chat.id)


async def bind_ops(
    message: Message,
    chat: Chat,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """This group gets the alarms and approvals."""
    actor = chat.actor
    actor.need("bind_ops")

    async def become(tx: Tx) -> bool:
        await people.groups.bind_ops(tx, chat.id)
        return actor.group is None or actor.group.kind != "ops"

    if await _bind(message, chat, system, delivery, people, _Binding("ops", become)):
        await show_checklist(bot, system, delivery, parties, people, chat.id)


async def _bind(
    message: Message,
    chat: Chat,
    system: System,
    delivery: Delivery,
    people: People,
    binding: _Binding,
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


async def ask_unbind(
    _: Message, chat: Chat, intent: Unbind, system: System, parties: Parties, people: People
) -> None:
    """Ask once; where several are bound, which of them. Refusals: group_not_bound,
    merchant_not_found, supplier_not_found."""
    actor = chat.actor
    actor.need("bind")
    group = actor.group
    if group is None or group.kind == "unbound":
        raise Refusal("group_not_bound")
    if group.kind == "ops":
        actor.need("bind_ops")
    bound = _named(await bound_to(parties, group), group, intent.number)
    minutes = int(UnbindQuestion.open_for.total_seconds() // 60)
    question = UnbindQuestion(bound, tuple(one.no for one in bound), minutes)
    async with system.store.transaction() as tx:
        asked = await people.approvals.ask(tx, actor, question)
        notice = UnbindQuestionNotice(asked.id, bound, question.numbers, minutes)
        await chat.say(notice, tx=tx)


def _named(bound: Sequence[Holder], group: Group, number: str | None) -> tuple[Holder, ...]:
    """Of those that a group is bound to, the one with this number, or all. Refusals:
    merchant_not_found, supplier_not_found."""
    named = tuple(one for one in bound if number in (None, one.no))
    if number is not None and not named:
        if group.kind == "supplier":
            raise Refusal("supplier_not_found", supplier_no=number)
        raise Refusal("merchant_not_found", merchant_no=number)
    return named


async def answer_unbind(
    _: CallbackQuery,
    chat: Chat,
    bot: Bot,
    button: AnswerUnbind,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """The person who asked decides. What was asked about goes, with its holder's people, live bill
    and open questions."""
    actor, group = chat.actor, chat.actor.group
    if group is None:
        return
    actor.need("bind_ops" if group.kind == "ops" else "bind")
    asked = await people.approvals.find(UnbindQuestion, actor, button.approval_id, yes=button.yes)
    if asked.state != "open":
        return  # pressed twice
    bound = await bound_to(parties, group)
    if not button.yes:
        async with system.store.transaction() as tx:
            await people.approvals.answer(tx, actor, asked, yes=False)
            await chat.replace(UnbindDropped(bound), tx=tx)
        return
    holders = dict(zip([one.no for one in bound], _holder_ids(group), strict=True))
    if group.kind == "unbound" or button.number not in (None, *holders):
        raise Refusal("confirmation_expired")
    done = Unbound(
        tuple(one for one in bound if button.number in (None, one.no)),
        tuple(one for one in bound if button.number not in (None, one.no)),
        actor.name,
    )
    async with system.store.transaction() as tx:
        await people.groups.unbind(
            tx, actor.home, None if button.number is None else holders[button.number]
        )
        # The group is held by now: who answers another question about it waits, and finds it over.
        await people.approvals.answer(tx, actor, asked, yes=True)
        await people.approvals.drop_of(tx, actor, [holders[one.no] for one in done.bound])
        await delivery.audit.record(
            tx, "unbind", actor=actor.trail_name, facts=_of_group(group) | values_of(done),
            chat_id=chat.id, message_id=chat.message_id,
        )  # fmt: skip
        await chat.replace(done, tx=tx)
    await show_checklist(bot, system, delivery, parties, people, actor.home)


def _of_group(group: Group) -> dict[str, str]:
    """What the trail says of a group that loses a binding."""
    return {
        "kind": group.kind, "title": group.title, "language": group.language, "label": group.label,
    }  # fmt: skip


def _holder_ids(group: Group) -> tuple[UUID, ...]:
    """Who a group is bound to, in the order of `bound_to`."""
    return (*group.merchant_ids, *group.supplier_ids)


async def show_info(_: Message, chat: Chat, parties: Parties) -> None:
    """What this group is."""
    chat.actor.need("look_up")
    group = chat.actor.group
    if group is None:
        await chat.refuse_outside_groups()
        return
    bound = await bound_to(parties, group)
    info = Info(group.kind, group.title, group.language, group.label, bound, chat.id)
    await chat.say(info)


async def set_language(_: Message, chat: Chat, intent: SetLanguage, people: People) -> None:
    """What the bot speaks in this group."""
    chat.actor.need("bind")
    if await chat.refuse_outside_groups():
        return
    await people.groups.set_language(chat.id, intent.language)
    await chat.say(LanguageSet(intent.language))
