"""Products, made and named, and who sells them; and why an order goes to which channel."""

from __future__ import annotations

from dataclasses import replace

from aiogram import Router
from aiogram.types import Message

from core.accounts.vouchers import Cause
from core.kernel.errors import Refusal
from core.kernel.money import HOME_CURRENCY, Money
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.district import People
from core.supply.catalogue import PRODUCTS_RIGHT, RIGHT
from core.supply.channels import Channel, Wish
from core.supply.district import Supply
from handlers.channels.router import SEE
from handlers.channels.screens import LeftOut, ProductLine, ProductsNotice, Ranked, Seller, Why
from handlers.channels.words import (
    ArchiveProduct,
    AskWhy,
    ChangeProduct,
    NameProduct,
    ShowProducts,
    minor,
)
from handlers.kit.chat import Chat
from handlers.kit.context import Wants


def add_routes(routes: Router) -> None:
    """What is sold, and over what?"""
    routes.message.register(show, Wants(ShowProducts))
    routes.message.register(change, Wants(ChangeProduct))
    routes.message.register(why, Wants(AskWhy))
    routes.message.register(name, Wants(NameProduct))
    routes.message.register(archive, Wants(ArchiveProduct))


async def show(
    _: Message, chat: Chat, intent: ShowProducts, people: People, parties: Parties, supply: Supply
) -> None:
    """Every product with its channels: everybody's, or those a merchant's orders go by."""
    chat.actor.need_among_staff(SEE)
    merchant = await _merchant(people, chat.actor, intent.merchant_no)
    shown = await _products(parties, supply, merchant, archived=intent.archived)
    private = chat.id == chat.actor.user_id
    await chat.say(replace(shown, may_make=private and chat.actor.may(PRODUCTS_RIGHT)))


async def change(
    _: Message, chat: Chat, intent: ChangeProduct, people: People, parties: Parties, supply: Supply
) -> None:
    """One channel more or less, or the product on or off; where it is so already, that is said
    with all products."""
    actor = chat.actor
    actor.need_among_staff(RIGHT)
    merchant = await _merchant(people, actor, intent.merchant_no)
    cause = Cause(chat.id, chat.message_id, 1)
    code, catalogue = intent.product_code, supply.catalogue
    if intent.verb == "on" or intent.verb == "off":
        told = await catalogue.turn_product(actor, code, intent.verb, cause, merchant=merchant)
    else:
        told = await catalogue.set_channels(
            actor, code, intent.verb, intent.channel_no, cause, merchant=merchant
        )
    if not told:
        await chat.say(await _products(parties, supply, merchant, same=True))


async def name(
    _: Message, chat: Chat, intent: NameProduct, parties: Parties, supply: Supply
) -> None:
    """Call it something else; where it is called so already, that is said with all products."""
    names = intent.name_zh, intent.name_en
    cause = Cause(chat.id, chat.message_id, 1)
    if not await supply.catalogue.name_product(chat.actor, intent.product_code, names, cause):
        await chat.say(await _products(parties, supply, None, same=True))


async def archive(
    _: Message, chat: Chat, intent: ArchiveProduct, parties: Parties, supply: Supply
) -> None:
    """Archive it, or restore it; where that was done already, all products are shown."""
    cause = Cause(chat.id, chat.message_id, 1)
    code, move = intent.product_code, intent.move
    if not await supply.catalogue.turn_product(chat.actor, code, move, cause):
        shown = await _products(parties, supply, None, same=True, archived=move == "archive")
        await chat.say(shown)


async def why(
    _: Message, chat: Chat, intent: AskWhy, people: People, parties: Parties, supply: Supply
) -> None:
    """Which channels would take such an order now, in which order, and why not the others."""
    chat.actor.need_among_staff(SEE)
    merchant = await _merchant(people, chat.actor, intent.merchant_no)
    currency = merchant.currency if merchant is not None else HOME_CURRENCY
    amount = Money(minor(intent.amount, currency), currency)
    if not amount.minor:
        raise Refusal("amount_invalid", text=intent.amount, currency=currency, example="100.00")
    mode = "test" if intent.test else "live"
    merchant_id = merchant.id if merchant is not None else None
    choice = await supply.routing.explain(Wish(merchant_id, mode, intent.product_code, amount))
    sold = await supply.channel_sets.of(intent.product_code, merchant_id)
    product = (await supply.channels.products.all())[intent.product_code]
    names = await supply.channels.names()
    explained = Why(
        product_code=intent.product_code,
        product_off=product.state != "on",
        merchant_no=merchant.merchant_no if merchant else "",
        merchant_name=merchant.name if merchant else "",
        own=sold.own,
        not_open=merchant is not None
        and intent.product_code not in await parties.merchants.offers.of(merchant),
        mode=mode,
        minor=amount.minor,
        currency=currency,
        ranked=tuple(_ranked(channel, choice.ranked) for channel in choice.ranked),
        lines=tuple(
            LeftOut(reason.channel_no, names.get(reason.channel_no, ""), reason.code, reason.facts)
            for reason in choice.reasons
        ),
    )
    await chat.say(explained)


def _ranked(channel: Channel, ranked: tuple[Channel, ...]) -> Ranked:
    equals = [other.weight for other in ranked if other.priority == channel.priority]
    return Ranked(
        channel_no=channel.channel_no,
        name=channel.name,
        supplier_no=channel.supplier_no,
        priority=channel.priority,
        share=round(100 * channel.weight / sum(equals)),
        alone=len(equals) == 1,
    )


async def _merchant(people: People, actor: Actor, merchant_no: str | None) -> Merchant | None:
    """Refusals: merchant_not_found."""
    return await people.access.merchant_in(actor, merchant_no) if merchant_no else None


async def _products(
    parties: Parties,
    supply: Supply,
    merchant: Merchant | None,
    *,
    same: bool = False,
    archived: bool = False,
) -> ProductsNotice:
    """same: somebody wanted it as it is already. archived: those that are, alone."""
    offers = await parties.merchants.offers.of(merchant) if merchant is not None else {}
    merchant_id = merchant.id if merchant is not None else None
    states = {channel.channel_no: channel.state for channel in await supply.channels.all()}
    lines = []
    products = await supply.channels.products.all()
    gone = {code for code, product in products.items() if product.state == "archived"}
    for code, product in products.items():
        if (code in gone) != archived:
            continue
        sold = await supply.channel_sets.of(code, merchant_id)
        lines.append(
            ProductLine(
                code=code,
                name_zh=product.name_zh,
                name_en=product.name_en,
                state=product.state,
                own=sold.own,
                not_open=merchant is not None and product.state == "on" and code not in offers,
                channels=tuple(Seller(no, states[no] == "on") for no in sold.channel_nos),
            )
        )
    return ProductsNotice(
        merchant_no=merchant.merchant_no if merchant else "",
        merchant_name=merchant.name if merchant else "",
        same=same,
        lines=tuple(lines),
        archived=archived,
        archived_count=len(gone),
    )
