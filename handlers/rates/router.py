"""Rates and costs: read, set from a day on, and charged anew for days that are past."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.kernel.tariff import format_tariff
from core.parties.district import Parties
from core.parties.merchants import Merchant, Offer
from core.people.district import People
from core.people.receipts import Cause
from core.reports.district import Reports
from core.supply.channels import Product
from core.supply.district import Supply
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.refusals import RefusalNotice
from handlers.rates.buttons import AnswerRerating
from handlers.rates.screens import CostLine, RateLine, Rates, SupplierRates
from handlers.rates.words import Rerate, SetCost, SetRate, ShowRates, first_day
from texts.days import resolve
from texts.tariffs import parse_tariff


def add_routes(routes: Router) -> None:
    """What does it cost?"""
    routes.message.register(show_rates, Wants(ShowRates))
    routes.message.register(set_rate, Wants(SetRate))
    routes.message.register(set_cost, Wants(SetCost))
    routes.message.register(rerate, Wants(Rerate))
    routes.callback_query.register(answer, Presses(AnswerRerating))


async def show_rates(
    _: Message, chat: Chat, intent: ShowRates, people: People, parties: Parties, supply: Supply
) -> None:
    """What the merchant pays for each product, since when, and what comes; in a supplier's group,
    what that supplier charges on each of its channels."""
    chat.actor.need("read_money")
    if intent.merchant_no is None and chat.actor.supplier_ids:
        for supplier_id in chat.actor.supplier_ids:
            await chat.say(await _costs(parties, supply, supplier_id))
        return
    merchant = await people.access.merchant_in(
        chat.actor, intent.merchant_no, example="/rates M1001"
    )
    offers = await parties.merchants.offers.of(merchant)
    coming = await parties.merchants.offers.coming(merchant)
    products = (await supply.market.now()).products
    lines = tuple(
        _line(products.get(code, Product(code, code, code)), merchant, offers, coming)
        for code in sorted(offers.keys() | coming.keys())
    )
    await chat.say(Rates(merchant.merchant_no, merchant.name, merchant.currency, lines))


async def set_rate(
    _: Message, chat: Chat, intent: SetRate, people: People, accounts: Accounts, reports: Reports
) -> None:
    """A merchant's rate for a product, from now or from a day on."""
    chat.actor.need("price")
    example = f"/rate M1001 {intent.product_code} {intent.tariff}"
    merchant = await people.access.merchant_in(chat.actor, intent.merchant_no, example=example)
    await accounts.pricing.set_rate(
        chat.actor,
        merchant,
        intent.product_code,
        parse_tariff(intent.tariff, merchant.currency),
        Cause(chat.id, chat.message_id, 1),
        valid_from=first_day(intent.since, await reports.bills.open_day(merchant.id)),
    )


async def set_cost(
    _: Message, chat: Chat, intent: SetCost, supply: Supply, accounts: Accounts
) -> None:
    """A channel's cost. Where others read along, only who asked hears that it is not said here."""
    chat.actor.need("price")
    if chat.actor.merchant_ids is not None:
        await chat.refuse(RefusalNotice("cost_not_here"), alone=True)
        return
    channel = await supply.channels.costs(intent.channel_no)
    await accounts.pricing.set_cost(
        chat.actor,
        channel.channel_no,
        parse_tariff(intent.tariff, channel.currency),
        Cause(chat.id, chat.message_id, 1),
        valid_from=first_day(intent.since, channel.today),
    )


async def rerate(
    _: Message, chat: Chat, intent: Rerate, people: People, accounts: Accounts, reports: Reports
) -> None:
    """Show what charging past orders anew would come to, and ask."""
    chat.actor.need("price")
    example = f"/rerate M1001 {intent.product_code} …"
    merchant = await people.access.merchant_in(chat.actor, intent.merchant_no, example=example)
    tariff = parse_tariff(intent.tariff, merchant.currency) if intent.tariff else None
    today = await reports.bills.open_day(merchant.id)
    await accounts.reratings.ask(
        chat.actor,
        merchant,
        intent.product_code,
        resolve(intent.days, today),
        tariff,
        message_id=chat.message_id,
    )


async def answer(_: CallbackQuery, chat: Chat, button: AnswerRerating, accounts: Accounts) -> None:
    """Book the difference, or drop it. A second press finds the question answered."""
    do = accounts.reratings.confirm if button.yes else accounts.reratings.drop
    await do(chat.actor, button.approval_id, message_id=chat.message_id)


def _line(
    product: Product, merchant: Merchant, offers: Mapping[str, Offer], coming: Mapping[str, Offer]
) -> RateLine:
    now, later = offers.get(product.code), coming.get(product.code)
    return RateLine(
        code=product.code,
        name_zh=product.name_zh,
        name_en=product.name_en,
        tariff=format_tariff(now.tariff, merchant.currency) if now else "",
        since=now.since if now else None,
        coming_tariff=format_tariff(later.tariff, merchant.currency) if later else "",
        coming_since=later.since if later else None,
    )


async def _costs(parties: Parties, supply: Supply, supplier_id: UUID) -> SupplierRates:
    supplier = await parties.suppliers.by_id(supplier_id)
    lines = tuple(
        CostLine(channel.channel_no, channel.name, format_tariff(channel.cost, channel.currency))
        for channel in await supply.channels.all(supplier_id)
        if channel.state != "archived"
    )
    return SupplierRates(supplier.supplier_no, supplier.name, supplier.currency, lines)
