"""Merchants: which there are, how each stands, and what is done with one."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.parties.district import Parties
from core.people.district import People
from core.supply.district import Supply
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.merchants.buttons import OnMerchant, TurnMerchants, TurnProduct
from handlers.merchants.cards import Cards
from handlers.merchants.changes import change_merchant
from handlers.merchants.questions import ask_of_merchant
from handlers.merchants.words import ChangeMerchant, ShowMerchants

RIGHT: Final = "merchants"


def add_routes(routes: Router) -> None:
    """Who buys."""
    routes.message.register(show, Wants(ShowMerchants))
    routes.message.register(change, Wants(ChangeMerchant))
    routes.callback_query.register(turn, Presses(TurnMerchants))
    routes.callback_query.register(press, Presses(OnMerchant))
    routes.callback_query.register(turn_product, Presses(TurnProduct))


async def show(
    _: Message,
    chat: Chat,
    intent: ShowMerchants,
    parties: Parties,
    people: People,
    accounts: Accounts,
) -> None:
    """The first page of those that were looked for; the card of one. Refusals: not_permitted,
    staff_only, merchant_not_found."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(parties, people, accounts)
    if intent.merchant_no is None:
        await chat.say(await cards.page(1, intent.words, intent.state))
        return
    merchant = await parties.merchants.by_no(intent.merchant_no)
    await chat.say(await cards.card(chat, merchant.id))


async def turn(
    _: CallbackQuery,
    chat: Chat,
    button: TurnMerchants,
    parties: Parties,
    people: People,
    accounts: Accounts,
) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(parties, people, accounts)
    await chat.replace(await cards.page(button.page, button.words, button.state))


async def change(
    _: Message,
    chat: Chat,
    intent: ChangeMerchant,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Do what was said; the card tells how the merchant stands then. Refusals: those of the
    verbs."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(parties, people, accounts)
    merchant = await parties.merchants.by_no(intent.merchant_no)
    if intent.change == "suspend" and not intent.text:
        await ask_of_merchant(chat, cards, dialogues, merchant.id, "suspend")
        return
    await change_merchant(chat.actor, cards, merchant, intent.change, intent.text, chat.message_id)
    await chat.say(await cards.card(chat, merchant.id))


async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnMerchant,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """What the card of a merchant offers. Refusals: those of the verbs, private_only."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(parties, people, accounts)
    merchant = await parties.merchants.by_id(button.merchant_id)
    match button.action:
        case "open":
            await chat.say(await cards.card(chat, merchant.id))
        case "products":
            await chat.say(await cards.products(merchant))
        case "resume" | "archive" | "review" as done:
            await change_merchant(chat.actor, cards, merchant, done, "", chat.message_id)
            await chat.replace(await cards.card(chat, merchant.id))
        case asked:
            await ask_of_merchant(chat, cards, dialogues, merchant.id, asked)


async def turn_product(
    _: CallbackQuery,
    chat: Chat,
    button: TurnProduct,
    parties: Parties,
    people: People,
    accounts: Accounts,
    supply: Supply,
) -> None:
    """Switch a product for a merchant, and show them all as they are then. Refusals: those of
    `Catalogue.turn_product`."""
    chat.actor.need_among_staff(RIGHT)
    merchant = await parties.merchants.by_id(button.merchant_id)
    states = await parties.merchants.offers.states(merchant)
    if states.get(button.product_code) != button.state:
        await supply.catalogue.turn_product(
            chat.actor, button.product_code, button.state, None, merchant=merchant
        )
    await chat.replace(await Cards(parties, people, accounts).products(merchant))
