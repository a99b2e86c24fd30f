"""One thing of a merchant or an app, asked for in private."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step, need_reason, plain
from handlers.kit.grammar import is_off
from handlers.merchants.cards import Cards
from handlers.merchants.changes import AppChange, change_app, change_merchant
from handlers.merchants.keys import open_app
from handlers.merchants.screens import MerchantQuestion
from handlers.merchants.words import Change
from texts.amounts import fold

NewApp = Literal["test", "live"]
# What takes a reason, as `reason_missing` names it, and how it is said at once.
_REASONED: Final = {
    "suspend": ("suspend_merchant", "/merchant {} suspend {}"),
    "revoke": ("revoke_app", "/merchant {} revoke #1 {}"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: of a merchant (a change, or the name of a new app by its mode), or of an
    app. text: as it was said."""

    merchant_id: UUID
    merchant_no: str
    of_merchant: Change | NewApp | None = None
    app_id: UUID | None = None
    app_name: str = ""
    of_app: AppChange | None = None
    text: str = ""


FORM: Final = Form[Wanted, None](
    "merchant_set",
    Wanted,
    (Step("text", plain(str)),),
    lambda asked: MerchantQuestion(
        asked.merchant_no, asked.app_name, step=asked.of_app or asked.of_merchant or ""
    ),
    from_group=True,
)


def add_routes(routes: Router) -> None:
    """What somebody changes step by step."""
    FORM.add_routes(routes, answer)


async def ask_of_merchant(
    chat: Chat, cards: Cards, dialogues: Dialogues, merchant_id: UUID, change: Change | NewApp
) -> None:
    """Ask for one thing, in private. Refusals: reason_missing (in a group)."""
    chat.actor.need_among_staff("merchants")
    merchant = await cards.parties.merchants.by_id(merchant_id)
    wanted = Wanted(merchant_id, merchant.merchant_no, of_merchant=change)
    await _ask(chat, dialogues, wanted, change)


async def ask_of_app(
    chat: Chat, cards: Cards, dialogues: Dialogues, app_id: UUID, change: AppChange
) -> None:
    """Ask for one thing, in private. Refusals: key_unknown, reason_missing (in a group)."""
    chat.actor.need_among_staff("merchants")
    kept = await cards.parties.merchants.apps.find(app_id)
    merchant = kept.app.merchant
    wanted = Wanted(
        merchant.id, merchant.merchant_no, app_id=app_id, app_name=kept.name, of_app=change
    )
    await _ask(chat, dialogues, wanted, change)


async def _ask(chat: Chat, dialogues: Dialogues, wanted: Wanted, change: str) -> None:
    if change in _REASONED:
        what, typed = _REASONED[change]
        need_reason(chat, what, typed.format(wanted.merchant_no, "{}"))
    await FORM.begin(chat, dialogues, wanted)


async def answer(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    bot: Bot,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Do what was asked for, and show how things stand. Where the answer was no good, the question
    stays. Refusals: answer_forwarded, those of the verbs."""
    chat.actor.need_among_staff("merchants")
    cards = Cards(parties, people, accounts)
    wanted = await FORM.take(chat, dialogues, None, answer)
    if wanted is None:
        return
    if wanted.app_id is not None and wanted.of_app is not None:
        kept = await parties.merchants.apps.find(wanted.app_id)
        text = "" if wanted.of_app == "ip" and is_off(fold(wanted.text)) else wanted.text
        after = await change_app(chat.actor, cards, kept, wanted.of_app, text)
        await chat.post(await cards.app(after))
        await dialogues.end(chat.actor)
    if wanted.of_merchant is not None:
        await _of_merchant(chat, cards, dialogues, bot, wanted, answer)


async def _of_merchant(
    chat: Chat, cards: Cards, dialogues: Dialogues, bot: Bot, wanted: Wanted, answer: Said | Chosen
) -> None:
    merchant = await cards.parties.merchants.by_id(wanted.merchant_id)
    change = wanted.of_merchant
    if change == "test" or change == "live":
        # The dialogue is over before keys are made: its answer, delivered again, makes no others.
        await dialogues.end(chat.actor)
        try:
            await open_app(chat, cards, bot, dialogues, merchant, mode=change, name=wanted.text)
        except Refusal as refusal:
            if refusal.code == "field_invalid":  # another name would do
                await dialogues.keep(chat.actor, answer.dialogue)
            raise
        return
    if change is not None:
        await change_merchant(chat.actor, cards, merchant, change, wanted.text, answer.message_id)
        await chat.post(await cards.card(chat, merchant.id))
        await dialogues.end(chat.actor)
