"""When business days begin: a merchant's, a supplier's, the platform's."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.accounts.district import Accounts
from core.accounts.vouchers import Cause
from core.kernel.clock import read_time, read_zone
from core.kernel.errors import Refusal
from core.people.actors import Actor
from handlers.bills.words import SetDayCut
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.holders import Holder, Holders


def add_routes(routes: Router) -> None:
    """Day cuts and time zones."""
    routes.message.register(set_day_cut, Wants(SetDayCut))


async def set_day_cut(
    _: Message, chat: Chat, intent: SetDayCut, holders: Holders, accounts: Accounts
) -> None:
    """From the next day on; the open one ends when it would have. Refusals: time_invalid,
    zone_unknown, merchant_ambiguous, supplier_ambiguous."""
    chat.actor.need("day_cut")
    holder = await _one(holders, chat.actor, intent.number)
    at, zone = (
        (read_time(intent.text), None) if intent.what == "time" else (None, read_zone(intent.text))
    )
    cause = Cause(chat.id, chat.message_id, 1)
    await accounts.daycuts.set(chat.actor, holder.kind, holder.id, cause, at=at, zone=zone)


async def _one(holders: Holders, actor: Actor, number: str | None) -> Holder:
    found = await holders.meant(actor, number)
    if len(found) == 1:
        return found[0]
    numbers = ", ".join(holder.no for holder in found)
    if found[0].kind == "s":
        raise Refusal("supplier_ambiguous", suppliers=numbers)
    raise Refusal("merchant_ambiguous", merchants=numbers)
