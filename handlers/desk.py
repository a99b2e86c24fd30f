"""Everyday questions: help, balance, language."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import Message

from core.kernel.errors import Refusal
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.people import ROLES
from core.runtime import Runtime
from core.system.throttle import Limit
from handlers.context import Wants, refuse, right_here, say, say_privately
from handlers.intents import RIGHTS_OF_COMMAND, Help, NoCommand, SetLanguage, ShowBalance, Usage

# How often one person is told what was probably meant.
NEAR_LIMIT: Final = Limit(1, 60.0)


def router() -> Router:
    """What anybody known may ask."""
    routes = Router(name="desk")
    routes.message.register(help_, Wants(Help))
    routes.message.register(no_command, Wants(NoCommand))
    routes.message.register(usage, Wants(Usage))
    routes.message.register(balance, Wants(ShowBalance))
    routes.message.register(language, Wants(SetLanguage))
    return routes


async def help_(message: Message, actor: Actor, runtime: Runtime) -> None:
    """Only what this person may do here. Refusals: anonymous_admin."""
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        raise Refusal("anonymous_admin")
    kind = "private" if actor.group is None else actor.group.kind
    facts = {"rights": sorted(actor.rights), "kind": kind, "name": actor.name}
    # Where it cannot be whispered, the other side reads along.
    theirs = ROLES["supplier_staff" if kind == "supplier" else "merchant_staff"]
    aloud = facts if kind == "ops" else {**facts, "rights": sorted(actor.rights & theirs)}
    await say_privately(runtime, actor, "help", facts, message, aloud)


async def no_command(message: Message, intent: NoCommand, actor: Actor, runtime: Runtime) -> None:
    """What was probably meant, of what this person may say here; to that person alone. Words near
    a command are spoken of once in a while, an unknown slash form each time.

    Refusals: anonymous_admin.
    """
    near = [one for one in intent.near if _may_say(one.command, actor)]
    if actor.user_id == ANONYMOUS_ADMIN_ID:
        if intent.slash:
            raise Refusal("anonymous_admin")
        return
    if not intent.slash and (
        not near or await runtime.system.throttle.room({f"near:{actor.user_id}": NEAR_LIMIT})
    ):
        return
    facts = {
        "text": intent.text,
        "near": [{"form": one.written, "name": one.command} for one in near],
        "slash": intent.slash,
    }
    await refuse(runtime, actor, "no_command", facts, message, alone=True)


def _may_say(command: str, actor: Actor) -> bool:
    rights = RIGHTS_OF_COMMAND[command]
    return not rights or any(actor.may(right_here(right, actor)) for right in rights)


async def usage(message: Message, intent: Usage, actor: Actor, runtime: Runtime) -> None:
    """How a command is written, for who may say it. Refusals: anonymous_admin, not_permitted."""
    command = intent.command
    if actor.user_id == ANONYMOUS_ADMIN_ID or not _may_say(command, actor):
        rights = RIGHTS_OF_COMMAND[command]
        actor.need(right_here(rights[0], actor) if rights else "")
    if command == "prepay" and actor.in_suppliers_group:
        command = "payin"
    fault = intent.fault
    facts = {
        "command": command,
        "text": fault.text if fault else "",
        "why": fault.why if fault else "",
    }
    await refuse(runtime, actor, "usage", facts, message, alone=True)


async def balance(message: Message, intent: ShowBalance, actor: Actor, runtime: Runtime) -> None:
    """How the merchant stands with us now."""
    actor.need("read_money")
    merchant = await runtime.people.access.merchant_in(
        actor, intent.merchant_no, example="/balance M1001"
    )
    bill = await runtime.reports.bills.merchant(merchant.id)
    facts = {
        "merchant_no": merchant.merchant_no,
        "merchant_name": merchant.name,
        "currency": bill.currency,
        "balance_minor": bill.closing_minor,
        "advanced_minor": bill.advanced_minor,
        "unpaid": bill.unpaid,
        "at": runtime.system.clock.now().isoformat(),
        "zone": bill.zone,
    }
    await say(runtime, actor, "balance", facts, message.message_id)


async def language(message: Message, intent: SetLanguage, actor: Actor, runtime: Runtime) -> None:
    """What the bot speaks in this group."""
    actor.need("bind")
    if actor.group is None:
        await refuse(runtime, actor, "only_in_groups", {}, message)
        return
    await runtime.people.groups.set_language(actor.chat_id, intent.language)
    await say(runtime, actor, "language_set", {"language": intent.language}, message.message_id)
