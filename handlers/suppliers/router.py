"""Suppliers: which there are and what each still lacks; live and off, switched and rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.suppliers import Supplier
from core.supply.district import Supply
from core.supply.onboarding import Document, Documents
from core.system.district import System
from handlers.documents.words import read_version
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step, ends, need_reason, plain
from handlers.kit.refusals import RefusalNotice
from handlers.suppliers.amendments import amend, ask_amend
from handlers.suppliers.buttons import (
    OnSupplier,
    SetCredential,
    SwitchSupplier,
    TurnSuppliers,
    seen,
)
from handlers.suppliers.cards import Cards
from handlers.suppliers.credentials import ask_credentials
from handlers.suppliers.screens import SupplierOff
from handlers.suppliers.words import ChangeSupplier, ShowSuppliers

RIGHT: Final = "suppliers"


@dataclass(frozen=True, slots=True)
class SwitchingOff:
    """A supplier that is to be switched off, for a reason that is asked for."""

    supplier_id: UUID
    supplier_no: str
    name: str
    reason: str = ""


OFF: Final = Form[SwitchingOff, None](
    "supplier_off",
    SwitchingOff,
    (Step("reason", plain(str)),),
    lambda asked: SupplierOff(asked.supplier_no, asked.name),
)


def add_routes(routes: Router) -> None:
    """Who takes the money."""
    routes.message.register(show, Wants(ShowSuppliers))
    routes.message.register(change, Wants(ChangeSupplier))
    routes.callback_query.register(turn, Presses(TurnSuppliers))
    routes.callback_query.register(press, Presses(OnSupplier))
    routes.callback_query.register(press_key, Presses(SetCredential))
    routes.callback_query.register(press_switch, Presses(SwitchSupplier))
    OFF.add_routes(routes, give_why)


# ── what there is ────────────────────────────────────────────────────────────────────────────────
async def show(
    _: Message, chat: Chat, intent: ShowSuppliers, system: System, parties: Parties, supply: Supply
) -> None:
    """The first page; or the card of one, its credentials, the versions it can switch to."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(system, parties, supply)
    if intent.supplier_no is None:
        await chat.say(await cards.page(1))
        return
    supplier = await parties.suppliers.by_no(intent.supplier_no)
    shows = {"card": cards.card, "keys": cards.keys, "versions": cards.versions}
    await chat.say(await shows[intent.part](supplier))


async def turn(
    _: CallbackQuery,
    chat: Chat,
    button: TurnSuppliers,
    system: System,
    parties: Parties,
    supply: Supply,
) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    await chat.replace(await Cards(system, parties, supply).page(button.page))


# ── what is typed ────────────────────────────────────────────────────────────────────────────────
async def change(
    _: Message, chat: Chat, intent: ChangeSupplier, system: System, parties: Parties, supply: Supply
) -> None:
    """Do what was said; the card tells how the supplier stands then. Refusals: those of the
    verb, answer_unreadable."""
    actor = chat.actor
    actor.need_among_staff(RIGHT)
    cards, onboarding = Cards(system, parties, supply), supply.onboarding
    supplier = await parties.suppliers.by_no(intent.supplier_no)
    match intent.change:
        case "live":
            after = await onboarding.go_live(actor, supplier)
        case "off":
            after = await onboarding.switch_off(actor, supplier, intent.text)
        case "back":
            after = await onboarding.roll_back(actor, supplier)
        case "switch":
            document = await _document_of(supply.documents, intent.text)
            after = await onboarding.switch(actor, supplier, document)
        case field:
            after = await amend(actor, cards, supplier, field, intent.text)
    await chat.say(await cards.card(after))


async def _document_of(documents: Documents, text: str) -> Document:
    """`epay v2`. Refusals: answer_unreadable, document_not_found."""
    words = text.split()
    version = read_version(words[1]) if len(words) == 2 else None
    if version is None:
        raise Refusal("answer_unreadable", example="epay v2")
    return await documents.by_no(words[0].lower(), version)


# ── what is pressed ──────────────────────────────────────────────────────────────────────────────
async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnSupplier,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """What the card of a supplier offers."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(system, parties, supply)
    supplier = await parties.suppliers.by_id(button.supplier_id)
    match button.action:
        case "open":
            await chat.say(await cards.card(supplier))
        case "live":
            await _go_live(chat, cards, supplier)
        case "off":
            await _ask_off(chat, dialogues, supplier)
        case "back":
            _need_same(supplier, button.seen)
            after = await supply.onboarding.roll_back(chat.actor, supplier)
            await chat.replace(await cards.card(after))
        case "versions":
            await chat.say(await cards.versions(supplier))
        case "keys":
            await chat.say(await cards.keys(supplier))
        case field:
            await ask_amend(chat, dialogues, supplier, field)


async def _go_live(chat: Chat, cards: Cards, supplier: Supplier) -> None:
    """What is missing is said in a message: an alert has no room for all of it."""
    try:
        after = await cards.supply.onboarding.go_live(chat.actor, supplier)
    except Refusal as refusal:
        if refusal.code != "supplier_not_ready":
            raise
        await chat.say(RefusalNotice(refusal.code, refusal.facts))
        return
    await chat.replace(await cards.card(after))


async def _ask_off(chat: Chat, dialogues: Dialogues, supplier: Supplier) -> None:
    need_reason(chat, "switch_off", f"/supplier {supplier.supplier_no} off {{}}")
    asked = SwitchingOff(supplier.id, supplier.supplier_no, supplier.name)
    await OFF.begin(chat, dialogues, asked)


async def give_why(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Why a supplier goes off. Refusals: answer_forwarded, those of `Onboarding.switch_off`."""
    asked = await OFF.take(chat, dialogues, None, answer)
    if asked is None:
        return
    async with ends(chat, dialogues):
        supplier = await parties.suppliers.by_id(asked.supplier_id)
        after = await supply.onboarding.switch_off(chat.actor, supplier, asked.reason)
        await chat.say(await Cards(system, parties, supply).card(after))


async def press_key(
    _: CallbackQuery,
    chat: Chat,
    button: SetCredential,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Ask for one credential. Refusals: private_only."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(system, parties, supply)
    supplier = await parties.suppliers.by_id(button.supplier_id)
    connector = await cards.connector(supplier.document_id)
    names = connector.credential_names if connector is not None else ()
    await ask_credentials(chat, cards, dialogues, supplier, names[button.place : button.place + 1])


async def press_switch(
    _: CallbackQuery,
    chat: Chat,
    button: SwitchSupplier,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """First what the version still needs, then whether to do it, then do it."""
    chat.actor.need_among_staff(RIGHT)
    cards = Cards(system, parties, supply)
    supplier = await parties.suppliers.by_id(button.supplier_id)
    document = await supply.documents.by_id(button.document_id)
    _need_same(supplier, button.seen)
    if button.sure:
        after = await supply.onboarding.switch(chat.actor, supplier, document)
        await chat.replace(await cards.card(after))
        return
    names = await supply.onboarding.missing_for(supplier, document)
    if names:
        await ask_credentials(chat, cards, dialogues, supplier, names, document=document)
        return
    await chat.say(await cards.switch(supplier, document))


def _need_same(supplier: Supplier, before: str) -> None:
    if seen(supplier.document_id) != before:
        raise Refusal("supplier_changed", supplier_no=supplier.supplier_no)
