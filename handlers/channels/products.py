"""Products and who sells them, and why an order goes to which channel."""

from __future__ import annotations

from typing import Any

from aiogram import Router
from aiogram.types import Message

from core.accounts.vouchers import Cause
from core.kernel.errors import Refusal
from core.kernel.money import HOME_CURRENCY, Money
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.catalogue import RIGHT
from core.supply.channels import Channel, Wish
from handlers.channels.router import SEE, need_alone
from handlers.channels.words import AskWhy, ChangeProduct, ShowProducts, minor
from handlers.kit.context import Wants, say


def router() -> Router:
    """What is sold, and over what?"""
    routes = Router(name="products")
    routes.message.register(show, Wants(ShowProducts))
    routes.message.register(change, Wants(ChangeProduct))
    routes.message.register(why, Wants(AskWhy))
    return routes


async def show(message: Message, intent: ShowProducts, actor: Actor, runtime: Runtime) -> None:
    """Every product with its channels: everybody's, or those a merchant's orders go by."""
    need_alone(actor, SEE)
    facts = await _facts(runtime, await _merchant(runtime, actor, intent.merchant_no))
    await say(runtime, actor, "products", facts, message.message_id)


async def change(message: Message, intent: ChangeProduct, actor: Actor, runtime: Runtime) -> None:
    """One channel more or less, or the product on or off; where it is so already, that is said
    with all products."""
    need_alone(actor, RIGHT)
    merchant = await _merchant(runtime, actor, intent.merchant_no)
    cause = Cause(actor.chat_id, message.message_id, 1)
    code, selling = intent.product_code, runtime.supply.catalogue
    if intent.verb == "on" or intent.verb == "off":
        told = await selling.turn_product(actor, code, intent.verb, cause, merchant=merchant)
    else:
        told = await selling.set_channels(
            actor, code, intent.verb, intent.channel_no, cause, merchant=merchant
        )
    if not told:
        facts = await _facts(runtime, merchant, same=True)
        await say(runtime, actor, "products", facts, message.message_id)


async def why(message: Message, intent: AskWhy, actor: Actor, runtime: Runtime) -> None:
    """Which channels would take such an order now, in which order, and why not the others."""
    need_alone(actor, SEE)
    merchant = await _merchant(runtime, actor, intent.merchant_no)
    currency = merchant.currency if merchant is not None else HOME_CURRENCY
    amount = Money(minor(intent.amount, currency), currency)
    if not amount.minor:
        raise Refusal("amount_invalid", text=intent.amount, currency=currency, example="100.00")
    mode = "test" if intent.test else "live"
    merchant_id = merchant.id if merchant is not None else None
    choice = await runtime.supply.routing.explain(
        Wish(merchant_id, mode, intent.product_code, amount)
    )
    sold = await runtime.supply.channel_sets.of(intent.product_code, merchant_id)
    product = (await runtime.supply.channels.products.all())[intent.product_code]
    names = await runtime.supply.channels.names()
    facts = {
        "product_code": intent.product_code,
        "product_off": product.state == "off",
        "merchant_no": merchant.merchant_no if merchant else "",
        "merchant_name": merchant.name if merchant else "",
        "own": sold.own,
        "not_open": merchant is not None
        and intent.product_code not in await runtime.parties.merchants.offers.of(merchant),
        "mode": mode,
        "minor": amount.minor,
        "currency": currency,
        "ranked": [_ranked(channel, choice.ranked) for channel in choice.ranked],
        "lines": [
            {
                "channel_no": reason.channel_no,
                "name": names.get(reason.channel_no, ""),
                "code": reason.code,
                "facts": reason.facts,
            }
            for reason in choice.reasons
        ],
    }
    await say(runtime, actor, "why", facts, message.message_id)


def _ranked(channel: Channel, ranked: tuple[Channel, ...]) -> dict[str, Any]:
    """share: of the orders, in percent, among channels of the same priority."""
    equals = [other.weight for other in ranked if other.priority == channel.priority]
    return {
        "channel_no": channel.channel_no,
        "name": channel.name,
        "supplier_no": channel.supplier_no,
        "priority": channel.priority,
        "share": round(100 * channel.weight / sum(equals)),
        "alone": len(equals) == 1,
    }


async def _merchant(runtime: Runtime, actor: Actor, merchant_no: str | None) -> Merchant | None:
    """Refusals: merchant_not_found."""
    return await runtime.people.access.merchant_in(actor, merchant_no) if merchant_no else None


async def _facts(
    runtime: Runtime, merchant: Merchant | None, *, same: bool = False
) -> dict[str, Any]:
    """same: somebody wanted it as it is already."""
    offers = await runtime.parties.merchants.offers.of(merchant) if merchant is not None else {}
    merchant_id = merchant.id if merchant is not None else None
    states = {channel.channel_no: channel.state for channel in await runtime.supply.channels.all()}
    lines = []
    for code, product in (await runtime.supply.channels.products.all()).items():
        sold = await runtime.supply.channel_sets.of(code, merchant_id)
        lines.append(
            {
                "code": code,
                "name_zh": product.name_zh,
                "name_en": product.name_en,
                "state": product.state,
                "own": sold.own,
                "not_open": merchant is not None and product.state == "on" and code not in offers,
                "channels": [{"no": no, "on": states[no] == "on"} for no in sold.channel_nos],
            }
        )
    return {
        "merchant_no": merchant.merchant_no if merchant else "",
        "merchant_name": merchant.name if merchant else "",
        "same": same,
        "lines": lines,
    }
