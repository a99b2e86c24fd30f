"""One thing of a merchant or an app, asked for in private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import Message

from core.accounts.district import Accounts
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.dialogues import Answers, Dialogues, Said
from handlers.kit.grammar import is_off
from handlers.kit.vocabulary import word
from handlers.merchants.cards import Cards
from handlers.merchants.changes import AppChange, change_app, change_merchant
from handlers.merchants.keys import open_app
from handlers.merchants.private import begin, post
from handlers.merchants.screens import MerchantQuestion
from handlers.merchants.words import Change
from texts.amounts import fold

STEP: Final = "merchant_set"
NewApp = Literal["test", "live"]
# What takes a reason, as `reason_missing` names it, and how it is said at once.
_REASONED: Final = {
    "suspend": ("suspend_merchant", "/merchant {} suspend {}"),
    "revoke": ("revoke_app", "/merchant {} revoke #1 {}"),
}


@dataclass(frozen=True, slots=True)
class OfMerchant:
    """A change of a merchant, or the name of a new app by its mode."""

    merchant_id: UUID
    change: Change | NewApp


@dataclass(frozen=True, slots=True)
class OfApp:
    """A change of an app."""

    app_id: UUID
    change: AppChange


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: one of the two."""

    merchant: OfMerchant | None = None
    app: OfApp | None = None


def add_routes(routes: Router) -> None:
    """What somebody changes step by step."""
    routes.message.register(answer, Answers(STEP), Wants(Said))


async def ask_of_merchant(
    chat: Chat, cards: Cards, dialogues: Dialogues, merchant_id: UUID, change: Change | NewApp
) -> None:
    """Ask for one thing, in private. Refusals: reason_missing (in a group)."""
    chat.actor.need_among_staff("merchants")
    merchant = await cards.parties.merchants.by_id(merchant_id)
    _need_room(chat, change, merchant.merchant_no)
    wanted = Wanted(merchant=OfMerchant(merchant_id, change))
    await _ask(chat, cards, dialogues, wanted, change, merchant.merchant_no)


async def ask_of_app(
    chat: Chat, cards: Cards, dialogues: Dialogues, app_id: UUID, change: AppChange
) -> None:
    """Ask for one thing, in private. Refusals: key_unknown, reason_missing (in a group)."""
    chat.actor.need_among_staff("merchants")
    kept = await cards.parties.merchants.apps.find(app_id)
    merchant_no = kept.app.merchant.merchant_no
    _need_room(chat, change, merchant_no)
    wanted = Wanted(app=OfApp(app_id, change))
    await _ask(chat, cards, dialogues, wanted, change, merchant_no, kept.name)


def _need_room(chat: Chat, change: str, merchant_no: str) -> None:
    """There is no conversation in a group: what takes a reason is said at once there. Refusals:
    reason_missing."""
    if change in _REASONED and chat.id != chat.actor.user_id:
        what, example = _REASONED[change]
        why = word("reason_for", what, chat.actor.language)
        raise Refusal("reason_missing", reason_for=example.format(merchant_no, why))


async def _ask(
    chat: Chat,
    cards: Cards,
    dialogues: Dialogues,
    wanted: Wanted,
    step: str,
    merchant_no: str,
    app_name: str = "",
) -> None:
    dialogue = await begin(chat, cards.people, dialogues, STEP, wanted)
    question = MerchantQuestion(
        step=step,
        place=0,
        of=0,
        merchant_no=merchant_no,
        app_name=app_name,
        options=(),
        later=False,
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )
    await post(chat, question)


async def answer(
    _: Message,
    chat: Chat,
    intent: Said,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Do what was asked for, and show how things stand. Where the answer was no good, the question
    stays. Refusals: answer_forwarded, those of the verbs."""
    if intent.foreign:
        raise Refusal("answer_forwarded")
    cards, wanted = Cards(parties, people, accounts), intent.dialogue.read(Wanted)
    chat.actor.need_among_staff("merchants")
    if wanted.app is not None:
        kept = await parties.merchants.apps.find(wanted.app.app_id)
        text = "" if wanted.app.change == "ip" and is_off(fold(intent.text)) else intent.text
        after = await change_app(chat.actor, cards, kept, wanted.app.change, text)
        await chat.post(await cards.app(after))
        await dialogues.end(chat.actor)
    if wanted.merchant is not None:
        await _of_merchant(chat, cards, dialogues, bot, wanted.merchant, intent)


async def _of_merchant(
    chat: Chat, cards: Cards, dialogues: Dialogues, bot: Bot, wanted: OfMerchant, intent: Said
) -> None:
    merchant = await cards.parties.merchants.by_id(wanted.merchant_id)
    if wanted.change == "test" or wanted.change == "live":
        # The dialogue is over before keys are made: its answer, delivered again, makes no others.
        await dialogues.end(chat.actor)
        try:
            await open_app(
                chat, cards, bot, dialogues, merchant, mode=wanted.change, name=intent.text
            )
        except Refusal as refusal:
            if refusal.code == "field_invalid":  # another name would do
                await dialogues.keep(chat.actor, intent.dialogue)
            raise
        return
    await change_merchant(
        chat.actor, cards, merchant, wanted.change, intent.text, intent.message_id
    )
    await chat.post(await cards.card(chat, merchant.id))
    await dialogues.end(chat.actor)
