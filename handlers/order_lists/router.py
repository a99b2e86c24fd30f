"""Lists of orders, in the chat: what is meant by words, and pages of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, MAX_MINOR, format_minor
from core.parties.district import Parties
from core.people.actors import Actor
from core.reports.district import Reports
from core.reports.exports import Paper
from core.reports.order_lists import FilteredOrders, OrderFilter, OrderPage, Turn
from core.supply.channels import Product
from core.supply.district import Supply
from core.system.district import System
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.holders import Holder, Holders
from handlers.order_lists.buttons import ExportOrders, TurnOrders
from handlers.order_lists.filters import MAX_WORDS, Limit, Wanted
from handlers.order_lists.screens import FilterUnknown, OrderListNotice
from handlers.order_lists.words import ShowOrders
from texts.days import resolve

_MAX_NAMED: Final = 20  # merchants of one list
MAX_DAYS: Final = 31  # what all of them come to is added up anew for each page
_MAX_TOLD: Final = 3  # of them, by their names
_LIVE, _TEST = "live", "test"


def add_routes(routes: Router) -> None:
    """Which orders are these?"""
    routes.message.register(show_orders, Wants(ShowOrders))
    routes.callback_query.register(turn_orders, Presses(TurnOrders))
    routes.callback_query.register(export_orders, Presses(ExportOrders))


async def show_orders(
    _: Message,
    chat: Chat,
    intent: ShowOrders,
    holders: Holders,
    reports: Reports,
    supply: Supply,
    parties: Parties,
    system: System,
) -> None:
    """The first page; or what was not understood. A supplier's people see what it was sent, and
    nothing of merchants."""
    products = (await supply.market.now()).products
    codes, unknown = _products(intent.wanted.others, products)
    if unknown:
        chat.actor.need("look_up")
        await chat.refuse(FilterUnknown(tuple(unknown)))
        return
    wanted = await _filter_of(chat.actor, intent.wanted, codes, holders, reports)
    listed = reports.order_lists.seen(chat.actor, wanted)
    if not chat.actor.in_suppliers_group:  # whose people do not learn which others there are
        await _need_channels(wanted, supply, parties)
    page = await reports.order_lists.page(listed, Turn())
    list_id = await reports.order_lists.keep(wanted)
    await chat.say(await _notice(chat, list_id, listed, page, supply, parties, system))


async def turn_orders(
    _: CallbackQuery,
    chat: Chat,
    button: TurnOrders,
    reports: Reports,
    supply: Supply,
    parties: Parties,
    system: System,
) -> None:
    """Another page, as whoever pressed may see it, in the place of the one that carries the
    button."""
    chat.actor.need("look_up")
    lists = reports.order_lists
    listed = lists.seen(chat.actor, await lists.kept(button.list_id))
    page = await lists.page(listed, button.turn)
    await chat.replace(await _notice(chat, button.list_id, listed, page, supply, parties, system))


async def export_orders(
    _: CallbackQuery, chat: Chat, button: ExportOrders, reports: Reports
) -> None:
    """All lines, as whoever pressed may see them, as a file in reply to what carries the
    button."""
    chat.actor.need("look_up")
    lists = reports.order_lists
    listed = lists.seen(chat.actor, await lists.kept(button.list_id))
    paper = Paper.of_list(listed, await chat.zone())
    await reports.exports.ask(chat.actor, [paper], reply_to=chat.message_id)


def _products(words: Iterable[str], products: Mapping[str, Product]) -> tuple[list[str], list[str]]:
    """(the codes of products that are called so, what is called nothing)."""
    called = {
        name.lower(): code
        for code, product in products.items()
        for name in (code, product.name_zh, product.name_en)
    }
    known = [called[word.lower()] for word in words if word.lower() in called]
    return list(dict.fromkeys(known)), [word for word in words if word.lower() not in called]


async def _filter_of(
    actor: Actor, wanted: Wanted, codes: list[str], holders: Holders, reports: Reports
) -> OrderFilter:
    """What words mean here: days of the first merchant that is meant, amounts in its currency.

    Refusals: those of `Holders.meant` (currency_not_here also where merchants are named that count
    in several), `resolve` and `_minor`, filter_too_long, range_too_long, and of rights before
    anybody learns what there is.
    """
    actor.need("look_up")
    if wanted.too_long or len(wanted.merchants) > _MAX_NAMED:
        raise Refusal("filter_too_long", words=MAX_WORDS, merchants=_MAX_NAMED)
    if (wanted.channels or wanted.suppliers) and not actor.in_suppliers_group:
        actor.need_among_staff("see_channel")
    meant: list[Holder] = []
    for number in wanted.merchants or (None,):
        currency = wanted.currency or (meant[0].currency if meant else None)
        meant += await holders.meant(actor, number, currency)
    first = meant[0]
    ids = [one.id for one in meant if one.currency == first.currency]
    some = bool(wanted.merchants) or (first.kind == "m" and len(ids) < len(meant))
    days = resolve(wanted.days, await reports.bills.open_day(first.id))
    if len(days) > MAX_DAYS:
        raise Refusal("range_too_long", limit_days=MAX_DAYS)
    least, most = (
        _minor(limit, first.currency, least=place == 0)
        for place, limit in enumerate((wanted.least, wanted.most))
    )
    return OrderFilter(
        days,
        first.currency,
        merchant_ids=tuple(ids) if some else (),
        product_codes=tuple(codes),
        channel_nos=wanted.channels,
        supplier_nos=wanted.suppliers,
        least_minor=least,
        most_minor=most,
        pay=wanted.pay,
        news=wanted.news,
        marks=wanted.marks,
        mode=_TEST if wanted.test else _LIVE,
    )


def _minor(limit: Limit | None, currency: str, *, least: bool) -> int | None:
    """The smallest, or the largest, amount that is within. Refusals: those of `Typed.units_in`,
    amount_invalid (nothing is as large)."""
    if limit is None:
        return None
    scaled = limit.amount.units_in(currency) * Decimal(10) ** EXPONENTS[currency]
    if scaled > MAX_MINOR:
        example = format_minor(100 * 10 ** EXPONENTS[currency], currency)
        raise Refusal("amount_invalid", text=limit.amount.text, currency=currency, example=example)
    if least:
        whole = int(scaled.to_integral_value(ROUND_CEILING))
        return whole + (not limit.included and whole == scaled)
    whole = int(scaled.to_integral_value(ROUND_FLOOR))
    return whole - (not limit.included and whole == scaled)


async def _need_channels(wanted: OrderFilter, supply: Supply, parties: Parties) -> None:
    """Refusals: channel_not_found, supplier_not_found."""
    for supplier_no in wanted.supplier_nos:
        await parties.suppliers.by_no(supplier_no)
    known = await supply.channels.names() if wanted.channel_nos else {}
    for channel_no in wanted.channel_nos:
        if channel_no not in known:
            raise Refusal("channel_not_found", channel_no=channel_no)


async def _notice(
    chat: Chat,
    list_id: UUID,
    listed: FilteredOrders,
    page: OrderPage,
    supply: Supply,
    parties: Parties,
    system: System,
) -> OrderListNotice:
    wanted, sight = listed.wanted, listed.sight
    products = (await supply.market.now()).products
    codes = {*(line.product_code for line in page.lines), *wanted.product_codes}
    return OrderListNotice(
        list_id=list_id,
        wanted=wanted,
        whose=await _whose(listed, parties),
        attempts=sight.supplier_ids is not None,
        several=sight.merchant_ids is None or len(sight.merchant_ids) > 1,
        fees=sight.fees,
        costs=sight.costs,
        names={
            code: (products[code].name_zh, products[code].name_en)
            for code in sorted(codes & products.keys())
        },
        zone=await chat.zone(),
        at=system.clock.now(),
        turn=page.turn,
        pages=page.pages,
        older=page.older,
        totals=page.totals,
        recent=page.recent,
        lines=page.lines,
    )


async def _whose(listed: FilteredOrders, parties: Parties) -> tuple[str, ...]:
    """Numbers and names, the first few; nothing where everybody's orders are listed."""
    sight = listed.sight
    if sight.supplier_ids is not None:
        all_of_them = await parties.suppliers.all()
        return tuple(
            f"{one.supplier_no} {one.name}" for one in all_of_them if one.id in sight.supplier_ids
        )
    ids = (sight.merchant_ids or ())[:_MAX_TOLD]
    merchants = [await parties.merchants.by_id(one) for one in ids]
    return tuple(f"{one.merchant_no} {one.name}" for one in merchants)
