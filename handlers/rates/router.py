"""Rates and costs: read, set from a day on, and charged anew for days that are past."""

from __future__ import annotations

from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import Cause
from core.kernel.tariff import format_tariff, parse_tariff
from core.parties.merchants import Merchant, Offer
from core.people.actors import Actor
from core.runtime import Runtime
from handlers.kit.context import Presses, Wants, refuse, say
from handlers.rates.buttons import AnswerRerating
from handlers.rates.words import Rerate, SetCost, SetRate, ShowRates, first_day
from texts.days import resolve


def router() -> Router:
    """What does it cost?"""
    routes = Router(name="rates")
    routes.message.register(show_rates, Wants(ShowRates))
    routes.message.register(set_rate, Wants(SetRate))
    routes.message.register(set_cost, Wants(SetCost))
    routes.message.register(rerate, Wants(Rerate))
    routes.callback_query.register(answer, Presses(AnswerRerating))
    return routes


async def show_rates(message: Message, intent: ShowRates, actor: Actor, runtime: Runtime) -> None:
    """What the merchant pays for each product, since when, and what comes."""
    actor.need("read_money")
    merchant = await runtime.people.access.merchant_in(
        actor, intent.merchant_no, example="/rates M1001"
    )
    products = await runtime.supply.channels.products.on_sale()
    offers = await runtime.parties.merchants.offers.of(merchant)
    coming = await runtime.parties.merchants.offers.coming(merchant)
    facts = {
        "merchant_no": merchant.merchant_no,
        "merchant_name": merchant.name,
        "currency": merchant.currency,
        "lines": [
            {
                "code": code,
                "name_zh": products[code].name_zh if code in products else code,
                "name_en": products[code].name_en if code in products else code,
                **_line("", offers.get(code), merchant),
                **_line("coming_", coming.get(code), merchant),
            }
            for code in sorted(offers.keys() | coming.keys())
        ],
    }
    await say(runtime, actor, "rates", facts, message.message_id)


async def set_rate(message: Message, intent: SetRate, actor: Actor, runtime: Runtime) -> None:
    """A merchant's rate for a product, from now or from a day on."""
    actor.need("price")
    example = f"/rate M1001 {intent.product_code} {intent.tariff}"
    merchant = await runtime.people.access.merchant_in(actor, intent.merchant_no, example=example)
    await runtime.accounts.pricing.set_rate(
        actor,
        merchant,
        intent.product_code,
        parse_tariff(intent.tariff, merchant.currency),
        Cause(actor.chat_id, message.message_id, 1),
        valid_from=first_day(intent.since, await runtime.reports.bills.open_day(merchant.id)),
    )


async def set_cost(message: Message, intent: SetCost, actor: Actor, runtime: Runtime) -> None:
    """A channel's cost. Where others read along, only who asked hears that it is not said here."""
    actor.need("price")
    if actor.merchant_ids is not None:
        facts = {"code": "cost_not_here", "facts": {}, "line": 0}
        await refuse(runtime, actor, "refusal", facts, message, alone=True)
        return
    channel = await runtime.supply.channels.costs(intent.channel_no)
    await runtime.accounts.pricing.set_cost(
        actor,
        channel.channel_no,
        parse_tariff(intent.tariff, channel.currency),
        Cause(actor.chat_id, message.message_id, 1),
        valid_from=first_day(intent.since, channel.today),
    )


async def rerate(message: Message, intent: Rerate, actor: Actor, runtime: Runtime) -> None:
    """Show what charging past orders anew would come to, and ask."""
    actor.need("price")
    example = f"/rerate M1001 {intent.product_code} …"
    merchant = await runtime.people.access.merchant_in(actor, intent.merchant_no, example=example)
    tariff = parse_tariff(intent.tariff, merchant.currency) if intent.tariff else None
    today = await runtime.reports.bills.open_day(merchant.id)
    await runtime.accounts.reratings.ask(
        actor,
        merchant,
        intent.product_code,
        resolve(intent.days, today),
        tariff,
        message_id=message.message_id,
    )


async def answer(
    query: CallbackQuery, button: AnswerRerating, actor: Actor, runtime: Runtime
) -> None:
    """Book the difference, or drop it. A second press finds the question answered."""
    if query.message is None:
        return
    message_id = query.message.message_id
    answered = runtime.accounts.reratings.confirm if button.yes else runtime.accounts.reratings.drop
    await answered(actor, button.approval_id, message_id=message_id)


def _line(prefix: str, offer: Offer | None, merchant: Merchant) -> dict[str, Any]:
    tariff = format_tariff(offer.tariff, merchant.currency) if offer else ""
    return {f"{prefix}tariff": tariff, f"{prefix}since": str(offer.since) if offer else ""}
