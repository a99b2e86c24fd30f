"""Binding groups: to merchants, to suppliers, as the ops group; and taking bindings off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.access import Actor
from core.errors import Refusal
from core.outbox import Say
from core.runtime import Runtime
from core.store import Tx
from handlers.buttons import AnswerUnbind
from handlers.context import Presses, Wants, say, say_privately
from handlers.intents import BindMerchant, BindOps, BindSupplier, ShowInfo, Unbind
from handlers.onboarding import binding_facts, show_checklist

UNBIND_WITHIN: Final = timedelta(minutes=5)


def router() -> Router:
    """Who a group belongs to."""
    routes = Router(name="binding")
    routes.message.register(bind_merchant, Wants(BindMerchant))
    routes.message.register(bind_supplier, Wants(BindSupplier))
    routes.message.register(bind_ops, Wants(BindOps))
    routes.message.register(ask_unbind, Wants(Unbind))
    routes.message.register(show_info, Wants(ShowInfo))
    routes.callback_query.register(answer_unbind, Presses(AnswerUnbind))
    return routes


async def bind_merchant(
    message: Message, bot: Bot, intent: BindMerchant, actor: Actor, runtime: Runtime
) -> None:
    """This group becomes that merchant's."""
    actor.need("bind")
    merchant = await runtime.merchants.by_no(intent.merchant_no)
    facts = {"no": merchant.merchant_no, "name": merchant.name, "kind": "merchant"}
    await _bind(
        message, bot, actor, runtime, facts,
        lambda tx: runtime.groups.bind_merchant(tx, message.chat.id, merchant.id),
        merchant_id=merchant.id,
    )  # fmt: skip


async def bind_supplier(
    message: Message, bot: Bot, intent: BindSupplier, actor: Actor, runtime: Runtime
) -> None:
    """This group becomes that supplier's."""
    actor.need("bind")
    supplier = await runtime.suppliers.by_no(intent.supplier_no)
    facts = {"no": supplier.supplier_no, "name": supplier.name, "kind": "supplier"}
    await _bind(
        message, bot, actor, runtime, facts,
        lambda tx: runtime.groups.bind_supplier(tx, message.chat.id, supplier.id),
    )  # fmt: skip


async def bind_ops(message: Message, bot: Bot, actor: Actor, runtime: Runtime) -> None:
    """This group gets the alarms and approvals."""
    actor.need("bind_ops")

    async def become(tx: Tx) -> bool:
        await runtime.groups.bind_ops(tx, message.chat.id)
        return actor.group is None or actor.group.kind != "ops"

    await _bind(message, bot, actor, runtime, {"no": "", "name": "", "kind": "ops"}, become)


async def _bind(
    message: Message, bot: Bot, actor: Actor, runtime: Runtime, facts: dict[str, Any],
    write: Callable[[Tx], Awaitable[bool]], *, merchant_id: UUID | None = None,
) -> None:  # fmt: skip
    if message.chat.type == "private":
        await say_privately(runtime, actor, "only_in_groups", {}, message.message_id)
        return
    if actor.group is None:
        # The bot was added while nobody listened: its standing is asked when it next changes.
        await runtime.groups.seen(
            message.chat.id, chat_type=message.chat.type, title=message.chat.title or "",
            bot_status="member",
        )  # fmt: skip
    async with runtime.store.transaction() as tx:
        new = await write(tx)
        shown = {**facts, "new": new, "actor_name": actor.name}
        if new:
            await runtime.audit.record(
                tx, "bind", actor=actor.trail_name, facts=shown, merchant_id=merchant_id,
                chat_id=message.chat.id, message_id=message.message_id,
            )  # fmt: skip
        await runtime.outbox.say(
            tx, message.chat.id, Say("bound", shown, reply_to=message.message_id)
        )
    await show_checklist(runtime, bot, message.chat.id)


async def ask_unbind(message: Message, actor: Actor, runtime: Runtime) -> None:
    """Ask once; the question's buttons name who asked and when."""
    actor.need("bind")
    group = actor.group
    if group is None or group.kind == "unbound":
        raise Refusal("group_not_bound")
    if group.kind == "ops":
        actor.need("bind_ops")
    facts = {
        **await binding_facts(runtime, group),
        "user_id": actor.user_id,
        "asked_at_s": int(runtime.clock.now().timestamp()),
        "minutes": int(UNBIND_WITHIN.total_seconds() // 60),
    }
    await say(runtime, actor, "unbind_question", facts, message.message_id)


async def answer_unbind(
    query: CallbackQuery, bot: Bot, button: AnswerUnbind, actor: Actor, runtime: Runtime
) -> None:
    """The person who asked decides."""
    if query.message is None or actor.group is None:
        return
    actor.need("bind_ops" if actor.group.kind == "ops" else "bind")
    if button.user_id != actor.user_id:
        raise Refusal("confirmation_foreign")
    asked_ago_s = runtime.clock.now().timestamp() - button.asked_at_s
    if not 0 <= asked_ago_s <= UNBIND_WITHIN.total_seconds():
        raise Refusal("confirmation_expired")
    if button.yes and actor.group.kind == "unbound":
        raise Refusal("confirmation_expired")
    facts = {**await binding_facts(runtime, actor.group), "actor_name": actor.name}
    async with runtime.store.transaction() as tx:
        if button.yes:
            await runtime.groups.unbind(tx, actor.chat_id)
            await runtime.audit.record(
                tx, "unbind", actor=actor.trail_name, facts=facts, chat_id=actor.chat_id,
                message_id=query.message.message_id,
            )  # fmt: skip
        await runtime.outbox.say(
            tx, actor.chat_id,
            Say(
                "unbound" if button.yes else "unbind_dropped", facts,
                edit_message_id=query.message.message_id,
            ),
        )  # fmt: skip
    if button.yes:
        await show_checklist(runtime, bot, actor.chat_id)


async def show_info(message: Message, actor: Actor, runtime: Runtime) -> None:
    """What this group is."""
    actor.need("look_up")
    if actor.group is None:
        await say_privately(runtime, actor, "only_in_groups", {}, message.message_id)
        return
    facts = {**await binding_facts(runtime, actor.group), "chat_id": actor.chat_id}
    await say(runtime, actor, "info", facts, message.message_id)
