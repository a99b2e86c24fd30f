"""Apps of merchants: how each stands, and what is set of it."""

from __future__ import annotations

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.merchants import KeptApp, Merchant
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.merchants.buttons import OnApp
from handlers.merchants.cards import Cards
from handlers.merchants.changes import change_app
from handlers.merchants.keys import open_app, rotate
from handlers.merchants.questions import ask_of_app
from handlers.merchants.words import ChangeApp


def add_routes(routes: Router) -> None:
    """Through which a merchant's servers speak."""
    routes.message.register(change, Wants(ChangeApp))
    routes.callback_query.register(press, Presses(OnApp))


async def change(
    _: Message,
    chat: Chat,
    intent: ChangeApp,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Do what was said. Refusals: those of the verbs, app_needed, app_not_found."""
    chat.actor.need_among_staff("merchants")
    cards = Cards(parties, people, accounts)
    merchant = await parties.merchants.by_no(intent.merchant_no)
    if intent.verb == "open":
        mode, _blank, name = intent.text.partition(" ")
        await open_app(chat, cards, bot, dialogues, merchant, mode=mode, name=name or mode)
        return
    kept = await _named(parties, merchant, intent.place)
    match intent.verb:
        case "rotate":
            await rotate(chat, cards, bot, dialogues, kept)
        case "ping":
            await _ping(chat, cards, kept)
        case "revoke" if not intent.text:
            await ask_of_app(chat, cards, dialogues, kept.id, "revoke")
        case verb:
            after = await change_app(chat.actor, cards, kept, verb, intent.text)
            await chat.say(await cards.app(after))


async def _named(parties: Parties, merchant: Merchant, place: int | None) -> KeptApp:
    """The app at a place of the merchant's card, or its only open one. Refusals: app_needed,
    app_not_found."""
    apps = await parties.merchants.apps.all(merchant)
    if place is not None:
        if not 1 <= place <= len(apps):
            raise Refusal("app_not_found", merchant_no=merchant.merchant_no)
        return apps[place - 1]
    standing = [one for one in apps if one.state == "open"]
    if not standing:
        raise Refusal("app_not_found", merchant_no=merchant.merchant_no)
    if len(standing) > 1:
        raise Refusal("app_needed", merchant_no=merchant.merchant_no)
    return standing[0]


async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnApp,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """What the card of an app offers. Refusals: those of the verbs, private_only."""
    chat.actor.need_among_staff("merchants")
    cards = Cards(parties, people, accounts)
    kept = await parties.merchants.apps.find(button.app_id)
    match button.action:
        case "open":
            await chat.say(await cards.app(kept))
        case "rotate":
            await rotate(chat, cards, bot, dialogues, kept)
        case "ping":
            await _ping(chat, cards, kept)
        case "end_old":
            after = await change_app(chat.actor, cards, kept, "end_old", "")
            await chat.replace(await cards.app(after))
        case asked:
            await ask_of_app(chat, cards, dialogues, kept.id, asked)


async def _ping(chat: Chat, cards: Cards, kept: KeptApp) -> None:
    await chat.say(cards.ping(await cards.accounts.pings.send(chat.actor, kept.id)))
