"""When business days begin: a merchant's, a supplier's, the platform's."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.accounts.vouchers import Cause
from core.kernel.clock import read_time, read_zone
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.runtime import Runtime
from handlers.bills.words import SetDayCut
from handlers.kit.context import Wants
from handlers.kit.holders import Holder, holders_of


def router() -> Router:
    """Day cuts and time zones."""
    routes = Router(name="daycuts")
    routes.message.register(set_day_cut, Wants(SetDayCut))
    return routes


async def set_day_cut(message: Message, intent: SetDayCut, actor: Actor, runtime: Runtime) -> None:
    """From the next day on; the open one ends when it would have. Refusals: time_invalid,
    zone_unknown, merchant_ambiguous, supplier_ambiguous."""
    actor.need("day_cut")
    holder = await _one(runtime, actor, intent.number)
    at, zone = (
        (read_time(intent.text), None) if intent.what == "time" else (None, read_zone(intent.text))
    )
    cause = Cause(message.chat.id, message.message_id, 1)
    await runtime.accounts.daycuts.set(actor, holder.kind, holder.id, cause, at=at, zone=zone)


async def _one(runtime: Runtime, actor: Actor, number: str | None) -> Holder:
    holders = await holders_of(runtime, actor, number)
    if len(holders) == 1:
        return holders[0]
    numbers = ", ".join(holder.no for holder in holders)
    if holders[0].kind == "s":
        raise Refusal("supplier_ambiguous", suppliers=numbers)
    raise Refusal("merchant_ambiguous", merchants=numbers)
