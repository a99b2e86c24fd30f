"""Figures of today and of the last seven days: volume, success, and everything together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiogram import Router
from aiogram.types import Message

from core.access import Actor
from core.bills import Days
from core.runtime import Runtime
from core.statistics import By, Query, Row, Statistics, last_seven_days
from handlers.context import Wants, say
from handlers.holders import Holder, holders_of
from handlers.intents import ShowStatistics

# More rows than these are added up before they are handed on.
MAX_ROWS: Final = 30
_FIGURES: Final = ("created", "cohort_paid", "paid", "amount_minor", "fee_minor", "cost_minor")


def router() -> Router:
    """How is it going?"""
    routes = Router(name="statistics")
    routes.message.register(show_statistics, Wants(ShowStatistics))
    return routes


async def show_statistics(
    message: Message, intent: ShowStatistics, actor: Actor, runtime: Runtime
) -> None:
    """All merchants where only staff reads; else what the group is bound to.

    A merchant's people see no channel and no cost, a supplier's no fee and no merchant.
    """
    actor.need("read_money")
    alone = actor.merchant_ids is None and actor.may("see_channel")
    for holder in await holders_of(runtime, actor, intent.number):
        facts = await _facts(runtime, holder, intent.what, alone=alone)
        await say(runtime, actor, "statistics", facts, message.message_id)


@dataclass(frozen=True, slots=True)
class _Names:
    """What rows are called: in Chinese and in English."""

    by: By
    called: dict[str, tuple[str, str]]

    def of(self, row: Row) -> tuple[str, str]:
        match self.by:
            case "merchant":
                key = str(row.merchant_id)
            case "product":
                key = row.product_code or ""
            case _:
                key = row.channel_no or ""
        return self.called.get(key, (key or "–", key or "–"))


async def _facts(runtime: Runtime, holder: Holder, what: str, *, alone: bool) -> dict[str, Any]:
    open_day = await runtime.bills.open_day(holder.id)
    week = last_seven_days(open_day)
    parts = []
    for by in _cuts(holder, what, alone=alone):
        names = await _names(runtime, by)
        today = await _read(runtime, holder, by, Days.one(open_day))
        part = {"by": by, "today": _shown(today, names)}
        if what != "volume":
            part["week"] = _shown(await _read(runtime, holder, by, week), names)
        parts.append(part)
    return {
        "what": what,
        "holder": holder.kind,
        "holder_no": holder.no,
        "holder_name": holder.name,
        "currency": holder.currency,
        "zone": holder.day_cut.zone,
        "at": runtime.clock.now().isoformat(),
        "day": open_day.isoformat(),
        "first": week.first.isoformat(),
        "last": week.last.isoformat(),
        "fees": alone or holder.kind == "m",
        "costs": alone or holder.kind == "s",
        "parts": parts,
    }


def _cuts(holder: Holder, what: str, *, alone: bool) -> list[By]:
    """What the rows are told apart by, one table after the other."""
    if holder.kind == "s":
        return ["channel"]
    cuts: list[By] = ["product"]
    if what == "stats" and holder.kind == "p":
        cuts.insert(0, "merchant")
    if what != "volume" and alone:
        cuts.append("channel")
    return cuts


async def _read(runtime: Runtime, holder: Holder, by: By, days: Days) -> Statistics:
    channel_nos = None
    if holder.kind == "s":
        channel_nos = tuple(await runtime.channels.names(supplier_id=holder.id))
    return await runtime.statistics.read(
        Query(
            days.first,
            days.last,
            merchant_ids=(holder.id,) if holder.kind == "m" else None,
            channel_nos=channel_nos,
            currency=holder.currency,
            by=(by,),
            zone=holder.day_cut.zone,
        )
    )


async def _names(runtime: Runtime, by: By) -> _Names:
    match by:
        case "merchant":
            everybody = await runtime.merchants.everybody()
            called = {str(m.id): (f"{m.merchant_no} {m.name}",) * 2 for m in everybody}
        case "product":
            products = await runtime.channels.products()
            called = {code: (p.name_zh, p.name_en) for code, p in products.items()}
        case _:
            channels = await runtime.channels.names()
            called = {no: (f"{no} {name}",) * 2 for no, name in channels.items()}
    return _Names(by, called)


def _shown(found: Statistics, names: _Names) -> dict[str, Any]:
    # Prepayments are counted as well, under no product and no channel, and move no figure here.
    moved = [row for row in found.rows if any(_figures(row).values())]
    rows = sorted(moved, key=lambda row: (-row.amount_minor, names.of(row)))
    shown = [_figures(row) | _called(*names.of(row)) for row in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        shown.append(_added(_figures(row) for row in rows[MAX_ROWS:]) | _called("", ""))
    return {
        "rows": shown,
        "total": _figures(found.total),
        "average": _figures(found.average),
        "days": found.days,
    }


def _figures(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIGURES}


def _called(name_zh: str, name_en: str) -> dict[str, Any]:
    """name '': the rest of the rows, added up."""
    return {"name_zh": name_zh, "name_en": name_en}


def _added(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    kept = list(rows)
    return {name: sum(row[name] for row in kept) for name in _FIGURES}
