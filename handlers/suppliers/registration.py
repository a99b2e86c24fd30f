"""Opening a supplier step by step in private."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Bug, Refusal
from core.kernel.money import HOME_CURRENCY
from core.parties.district import Parties
from core.parties.suppliers import NewSupplier, Supplier, Suppliers
from core.supply.district import Supply
from core.supply.onboarding import Document, Documents, supplier_line
from core.system.district import System
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Chosen, Dialogue, Dialogues, Said
from handlers.kit.forms import Form, Step, currency, plain
from handlers.suppliers.amendments import last_day, settles_to
from handlers.suppliers.buttons import OpenSupplier
from handlers.suppliers.cards import Cards
from handlers.suppliers.credentials import ask_credentials
from handlers.suppliers.screens import SupplierQuestion
from handlers.suppliers.words import SETTLES_TO, BeginSupplier
from texts.amounts import fold

RIGHT: Final = "suppliers"
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
    """A supplier as far as it was told. documents: those that may be chosen. zone: on whose clocks
    days are told."""

    supplier_no: str
    documents: tuple[Option, ...]
    zone: str
    name: str = ""
    legal_name: str = ""
    licence_no: str = ""
    licence_expires_on: date | None = None
    settles_to: str | None = None
    document: UUID | None = None
    currency: str = ""


# ── the questions: each answer is checked at once, so that nobody has to begin again for it ──────
async def _last_day(cards: Cards, draft: Draft, text: str) -> date:
    """Refusals: answer_unreadable, licence_day_past."""
    return last_day(text, cards.today(draft.zone))


async def _document(cards: Cards, draft: Draft, text: str) -> UUID:
    """Refusals: answer_unreadable, document_sandbox_only."""
    wanted = " ".join(fold(text).lower().split())
    for option in draft.documents:
        if option.document == wanted:
            connector = await cards.connector(option.id)
            if connector is not None and connector.sandbox_only and not cards.system.demo:
                raise Refusal("document_sandbox_only", document=wanted)
            return option.id
    raise Refusal("answer_unreadable", example=draft.documents[0].document)


def _names(draft: Draft) -> tuple[str, ...]:
    return tuple(option.document for option in draft.documents)


FORM: Final = Form[Draft, Cards](
    "open",
    Draft,
    (
        Step("name", plain(partial(supplier_line, "name"))),
        Step("legal_name", plain(partial(supplier_line, "legal_name")), later=True),
        Step("licence_no", plain(partial(supplier_line, "licence_no")), later=True),
        Step("licence_expires_on", _last_day, later=True),
        Step("settles_to", plain(settles_to), lambda _: SETTLES_TO, later=True),
        Step("document", _document, _names),
        Step("currency", currency, lambda _: CURRENCIES),
    ),
    lambda draft: SupplierQuestion(draft.supplier_no),
)


def add_routes(routes: Router) -> None:
    """A contract is signed."""
    routes.message.register(begin, Wants(BeginSupplier))
    routes.callback_query.register(begin, Presses(OpenSupplier))
    FORM.add_routes(routes, answer)


async def begin(
    _: Message | CallbackQuery, chat: Chat, parties: Parties, supply: Supply, dialogues: Dialogues
) -> None:
    """Ask for the first thing. Refusals: private_only, no_documents."""
    chat.actor.need_among_staff(RIGHT)
    options = await _documents(supply.documents)
    if not options:
        raise Refusal("no_documents", example="/documents")
    draft = Draft(await _next_no(parties.suppliers), options, await chat.zone())
    await FORM.begin(chat, dialogues, draft)


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


async def answer(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Go on to the next question; after the last one open the supplier, and ask for what opens its
    interface. Refusals: those of the steps and of `Onboarding.open`."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(system, parties, supply)
    draft = await FORM.take(chat, dialogues, cards, answer)
    if draft is None:
        return
    supplier = await _open(chat, cards, dialogues, answer.dialogue, draft)
    connector = await cards.connector(supplier.document_id)
    names = connector.credential_names if connector is not None else ()
    await ask_credentials(chat, cards, dialogues, supplier, names, heard=answer.message_id)


async def _open(
    chat: Chat, cards: Cards, dialogues: Dialogues, dialogue: Dialogue, draft: Draft
) -> Supplier:
    """The new supplier; the one that is there, where this very answer opened it before. A
    number that somebody else took meanwhile is left to them."""
    actor, suppliers = chat.actor, cards.parties.suppliers
    for _ in range(_TRIES):
        new = _new_supplier(draft, sandbox=cards.system.demo)
        try:
            return await cards.supply.onboarding.open(actor, new)
        except Refusal as refusal:
            if refusal.code != "supplier_exists":
                raise
        there = await suppliers.by_no(new.supplier_no)
        if _is_same(there, new):
            return there
        # Kept before it is used, so that this answer, delivered again, finds what it opened.
        draft = replace(draft, supplier_no=await _next_no(suppliers))
        await dialogues.keep(actor, dialogue.with_facts(draft))
    raise Refusal("supplier_exists", supplier_no=draft.supplier_no)


def _new_supplier(draft: Draft, *, sandbox: bool) -> NewSupplier:
    if draft.document is None:
        raise Bug("a supplier is opened before its document is chosen")
    return NewSupplier(
        supplier_no=draft.supplier_no,
        name=draft.name,
        document_id=draft.document,
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
