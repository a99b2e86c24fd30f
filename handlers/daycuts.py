"""When business days begin: a merchant's, a supplier's, the platform's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiogram import Router
from aiogram.types import Message

from core.access import Actor
from core.clock import DayCut, read_time, read_zone
from core.errors import Refusal
from core.outbox import Say
from core.runtime import Runtime
from core.store import Tx
from handlers.context import Wants
from handlers.holders import Holder, holders_of
from handlers.intents import SetDayCut


def router() -> Router:
    """Day cuts and time zones."""
    routes = Router(name="daycuts")
    routes.message.register(set_day_cut, Wants(SetDayCut))
    return routes


async def set_day_cut(message: Message, intent: SetDayCut, actor: Actor, runtime: Runtime) -> None:
    """From the next day on; the open one ends when it would have. Refusals: time_invalid,
    zone_unknown, merchant_ambiguous."""
    actor.need("day_cut")
    holder = await _one(runtime, actor, intent.number)
    cut = (
        replace(holder.day_cut, at=read_time(intent.text))
        if intent.what == "time"
        else replace(holder.day_cut, zone=read_zone(intent.text))
    )
    day = await runtime.bills.open_day(holder.id)
    ends_at, next_ends_at = await runtime.ledger.day_ends(holder.id, cut)
    facts: dict[str, Any] = {
        "holder": holder.kind,
        "holder_no": holder.no,
        "holder_name": holder.name,
        "before": _shown(holder.day_cut),
        "after": _shown(cut),
        "zone": cut.zone,
        "day": day.isoformat(),
        "ends_at": ends_at.isoformat(),
        "next_ends_at": next_ends_at.isoformat(),
        "actor_name": actor.name,
    }
    merchant_id = holder.id if holder.kind == "m" else None
    async with runtime.store.transaction() as tx:
        if cut != holder.day_cut:
            await _write(runtime, tx, holder, cut)
            await runtime.audit.record(
                tx, "day_cut", actor=actor.trail_name, facts=facts, merchant_id=merchant_id,
                chat_id=message.chat.id, message_id=message.message_id,
            )  # fmt: skip
        await runtime.outbox.say(
            tx, message.chat.id, Say("day_cut_set", facts, reply_to=message.message_id)
        )


async def _one(runtime: Runtime, actor: Actor, number: str | None) -> Holder:
    holders = await holders_of(runtime, actor, number)
    if len(holders) > 1:
        raise Refusal("merchant_ambiguous", merchants=", ".join(h.no for h in holders))
    return holders[0]


async def _write(runtime: Runtime, tx: Tx, holder: Holder, cut: DayCut) -> None:
    match holder.kind:
        case "m":
            await runtime.merchants.set_day_cut(tx, holder.id, cut)
        case "s":
            await runtime.channels.set_day_cut(tx, holder.id, cut)
        case "p":
            await runtime.ledger.set_house_cut(tx, cut)


def _shown(cut: DayCut) -> str:
    return f"{cut.at:%H:%M} {cut.zone}"
