"""Figures of today and of the last seven days: volume, success, and everything together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiogram import Router
from aiogram.types import Message

from core.kernel.days import Days
from core.people.actors import Actor
from core.reports.statistics import By, Figures, Query, Row, last_seven_days
from core.runtime import Runtime
from handlers.kit.context import Wants, say
from handlers.kit.holders import Holder, holders_of, means_platform
from handlers.statistics.screens import FIGURES, added
from handlers.statistics.words import ShowStatistics

# More rows than these are added up before they are handed on.
MAX_ROWS: Final = 30
# Rows are called this where they have no product and no channel.
_NAMELESS: Final = "–"


def router() -> Router:
    """How is it going?"""
    routes = Router(name="statistics")
    routes.message.register(show_statistics, Wants(ShowStatistics))
    return routes


async def show_statistics(
    message: Message, intent: ShowStatistics, actor: Actor, runtime: Runtime
) -> None:
    """All merchants where only staff reads; else what the group is bound to.

    A merchant's people see no channel and no cost, a supplier's no fee and no merchant. What the
    platform earns is for those who read its bill.
    """
    actor.need("read_money")
    if means_platform(actor, intent.number):
        actor.need("read_statistics")
    for holder in await holders_of(runtime, actor, intent.number, intent.currency):
        facts = await _facts(runtime, actor, holder, intent.what)
        await say(runtime, actor, "statistics", facts, message.message_id)


async def _facts(runtime: Runtime, actor: Actor, holder: Holder, what: str) -> dict[str, Any]:
    alone = actor.merchant_ids is None and actor.may("see_channel")
    earned = alone and (holder.kind != "p" or actor.may("read_platform"))
    open_day = await runtime.reports.bills.open_day(holder.id)
    week = last_seven_days(open_day)
    cuts = _cuts(holder, what, alone=alone)
    today = await _read(runtime, holder, cuts, Days.one(open_day))
    before = await _read(runtime, holder, cuts, week) if what != "volume" else []
    parts = []
    for place, by in enumerate(cuts):
        called = await _called(runtime, by)
        found = {"today": today[place]} | ({"week": before[place]} if before else {})
        parts.append({"by": by} | _shown(by, found, called))
    return {
        "what": what,
        "holder": holder.kind,
        "holder_no": holder.no,
        "holder_name": holder.name,
        "currency": holder.currency,
        "also": list(holder.also),
        "zone": holder.day_cut.zone,
        "at": runtime.system.clock.now().isoformat(),
        "day": open_day.isoformat(),
        "first": week.first.isoformat(),
        "last": week.last.isoformat(),
        "fees": holder.kind == "m" or (holder.kind == "p" and earned),
        "costs": holder.kind == "s" or earned,
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


async def _read(runtime: Runtime, holder: Holder, cuts: Sequence[By], days: Days) -> list[Figures]:
    """For each cut."""
    match holder.kind:
        case "p":
            return await runtime.reports.statistics.of_platform(days, cuts, holder.currency)
        case "s":
            return [await runtime.reports.statistics.of_supplier(holder.id, days)]
        case "m":
            return [
                await runtime.reports.statistics.read(
                    Query(
                        days.first,
                        days.last,
                        merchant_ids=(holder.id,),
                        currency=holder.currency,
                        by=(by,),
                        zone=holder.day_cut.zone,
                    )
                )
                for by in cuts
            ]


async def _called(runtime: Runtime, by: By) -> dict[str, tuple[str, str]]:
    """What rows are called, by their key: in Chinese and in English."""
    match by:
        case "merchant":
            everybody = await runtime.parties.merchants.everybody()
            return {str(m.id): (f"{m.merchant_no} {m.name}",) * 2 for m in everybody}
        case "product":
            products = await runtime.supply.channels.products.on_sale()
            return {code: (p.name_zh, p.name_en) for code, p in products.items()}
        case _:
            channels = await runtime.supply.channels.names()
            return {no: (f"{no} {name}",) * 2 for no, name in channels.items()}


def _key(by: By, row: Row) -> str:
    """'': others, added up."""
    match by:
        case "merchant":
            return str(row.merchant_id or "")
        case "product":
            return row.product_code or _NAMELESS
        case _:
            return row.channel_no or _NAMELESS


def _shown(by: By, found: dict[str, Figures], called: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Rows with their figures and key. The same keys are added up as others on all days."""
    # Prepayments are counted as well, under no product and no channel, and move no figure here.
    rows = {
        when: {_key(by, row): _figures(row) for row in of.rows if any(_figures(row).values())}
        for when, of in found.items()
    }
    amounts = {
        key: sum(of[key]["amount_minor"] for of in rows.values() if key in of)
        for key in dict.fromkeys(key for of in rows.values() for key in of)
    }
    named = sorted((key for key in amounts if key), key=lambda key: (-amounts[key], key))
    kept = set(named[:MAX_ROWS])
    parts = {}
    for when, of in found.items():
        of_these = rows[when]
        shown = [
            of_these[key] | _names(key, called)
            for key in sorted(
                kept & of_these.keys(), key=lambda key: (-of_these[key]["amount_minor"], key)
            )
        ]
        rest = [of_these[key] for key in sorted(of_these.keys() - kept)]
        if rest:
            shown.append(added(rest) | _names("", {"": ("", "")}))
        parts[when] = {
            "rows": shown,
            "total": _figures(of.total),
            "average": _figures(of.average),
            "days": of.days,
        }
    return parts


def _figures(row: Row) -> dict[str, int]:
    return {name: getattr(row, name) for name in FIGURES}


def _names(key: str, called: dict[str, tuple[str, str]]) -> dict[str, Any]:
    name_zh, name_en = called.get(key, (key, key))
    return {"key": key, "name_zh": name_zh, "name_en": name_en}
