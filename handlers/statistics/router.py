"""Counts of today and of the last seven days: volume, success, and everything together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Final

from aiogram import Router
from aiogram.types import Message

from core.kernel.days import Days
from core.parties.district import Parties
from core.people.actors import Actor
from core.reports import statistics
from core.reports.district import Reports
from core.reports.order_lists import OrderFilter, Recent
from core.reports.statistics import AnswerTime, Query, last_seven_days
from core.supply.district import Supply
from core.system.district import System
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.holders import Holder, Holders, means_platform
from handlers.statistics.screens import (
    COUNTED,
    NONE,
    Counts,
    Cut,
    Line,
    Part,
    Period,
    StatisticsNotice,
    added,
)
from handlers.statistics.words import ShowStatistics, What

# More rows than these are added up before they are handed on.
MAX_ROWS: Final = 30
# Rows are called this where they have no product and no channel.
_NAMELESS: Final = "–"
ANSWERS_OF: Final = timedelta(days=7)
_NOTHING: Final = Period((), NONE, NONE, 0)
_Names = Mapping[str, tuple[str, str]]  # by key: in Chinese and in English


def add_routes(routes: Router) -> None:
    """How is it going?"""
    routes.message.register(show_statistics, Wants(ShowStatistics))


async def show_statistics(
    _: Message,
    chat: Chat,
    intent: ShowStatistics,
    holders: Holders,
    reports: Reports,
    supply: Supply,
    parties: Parties,
    system: System,
) -> None:
    """All merchants where only staff reads; else what the group is bound to.

    A merchant's people see no channel and no cost, a supplier's no fee and no merchant. What the
    platform earns is for those who read its bill.
    """
    actor = chat.actor
    actor.need("read_money")
    if means_platform(actor, intent.number):
        actor.need("read_statistics")
    for holder in await holders.meant(actor, intent.number, intent.currency):
        earned = _may_see_both(actor, holder)
        open_day = await reports.bills.open_day(holder.id)
        week = last_seven_days(open_day)
        await chat.say(
            StatisticsNotice(
                what=intent.what,
                holder=holder.kind,
                holder_no=holder.no,
                holder_name=holder.name,
                currency=holder.currency,
                also=holder.also,
                zone=holder.day_cut.zone,
                at=system.clock.now(),
                day=open_day,
                first=week.first,
                last=week.last,
                fees=holder.kind == "m" or (holder.kind == "p" and earned),
                costs=holder.kind == "s" or earned,
                parts=await _parts(
                    holder,
                    _cuts(holder, intent.what, alone=_alone(actor)),
                    (Days.one(open_day), week if intent.what != "volume" else None),
                    reports,
                    supply,
                    parties,
                ),
                recent=await _recent(actor, holder, intent.what, open_day, reports),
                answers=await _answers(actor, holder, intent.what, system.clock.now(), reports),
            )
        )


async def _recent(
    actor: Actor, holder: Holder, what: What, open_day: date, reports: Reports
) -> tuple[Recent, ...]:
    """Success of the last minutes: of a merchant, a supplier, or all of them. The day before
    belongs to it in the first hour of a day."""
    shared = actor.in_suppliers_group and len(actor.supplier_ids or ()) > 1
    if what != "stats" or shared or not actor.may("look_up"):
        return ()
    wanted = OrderFilter(Days(open_day - timedelta(days=1), open_day), holder.currency)
    if holder.kind == "m":
        wanted = replace(wanted, merchant_ids=(holder.id,))
    elif holder.kind == "s" and not actor.in_suppliers_group:
        if not (_alone(actor) and actor.may("read_statistics")):
            return ()
        wanted = replace(wanted, supplier_nos=(holder.no,))
    lists = reports.order_lists
    return await lists.recent(lists.seen(actor, wanted))


async def _answers(
    actor: Actor, holder: Holder, what: What, now: datetime, reports: Reports
) -> tuple[AnswerTime, ...]:
    """How soon suppliers answer: all of them, for staff among themselves; in a supplier's group,
    its own."""
    if what != "stats" or holder.kind == "m" or (holder.kind == "p" and not _alone(actor)):
        return ()
    supplier_id = holder.id if holder.kind == "s" else None
    return await reports.statistics.answer_times(now - ANSWERS_OF, supplier_id)


def _alone(actor: Actor) -> bool:
    """Whether only staff reads along that may see channels."""
    return actor.merchant_ids is None and actor.may("see_channel")


def _may_see_both(actor: Actor, holder: Holder) -> bool:
    """Whether fee and cost may stand beside each other: what is earned."""
    return _alone(actor) and (holder.kind != "p" or actor.may("read_platform"))


async def _parts(
    holder: Holder,
    cuts: Sequence[Cut],
    days: tuple[Days, Days | None],
    reports: Reports,
    supply: Supply,
    parties: Parties,
) -> tuple[Part, ...]:
    """One for each cut. days: today, and those before it where they are asked for."""
    today = await _read(reports, holder, cuts, days[0])
    week = None if days[1] is None else await _read(reports, holder, cuts, days[1])
    parts = []
    for place, by in enumerate(cuts):
        found = [today[place]] if week is None else [today[place], week[place]]
        periods = _shown(by, found, await _called(supply, parties, by))
        parts.append(Part(by, periods[0], _NOTHING if week is None else periods[1]))
    return tuple(parts)


def _cuts(holder: Holder, what: What, *, alone: bool) -> list[Cut]:
    """What the rows are told apart by, one table after the other."""
    if holder.kind == "s":
        return ["channel"]
    cuts: list[Cut] = ["product"]
    if what == "stats" and holder.kind == "p":
        cuts.insert(0, "merchant")
    if what != "volume" and alone:
        cuts.append("channel")
    return cuts


async def _read(
    reports: Reports, holder: Holder, cuts: Sequence[Cut], days: Days
) -> list[statistics.Figures]:
    """For each cut."""
    match holder.kind:
        case "p":
            return await reports.statistics.of_platform(days, cuts, holder.currency)
        case "s":
            return [await reports.statistics.of_supplier(holder.id, days)]
        case "m":
            return [
                await reports.statistics.read(
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


async def _called(supply: Supply, parties: Parties, by: Cut) -> _Names:
    """What rows are called."""
    match by:
        case "merchant":
            everybody = await parties.merchants.everybody()
            return {str(m.id): (f"{m.merchant_no} {m.name}",) * 2 for m in everybody}
        case "product":
            products = (await supply.market.now()).products
            return {code: (p.name_zh, p.name_en) for code, p in products.items()}
        case "channel":
            channels = await supply.channels.names()
            return {no: (f"{no} {name}",) * 2 for no, name in channels.items()}


def _key(by: Cut, row: statistics.Row) -> str:
    """'': others, added up."""
    match by:
        case "merchant":
            return str(row.merchant_id or "")
        case "product":
            return row.product_code or _NAMELESS
        case "channel":
            return row.channel_no or _NAMELESS


def _shown(by: Cut, found: Sequence[statistics.Figures], names: _Names) -> list[Period]:
    """Each with its rows, the largest first. The same keys are added up as others in all of
    them."""
    # Prepayments are counted as well, under no product and no channel, and move no figure here.
    rows = [
        {_key(by, row): counts for row in of.rows if not (counts := _counts(row)).empty}
        for of in found
    ]
    amounts = {
        key: sum(of[key].amount_minor for of in rows if key in of)
        for key in dict.fromkeys(key for of in rows for key in of)
    }
    named = sorted((key for key in amounts if key), key=lambda key: (-amounts[key], key))
    kept = set(named[:MAX_ROWS])
    return [
        Period(_lines(these, kept, names), _counts(of.total), _counts(of.average), of.days)
        for of, these in zip(found, rows, strict=True)
    ]


def _lines(rows: Mapping[str, Counts], kept: set[str], names: _Names) -> tuple[Line, ...]:
    """Those that are kept by their names, and one of all others."""
    shown = sorted(kept & rows.keys(), key=lambda key: (-rows[key].amount_minor, key))
    lines = [_line(key, rows[key], names.get(key, (key, key))) for key in shown]
    rest = [rows[key] for key in sorted(rows.keys() - kept)]
    return (*lines, _line("", added(rest), ("", ""))) if rest else tuple(lines)


def _line(key: str, counts: Counts, name: tuple[str, str]) -> Line:
    return Line(key=key, name_zh=name[0], name_en=name[1], **asdict(counts))


def _counts(row: statistics.Row) -> Counts:
    return Counts(*(getattr(row, name) for name in COUNTED))
