"""One thing of who a supplier is, said anew: typed, or asked for in private."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.supply.district import Supply
from core.system.district import System
from handlers.kit.buttons import InDialogue
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.dialogues import Answers, Chooses, Dialogue, Dialogues, Said
from handlers.suppliers.cards import Cards
from handlers.suppliers.screens import SupplierQuestion
from handlers.suppliers.words import SETTLES_TO, read_day, read_settles_to

AMEND: Final = "amend"
DAY_EXAMPLE: Final = "2027-12-31"
Field = Literal["name", "legal_name", "licence_no", "licence_expires_on", "settles_to"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """What of which supplier is asked for."""

    supplier_id: UUID
    field: Field


def add_routes(routes: Router) -> None:
    """Licences are renewed."""
    routes.message.register(give_amended, Answers(AMEND), Wants(Said))
    routes.callback_query.register(choose_amended, Chooses(AMEND))


async def ask_amend(chat: Chat, dialogues: Dialogues, supplier: Supplier, field: Field) -> None:
    """Ask for one thing. Refusals: private_only."""
    dialogue = await dialogues.begin(chat.actor, AMEND, Amendment(supplier.id, field))
    question = SupplierQuestion(
        step=field,
        place=0,
        of=0,
        supplier_no=supplier.supplier_no,
        options=SETTLES_TO if field == "settles_to" else (),
        later=False,
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )
    await chat.post(question)


async def give_amended(
    _: Message,
    chat: Chat,
    intent: Said,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Refusals: answer_forwarded, those of `amend`."""
    if intent.foreign:
        raise Refusal("answer_forwarded")
    cards = Cards(system, parties, supply)
    await _amend(chat, cards, dialogues, intent.dialogue.read(Amendment), intent.text)


async def choose_amended(
    _: CallbackQuery,
    chat: Chat,
    button: InDialogue,
    dialogue: Dialogue,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Whom it settles to."""
    asked = dialogue.read(Amendment)
    place = int(button.choice) if button.choice.isdecimal() else len(SETTLES_TO)
    if asked.field == "settles_to" and place < len(SETTLES_TO):
        cards = Cards(system, parties, supply)
        await _amend(chat, cards, dialogues, asked, SETTLES_TO[place])


async def _amend(
    chat: Chat, cards: Cards, dialogues: Dialogues, asked: Amendment, text: str
) -> None:
    chat.actor.need_among_staff("suppliers")
    supplier = await cards.parties.suppliers.by_id(asked.supplier_id)
    after = await amend(chat.actor, cards, supplier, asked.field, text)
    await chat.post(await cards.card(after))
    await dialogues.end(chat.actor)


async def amend(
    actor: Actor, cards: Cards, supplier: Supplier, field: Field, text: str
) -> Supplier:
    """Say one thing of who a supplier is anew. Refusals: answer_unreadable, licence_day_past,
    those of `Onboarding.amend`."""
    onboarding = cards.supply.onboarding
    match field:
        case "name":
            return await onboarding.amend(actor, supplier, name=text)
        case "legal_name":
            return await onboarding.amend(actor, supplier, legal_name=text)
        case "licence_no":
            return await onboarding.amend(actor, supplier, licence_no=text)
        case "settles_to":
            return await onboarding.amend(actor, supplier, settles_to=read_settles_to(text))
        case "licence_expires_on":
            day = last_day(text, cards.today(supplier.day_cut.zone))
            return await onboarding.amend(actor, supplier, licence_expires_on=day)


def last_day(text: str, today: date) -> date:
    """The last day of a licence that is not over. Refusals: answer_unreadable,
    licence_day_past."""
    day = read_day(text)
    if day is None:
        raise Refusal("answer_unreadable", example=DAY_EXAMPLE)
    if day < today:
        raise Refusal("licence_day_past", text=str(day), example=DAY_EXAMPLE)
    return day
