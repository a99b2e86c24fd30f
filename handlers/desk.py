"""Everyday questions: help, balance, language."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.access import ANONYMOUS_ADMIN_ID, Actor
from core.errors import Refusal
from core.runtime import Runtime
from handlers.context import Wants, right_here, say, say_privately
from handlers.intents import RIGHTS_OF_COMMAND, Help, SetLanguage, ShowBalance, Usage


def router() -> Router:
    """What anybody known may ask."""
    routes = Router(name="desk")
    routes.message.register(help_, Wants(Help))
    routes.message.register(usage, Wants(Usage))
    routes.message.register(balance, Wants(ShowBalance))
    routes.message.register(language, Wants(SetLanguage))
    return routes


async def help_(message: Message, actor: Actor, runtime: Runtime) -> None:
    """Only what this person may do here. Refusals: anonymous_admin."""
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        raise Refusal("anonymous_admin")
    facts = {
        "rights": sorted(actor.rights),
        "kind": actor.group.kind if actor.group else "private",
        "name": actor.name,
    }
    await say(runtime, actor, "help", facts, message.message_id)


async def usage(message: Message, intent: Usage, actor: Actor, runtime: Runtime) -> None:
    """How a command is written, for who may say it. Refusals: not_permitted."""
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        return  # there is no way to tell it alone
    command = intent.command
    rights = [right_here(right, actor) for right in RIGHTS_OF_COMMAND[command]]
    if rights and not any(actor.may(right) for right in rights):
        actor.need(rights[0])
    if command == "prepay" and actor.in_suppliers_group:
        command = "payin"
    await say_privately(runtime, actor, "usage", {"command": command}, message.message_id)


async def balance(message: Message, intent: ShowBalance, actor: Actor, runtime: Runtime) -> None:
    """How the merchant stands with us now."""
    actor.need("read_money")
    merchant = await runtime.access.merchant_in(actor, intent.merchant_no, example="/balance M1001")
    bill = await runtime.bills.merchant(merchant.id)
    facts = {
        "merchant_no": merchant.merchant_no,
        "merchant_name": merchant.name,
        "currency": bill.currency,
        "balance_minor": bill.closing_minor,
        "advanced_minor": bill.advanced_minor,
        "unpaid": bill.unpaid,
        "at": runtime.clock.now().isoformat(),
        "zone": bill.zone,
    }
    await say(runtime, actor, "balance", facts, message.message_id)


async def language(message: Message, intent: SetLanguage, actor: Actor, runtime: Runtime) -> None:
    """What the bot speaks in this group."""
    actor.need("bind")
    if actor.group is None:
        await say_privately(runtime, actor, "only_in_groups", {}, message.message_id)
        return
    await runtime.groups.set_language(actor.chat_id, intent.language)
    await say(runtime, actor, "language_set", {"language": intent.language}, message.message_id)
