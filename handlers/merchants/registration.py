"""Opening a merchant step by step in private."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.kernel.clock import DayCut, read_time, read_zone
from core.kernel.errors import Refusal
from core.kernel.money import HOME_CURRENCY
from core.parties.district import Parties
from core.parties.merchants import (
    REVIEW_FACTS,
    Merchant,
    NewMerchant,
    ReviewFacts,
    check_merchant,
    merchant_line,
)
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Chosen, Dialogue, Dialogues, Said
from handlers.kit.forms import Form, Step, currency, plain
from handlers.merchants.buttons import OpenMerchant
from handlers.merchants.cards import Cards
from handlers.merchants.screens import MerchantQuestion
from handlers.merchants.words import BeginMerchant
from texts.amounts import fold

RIGHT: Final = "merchants"
CURRENCIES: Final = (HOME_CURRENCY, "USD", "USDT")
ZONES: Final = ("Asia/Shanghai", "Asia/Singapore", "Europe/Berlin", "UTC")
CUTS: Final = ("00:00", "06:00")
_TRIES: Final = 5  # at a number, while others open merchants as well


@dataclass(frozen=True, slots=True)
class Draft:
    """A merchant as far as it was told. proposed: a number that is free. cut: '06:00'."""

    proposed: str
    merchant_no: str = ""
    name: str = ""
    currency: str = ""
    zone: str = ""
    cut: str = ""
    legal_name: str = ""
    licence_no: str = ""
    category: str = ""
    site: str = ""
    contact: str = ""

    @property
    def new(self) -> NewMerchant:
        """What is opened at the end."""
        facts = ReviewFacts(
            self.legal_name, self.licence_no, self.category, self.site, self.contact
        )
        cut = DayCut(read_time(self.cut), self.zone)
        return NewMerchant(self.merchant_no, self.name, self.currency, cut, facts)


# ── the questions: each answer is checked at once, so that nobody has to begin again for it ──────
async def _number(cards: Cards, _: Draft, text: str) -> str:
    """One that is free. Refusals: field_invalid, merchant_exists."""
    number = check_merchant(NewMerchant(fold(text), "x")).merchant_no
    try:
        await cards.parties.merchants.by_no(number)
    except Refusal:
        return number
    raise Refusal("merchant_exists", merchant_no=number)


def _zone(text: str) -> str:
    return read_zone(fold(text))


def _cut(text: str) -> str:
    return f"{read_time(fold(text)):%H:%M}"


FORM: Final = Form[Draft, Cards](
    "merchant",
    Draft,
    (
        Step("merchant_no", _number, lambda draft: (draft.proposed,)),
        Step("name", plain(partial(merchant_line, "name"))),
        Step("currency", currency, lambda _: CURRENCIES),
        Step("zone", plain(_zone), lambda _: ZONES),
        Step("cut", plain(_cut), lambda _: CUTS),
        *(Step(fact, plain(partial(merchant_line, fact)), later=True) for fact in REVIEW_FACTS),
    ),
    lambda draft: MerchantQuestion(draft.merchant_no or draft.proposed),
    from_group=True,
)


def add_routes(routes: Router) -> None:
    """A contract is signed."""
    routes.message.register(begin, Wants(BeginMerchant))
    routes.callback_query.register(begin, Presses(OpenMerchant))
    FORM.add_routes(routes, answer)


async def begin(
    _: Message | CallbackQuery, chat: Chat, parties: Parties, dialogues: Dialogues
) -> None:
    """Ask for the first thing."""
    chat.actor.need_among_staff(RIGHT)
    await FORM.begin(chat, dialogues, Draft(await parties.merchants.next_no()))


async def answer(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Go on to the next question; after the last one open the merchant, and show its card.
    Refusals: answer_forwarded, those of the steps and of `Admission.open`."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(parties, people, accounts)
    draft = await FORM.take(chat, dialogues, cards, answer)
    if draft is None:
        return
    merchant = await _open(chat, cards, dialogues, answer.dialogue, draft)
    await chat.post(await cards.card(chat, merchant.id))
    await dialogues.end(chat.actor)


async def _open(
    chat: Chat, cards: Cards, dialogues: Dialogues, dialogue: Dialogue, draft: Draft
) -> Merchant:
    """The new merchant; the one that is there, where this very answer opened it before. A
    number that somebody else took meanwhile is left to them."""
    actor, merchants = chat.actor, cards.parties.merchants
    for _ in range(_TRIES):
        try:
            return await cards.accounts.admission.open(actor, draft.new)
        except Refusal as refusal:
            if refusal.code != "merchant_exists":
                raise
        there = await merchants.by_no(draft.merchant_no)
        dossier = await merchants.dossier(there.id)
        if (there.name, dossier.facts) == (draft.name, draft.new.facts):
            return there
        # Kept before it is used, so that this answer, delivered again, finds what it opened.
        draft = replace(draft, merchant_no=await merchants.next_no())
        await dialogues.keep(actor, dialogue.with_facts(draft))
    raise Refusal("merchant_exists", merchant_no=draft.merchant_no)
