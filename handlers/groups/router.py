"""Binding groups: to merchants, to suppliers, as the ops group; and taking bindings off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Question
from core.people.groups import Group
from core.runtime import Runtime
from core.system.store import Tx
from handlers.groups.buttons import AnswerUnbind
from handlers.groups.membership import binding_facts, show_checklist
from handlers.groups.words import BindMerchant, BindOps, BindSupplier, SetLanguage, ShowInfo, Unbind
from handlers.kit.context import Presses, Wants, refuse, say


@dataclass(frozen=True, slots=True)
class Bound:
    """A merchant or supplier of a group. no: its number."""

    no: str
    name: str


@dataclass(frozen=True, slots=True)
class UnbindQuestion(Question):
    """Whether to take these off a group: one of them, or all. numbers: theirs."""

    kind: ClassVar[str] = "unbind"
    open_for: ClassVar[timedelta] = timedelta(minutes=5)
    bound: tuple[Bound, ...]
    numbers: tuple[str, ...]
    minutes: int


def router() -> Router:
    """Who a group belongs to."""
    routes = Router(name="binding")
    routes.message.register(bind_merchant, Wants(BindMerchant))
    routes.message.register(bind_supplier, Wants(BindSupplier))
    routes.message.register(bind_ops, Wants(BindOps))
    routes.message.register(ask_unbind, Wants(Unbind))
    routes.message.register(show_info, Wants(ShowInfo))
    routes.message.register(set_language, Wants(SetLanguage))
    routes.callback_query.register(answer_unbind, Presses(AnswerUnbind))
    return routes


async def bind_merchant(
    message: Message, bot: Bot, intent: BindMerchant, actor: Actor, runtime: Runtime
) -> None:
    """This group becomes that merchant's."""
    actor.need("bind")
    merchant = await runtime.parties.merchants.by_no(intent.merchant_no)
    facts = {"no": merchant.merchant_no, "name": merchant.name, "kind": "merchant"}
    await _bind(
        message, bot, actor, runtime, facts,
        lambda tx: runtime.people.groups.bind_merchant(tx, message.chat.id, merchant.id),
        holder_id=merchant.id, merchant_id=merchant.id,
    )  # fmt: skip


async def bind_supplier(
    message: Message, bot: Bot, intent: BindSupplier, actor: Actor, runtime: Runtime
) -> None:
    """This group becomes that supplier's."""
    actor.need("bind")
    supplier = await runtime.parties.suppliers.by_no(intent.supplier_no)
    facts = {"no": supplier.supplier_no, "name": supplier.name, "kind": "supplier"}
    await _bind(
        message, bot, actor, runtime, facts,
        lambda tx: runtime.people.groups.bind_supplier(tx, message.chat.id, supplier.id),
        holder_id=supplier.id,
    )  # fmt: skip


async def bind_ops(message: Message, bot: Bot, actor: Actor, runtime: Runtime) -> None:
    """This group gets the alarms and approvals."""
    actor.need("bind_ops")

    async def become(tx: Tx) -> bool:
        await runtime.people.groups.bind_ops(tx, message.chat.id)
        return actor.group is None or actor.group.kind != "ops"

    await _bind(message, bot, actor, runtime, {"no": "", "name": "", "kind": "ops"}, become)


async def _bind(
    message: Message, bot: Bot, actor: Actor, runtime: Runtime, facts: dict[str, Any],
    write: Callable[[Tx], Awaitable[bool]], *, holder_id: UUID | None = None,
    merchant_id: UUID | None = None,
) -> None:  # fmt: skip
    if message.chat.type == "private":
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    if actor.group is None:
        # The bot was added while nobody listened: its standing is asked when it next changes.
        await runtime.people.groups.seen(
            message.chat.id, chat_type=message.chat.type, title=message.chat.title or "",
            bot_status="member",
        )  # fmt: skip
    async with runtime.system.store.transaction() as tx:
        new = await write(tx)
        shown = {**facts, "new": new, "actor_name": actor.name}
        if new:
            await runtime.delivery.audit.record(
                tx, "bind", actor=actor.trail_name, facts=shown, merchant_id=merchant_id,
                chat_id=message.chat.id, message_id=message.message_id,
            )  # fmt: skip
        await runtime.delivery.outbox.say(
            tx, message.chat.id, Say(Stored("bound", shown), reply_to=message.message_id)
        )
        if new and holder_id is not None:
            await _tell_elsewhere(tx, message, actor, runtime, facts, holder_id)
    await show_checklist(runtime, bot, message.chat.id)


async def _tell_elsewhere(
    tx: Tx, message: Message, actor: Actor, runtime: Runtime, facts: dict[str, Any], holder_id: UUID
) -> None:
    """A merchant or supplier with groups has one more: those groups hear of it, and ops. It may be
    the wrong one, and strangers read along there."""
    others = [c for c in await runtime.people.groups.of_holder(tx, holder_id) if c != actor.home]
    if not others:
        return
    told = {**facts, "title": message.chat.title or str(message.chat.id), "actor_name": actor.name}
    for chat_id in others:
        await runtime.delivery.outbox.say(tx, chat_id, Say(Stored("bound_elsewhere", told)))
    await runtime.people.groups.tell_ops(tx, Say(Stored("bound_elsewhere", told)))


async def ask_unbind(message: Message, intent: Unbind, actor: Actor, runtime: Runtime) -> None:
    """Ask once; where several are bound, which of them. Refusals: group_not_bound,
    merchant_not_found, supplier_not_found."""
    actor.need("bind")
    group = actor.group
    if group is None or group.kind == "unbound":
        raise Refusal("group_not_bound")
    if group.kind == "ops":
        actor.need("bind_ops")
    facts = await binding_facts(runtime, group)
    bound = _named([Bound(**one) for one in facts["bound"]], group, intent.number)
    minutes = int(UnbindQuestion.open_for.total_seconds() // 60)
    question = UnbindQuestion(bound, tuple(one.no for one in bound), minutes)
    async with runtime.system.store.transaction() as tx:
        asked = await runtime.people.approvals.ask(tx, actor, question)
        said = Say(Stored("unbind_question", asked.facts), reply_to=message.message_id)
        await runtime.delivery.outbox.say(tx, actor.chat_id, said)


def _named(bound: Sequence[Bound], group: Group, number: str | None) -> tuple[Bound, ...]:
    """Of those that a group is bound to, the one with this number, or all. Refusals:
    merchant_not_found, supplier_not_found."""
    named = tuple(one for one in bound if number in (None, one.no))
    if number is not None and not named:
        if group.kind == "supplier":
            raise Refusal("supplier_not_found", supplier_no=number)
        raise Refusal("merchant_not_found", merchant_no=number)
    return named


async def answer_unbind(
    query: CallbackQuery, bot: Bot, button: AnswerUnbind, actor: Actor, runtime: Runtime
) -> None:
    """The person who asked decides. What was asked about goes, with its holder's people, live bill
    and open questions."""
    group = actor.group
    if query.message is None or group is None:
        return
    actor.need("bind_ops" if group.kind == "ops" else "bind")
    asked = await runtime.people.approvals.find(
        UnbindQuestion, actor, button.approval_id, yes=button.yes
    )
    if asked.state != "open":
        return  # pressed twice
    facts = {**await binding_facts(runtime, group), "actor_name": actor.name, "left": []}
    bound = facts["bound"]
    holders = dict(zip([one["no"] for one in bound], _holders(group), strict=True))
    if button.yes and (group.kind == "unbound" or button.number not in (None, *holders)):
        raise Refusal("confirmation_expired")
    if button.yes:
        facts |= {
            "bound": [one for one in bound if button.number in (None, one["no"])],
            "left": [one for one in bound if button.number not in (None, one["no"])],
        }
    async with runtime.system.store.transaction() as tx:
        if button.yes:
            await runtime.people.groups.unbind(
                tx, actor.home, None if button.number is None else holders[button.number]
            )
        # The group is held by now: who answers another question about it waits, and finds it over.
        await runtime.people.approvals.answer(tx, actor, asked, yes=button.yes)
        if button.yes:
            taken = [holders[one["no"]] for one in facts["bound"]]
            await runtime.people.approvals.drop_of(tx, actor, taken)
            await runtime.delivery.audit.record(
                tx, "unbind", actor=actor.trail_name, facts=facts, chat_id=actor.chat_id,
                message_id=query.message.message_id,
            )  # fmt: skip
        await runtime.delivery.outbox.say(
            tx, actor.chat_id,
            Say(
                Stored("unbound" if button.yes else "unbind_dropped", facts),
                edit_message_id=query.message.message_id,
            ),
        )  # fmt: skip
    if button.yes:
        await show_checklist(runtime, bot, actor.home)


def _holders(group: Group) -> tuple[UUID, ...]:
    """Who a group is bound to, in the order of `binding_facts`."""
    return (*group.merchant_ids, *group.supplier_ids)


async def show_info(message: Message, actor: Actor, runtime: Runtime) -> None:
    """What this group is."""
    actor.need("look_up")
    if actor.group is None:
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    facts = {**await binding_facts(runtime, actor.group), "chat_id": actor.chat_id}
    await say(runtime, actor, "info", facts, message.message_id)


async def set_language(
    message: Message, intent: SetLanguage, actor: Actor, runtime: Runtime
) -> None:
    """What the bot speaks in this group."""
    actor.need("bind")
    if actor.group is None:
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    await runtime.people.groups.set_language(actor.chat_id, intent.language)
    await say(runtime, actor, "language_set", {"language": intent.language}, message.message_id)
