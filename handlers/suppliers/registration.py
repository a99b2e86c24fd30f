"""Opening a supplier step by step in private.

What is said at a step is done first, then the next question is put, and then the dialogue moves on:
a message that is delivered again does the same once more, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Bug, Refusal
from core.kernel.money import HOME_CURRENCY, need_currency
from core.parties.district import Parties
from core.parties.suppliers import NewSupplier, Supplier, Suppliers
from core.supply.district import Supply
from core.supply.onboarding import Document, Documents, supplier_line
from core.system.district import System
from handlers.kit.buttons import InDialogue
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import SKIP, Answers, Chooses, Dialogue, Dialogues, Said
from handlers.suppliers.amendments import last_day
from handlers.suppliers.buttons import OpenSupplier
from handlers.suppliers.cards import Cards
from handlers.suppliers.credentials import ask_credentials
from handlers.suppliers.screens import SupplierQuestion
from handlers.suppliers.words import SETTLES_TO, BeginSupplier, read_settles_to
from texts.amounts import fold

STEPS: Final = (
    "name", "legal_name", "licence_no", "licence_expires_on", "settles_to", "document", "currency",
)  # fmt: skip
_LATER: Final = frozenset({"legal_name", "licence_no", "licence_expires_on", "settles_to"})
_PREFIX: Final = "open_"  # so that no other dialogue has a step of this name
_QUESTIONS: Final = tuple(_PREFIX + step for step in STEPS)
CURRENCIES: Final = (HOME_CURRENCY, "USD", "USDT")
DOCUMENTS: Final = 12
_TRIES: Final = 5  # at a number, while others open suppliers as well


@dataclass(frozen=True, slots=True)
class Option:
    """A version of a document that may be chosen, and how people name it."""

    id: UUID
    document: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A supplier as far as it was told. documents: those that may be chosen."""

    supplier_no: str
    documents: tuple[Option, ...]
    name: str = ""
    legal_name: str = ""
    licence_no: str = ""
    licence_expires_on: date | None = None
    settles_to: str | None = None
    document_id: UUID | None = None
    currency: str = ""


def add_routes(routes: Router) -> None:
    """A contract is signed."""
    routes.message.register(begin_typed, Wants(BeginSupplier))
    routes.message.register(answer, Answers(*_QUESTIONS), Wants(Said))
    routes.callback_query.register(begin_pressed, Presses(OpenSupplier))
    routes.callback_query.register(choose, Chooses(*_QUESTIONS))


# ── the questions of a new supplier ──────────────────────────────────────────────────────────────
async def begin_typed(
    _: Message, chat: Chat, parties: Parties, supply: Supply, dialogues: Dialogues
) -> None:
    """Ask for the first thing. Refusals: private_only, no_documents."""
    await _begin(chat, parties, supply, dialogues)


async def begin_pressed(
    _: CallbackQuery, chat: Chat, parties: Parties, supply: Supply, dialogues: Dialogues
) -> None:
    """As `begin_typed`."""
    await _begin(chat, parties, supply, dialogues)


async def _begin(chat: Chat, parties: Parties, supply: Supply, dialogues: Dialogues) -> None:
    chat.actor.need_among_staff("suppliers")
    options = await _documents(supply.documents)
    if not options:
        raise Refusal("no_documents", example="/documents")
    draft = Draft(await _next_no(parties.suppliers), options)
    await _ask(chat, await dialogues.begin(chat.actor, _QUESTIONS[0], draft))


async def _documents(documents: Documents) -> tuple[Option, ...]:
    """The newest version of each connector that is approved or waits to be."""
    newest: dict[str, Document] = {}
    for document in await documents.all():
        if document.state in ("approved", "proposed"):
            newest.setdefault(f"{document.code} {document.state}", document)
    found = sorted(newest.values(), key=lambda document: document.state != "approved")
    return tuple(Option(document.id, str(document)) for document in found[:DOCUMENTS])


async def _next_no(suppliers: Suppliers) -> str:
    """The number after the highest there is."""
    numbers = [int(supplier.supplier_no[1:]) for supplier in await suppliers.all()]
    return f"S{max(numbers, default=0) + 1:02}"


async def _ask(chat: Chat, dialogue: Dialogue) -> None:
    step, draft = dialogue.step.removeprefix(_PREFIX), dialogue.read(Draft)
    question = SupplierQuestion(
        step=step,
        place=STEPS.index(step) + 1,
        of=len(STEPS),
        supplier_no=draft.supplier_no,
        options=_options(step, draft),
        later=step in _LATER,
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )
    await chat.post(question)


def _options(step: str, draft: Draft) -> tuple[str, ...]:
    """What can be pressed, by its place."""
    match step:
        case "settles_to":
            return SETTLES_TO
        case "document":
            return tuple(option.document for option in draft.documents)
        case "currency":
            return CURRENCIES
        case _:
            return ()


async def answer(
    _: Message,
    chat: Chat,
    intent: Said,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Take an answer that was written. Refusals: answer_forwarded, those of the step."""
    dialogue = intent.dialogue
    if intent.message_id <= dialogue.heard:
        return
    if intent.foreign:
        raise Refusal("answer_forwarded")
    registration = _Registration(chat, Cards(system, parties, supply), dialogues)
    await registration.take(dialogue, intent.text, heard=intent.message_id)


async def choose(
    _: CallbackQuery,
    chat: Chat,
    button: InDialogue,
    dialogue: Dialogue,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Take an answer that was pressed, or leave it for later."""
    step, draft = dialogue.step.removeprefix(_PREFIX), dialogue.read(Draft)
    registration = _Registration(chat, Cards(system, parties, supply), dialogues)
    if button.choice == SKIP and step in _LATER:
        await registration.move(dialogue, draft)
        return
    options = _options(step, draft)
    if button.choice.isdecimal() and int(button.choice) < len(options):
        await registration.take(dialogue, options[int(button.choice)])


@dataclass(frozen=True, slots=True)
class _Registration:
    """Takes the answers of one chat."""

    chat: Chat
    cards: Cards
    dialogues: Dialogues

    async def take(self, dialogue: Dialogue, text: str, *, heard: int = 0) -> None:
        """Go on to the next question, or open the supplier. Refusals: those of `_read`."""
        self.chat.actor.need_among_staff("suppliers")
        step = dialogue.step.removeprefix(_PREFIX)
        draft = await self._read(dialogue.read(Draft), step, text)
        if step != STEPS[-1]:
            await self.move(dialogue, draft, heard=heard)
            return
        supplier = await self._open(dialogue, draft)
        connector = await self.cards.connector(supplier.document_id)
        names = connector.credential_names if connector is not None else ()
        await ask_credentials(self.chat, self.cards, self.dialogues, supplier, names, heard=heard)

    async def move(self, dialogue: Dialogue, draft: Draft, *, heard: int = 0) -> None:
        """Put the next question."""
        following = _QUESTIONS[_QUESTIONS.index(dialogue.step) + 1]
        dialogue = dialogue.at(following, draft, heard=heard)
        await _ask(self.chat, dialogue)
        await self.dialogues.keep(self.chat.actor, dialogue)

    async def _read(self, draft: Draft, step: str, text: str) -> Draft:
        """What an answer means: checked here already, so that nobody has to begin again for it.

        Refusals: answer_unreadable, licence_day_past, currency_unknown, document_sandbox_only,
        those of `NewSupplier` as core checks it.
        """
        match step:
            case "licence_expires_on":
                today = self.cards.today(await self.chat.zone())
                return replace(draft, licence_expires_on=last_day(text, today))
            case "settles_to":
                whom = read_settles_to(text)
                if whom not in SETTLES_TO:
                    raise Refusal("answer_unreadable", example=" | ".join(SETTLES_TO))
                return replace(draft, settles_to=whom)
            case "document":
                return replace(draft, document_id=await self._document_id(draft, text))
            case "currency":
                currency = fold(text).strip().upper()
                need_currency(currency)
                return replace(draft, currency=currency)
            case "name":
                return replace(draft, name=supplier_line(step, text))
            case "legal_name":
                return replace(draft, legal_name=supplier_line(step, text))
            case _:
                return replace(draft, licence_no=supplier_line(step, text))

    async def _document_id(self, draft: Draft, text: str) -> UUID:
        wanted = " ".join(fold(text).lower().split())
        for option in draft.documents:
            if option.document == wanted:
                connector = await self.cards.connector(option.id)
                demo = self.cards.system.demo
                if connector is not None and connector.sandbox_only and not demo:
                    raise Refusal("document_sandbox_only", document=wanted)
                return option.id
        raise Refusal("answer_unreadable", example=draft.documents[0].document)

    async def _open(self, dialogue: Dialogue, draft: Draft) -> Supplier:
        """The new supplier; the one that is there, where this very answer opened it before. A
        number that somebody else took meanwhile is left to them."""
        actor, suppliers = self.chat.actor, self.cards.parties.suppliers
        for _ in range(_TRIES):
            new = _new_supplier(draft, sandbox=self.cards.system.demo)
            try:
                return await self.cards.supply.onboarding.open(actor, new)
            except Refusal as refusal:
                if refusal.code != "supplier_exists":
                    raise
            there = await suppliers.by_no(new.supplier_no)
            if _is_same(there, new):
                return there
            # Kept before it is used, so that this answer, delivered again, finds what it opened.
            draft = replace(draft, supplier_no=await _next_no(suppliers))
            await self.dialogues.keep(actor, dialogue.with_facts(draft))
        raise Refusal("supplier_exists", supplier_no=draft.supplier_no)


def _new_supplier(draft: Draft, *, sandbox: bool) -> NewSupplier:
    if draft.document_id is None:
        raise Bug("a supplier is opened before its document is chosen")
    return NewSupplier(
        supplier_no=draft.supplier_no,
        name=draft.name,
        document_id=draft.document_id,
        sandbox=sandbox,
        legal_name=draft.legal_name,
        licence_no=draft.licence_no,
        licence_expires_on=draft.licence_expires_on,
        settles_to=draft.settles_to,
        currency=draft.currency,
    )


def _is_same(there: Supplier, new: NewSupplier) -> bool:
    names = (
        "name", "document_id", "legal_name", "licence_no", "licence_expires_on", "settles_to",
        "currency",
    )  # fmt: skip
    return there.state == "off" and all(getattr(there, n) == getattr(new, n) for n in names)
