"""Opening a merchant step by step in private.

What is said at a step is checked first, then the next question is put, and then the dialogue moves
on: a message that is delivered again does the same once more, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.district import Accounts
from core.kernel.clock import DayCut, read_time, read_zone
from core.kernel.errors import Refusal
from core.kernel.money import HOME_CURRENCY, need_currency
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
from handlers.kit.buttons import InDialogue
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import SKIP, Answers, Chooses, Dialogue, Dialogues, Said
from handlers.merchants.buttons import OpenMerchant
from handlers.merchants.cards import Cards
from handlers.merchants.private import begin, post
from handlers.merchants.screens import MerchantQuestion
from handlers.merchants.words import BeginMerchant
from texts.amounts import fold

STEPS: Final = ("merchant_no", "name", "currency", "zone", "cut", *REVIEW_FACTS)
_LATER: Final = frozenset(REVIEW_FACTS)
_PREFIX: Final = "merchant_"  # so that no other dialogue has a step of this name
_QUESTIONS: Final = tuple(_PREFIX + step for step in STEPS)
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


def add_routes(routes: Router) -> None:
    """A contract is signed."""
    routes.message.register(begin_typed, Wants(BeginMerchant))
    routes.message.register(answer, Answers(*_QUESTIONS), Wants(Said))
    routes.callback_query.register(begin_pressed, Presses(OpenMerchant))
    routes.callback_query.register(choose, Chooses(*_QUESTIONS))


async def begin_typed(
    _: Message, chat: Chat, parties: Parties, people: People, dialogues: Dialogues
) -> None:
    """Ask for the first thing."""
    await _begin(chat, parties, people, dialogues)


async def begin_pressed(
    _: CallbackQuery, chat: Chat, parties: Parties, people: People, dialogues: Dialogues
) -> None:
    """As `begin_typed`."""
    await _begin(chat, parties, people, dialogues)


async def _begin(chat: Chat, parties: Parties, people: People, dialogues: Dialogues) -> None:
    chat.actor.need_among_staff("merchants")
    draft = Draft(await parties.merchants.next_no())
    await _ask(chat, await begin(chat, people, dialogues, _QUESTIONS[0], draft))


async def _ask(chat: Chat, dialogue: Dialogue) -> None:
    step, draft = dialogue.step.removeprefix(_PREFIX), dialogue.read(Draft)
    question = MerchantQuestion(
        step=step,
        place=STEPS.index(step) + 1,
        of=len(STEPS),
        merchant_no=draft.merchant_no or draft.proposed,
        app_name="",
        options=_options(step, draft),
        later=step in _LATER,
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )
    await post(chat, question)


def _options(step: str, draft: Draft) -> tuple[str, ...]:
    """What can be pressed, by its place."""
    match step:
        case "merchant_no":
            return (draft.proposed,)
        case "currency":
            return CURRENCIES
        case "zone":
            return ZONES
        case "cut":
            return CUTS
        case _:
            return ()


async def answer(
    _: Message,
    chat: Chat,
    intent: Said,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Take an answer that was written. Refusals: answer_forwarded, those of the step."""
    dialogue = intent.dialogue
    if intent.message_id <= dialogue.heard:
        return
    if intent.foreign:
        raise Refusal("answer_forwarded")
    registration = _Registration(chat, Cards(parties, people, accounts), dialogues)
    draft = await registration.read(dialogue, intent.text)
    await registration.move(dialogue, draft, heard=intent.message_id)


async def choose(
    _: CallbackQuery,
    chat: Chat,
    button: InDialogue,
    dialogue: Dialogue,
    parties: Parties,
    people: People,
    accounts: Accounts,
    dialogues: Dialogues,
) -> None:
    """Take an answer that was pressed, or leave it for later."""
    step, draft = dialogue.step.removeprefix(_PREFIX), dialogue.read(Draft)
    registration = _Registration(chat, Cards(parties, people, accounts), dialogues)
    if button.choice == SKIP and step in _LATER:
        await registration.move(dialogue, draft)
        return
    options = _options(step, draft)
    if button.choice.isdecimal() and int(button.choice) < len(options):
        draft = await registration.read(dialogue, options[int(button.choice)])
        await registration.move(dialogue, draft)


@dataclass(frozen=True, slots=True)
class _Registration:
    """Takes the answers of one chat."""

    chat: Chat
    cards: Cards
    dialogues: Dialogues

    async def read(self, dialogue: Dialogue, text: str) -> Draft:
        """What an answer means: checked here already, so that nobody has to begin again for it.

        Refusals: field_invalid, merchant_exists, currency_unknown, zone_unknown, time_invalid.
        """
        self.chat.actor.need_among_staff("merchants")
        step, draft = dialogue.step.removeprefix(_PREFIX), dialogue.read(Draft)
        said: dict[str, Any] = {}
        match step:
            case "merchant_no":
                said[step] = await self._number(text)
            case "currency":
                said[step] = fold(text).strip().upper()
                need_currency(said[step])
            case "zone":
                said[step] = read_zone(fold(text))
            case "cut":
                said[step] = f"{read_time(fold(text)):%H:%M}"
            case _:
                said[step] = merchant_line(step, text)
        return replace(draft, **said)

    async def _number(self, text: str) -> str:
        """One that is free. Refusals: field_invalid, merchant_exists."""
        number = check_merchant(NewMerchant(fold(text), "x")).merchant_no
        try:
            await self.cards.parties.merchants.by_no(number)
        except Refusal:
            return number
        raise Refusal("merchant_exists", merchant_no=number)

    async def move(self, dialogue: Dialogue, draft: Draft, *, heard: int = 0) -> None:
        """Put the next question; after the last one, open the merchant and show its card."""
        self.chat.actor.need_among_staff("merchants")
        if dialogue.step != _QUESTIONS[-1]:
            following = _QUESTIONS[_QUESTIONS.index(dialogue.step) + 1]
            dialogue = dialogue.at(following, draft, heard=heard)
            await _ask(self.chat, dialogue)
            await self.dialogues.keep(self.chat.actor, dialogue)
            return
        merchant = await self._open(dialogue, draft)
        await self.chat.post(await self.cards.card(self.chat, merchant.id))
        await self.dialogues.end(self.chat.actor)

    async def _open(self, dialogue: Dialogue, draft: Draft) -> Merchant:
        """The new merchant; the one that is there, where this very answer opened it before. A
        number that somebody else took meanwhile is left to them."""
        actor, merchants = self.chat.actor, self.cards.parties.merchants
        for _ in range(_TRIES):
            try:
                return await self.cards.accounts.admission.open(actor, draft.new)
            except Refusal as refusal:
                if refusal.code != "merchant_exists":
                    raise
            there = await merchants.by_no(draft.merchant_no)
            dossier = await merchants.dossier(there.id)
            if (there.name, dossier.facts) == (draft.name, draft.new.facts):
                return there
            # Kept before it is used, so that this answer, delivered again, finds what it opened.
            draft = replace(draft, merchant_no=await merchants.next_no())
            await self.dialogues.keep(actor, dialogue.with_facts(draft))
        raise Refusal("merchant_exists", merchant_no=draft.merchant_no)
