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
from handlers.kit.chat import Chat
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step, plain
from handlers.suppliers.cards import Cards
from handlers.suppliers.screens import SupplierQuestion
from handlers.suppliers.words import SETTLES_TO, read_day, read_settles_to

DAY_EXAMPLE: Final = "2027-12-31"
Field = Literal["name", "legal_name", "licence_no", "licence_expires_on", "settles_to"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """What of which supplier is said anew. text: as it was said."""

    supplier_id: UUID
    supplier_no: str
    field: Field
    text: str = ""


FORM: Final = Form[Amendment, None](
    "amend",
    Amendment,
    (Step("text", plain(str), lambda asked: SETTLES_TO if asked.field == "settles_to" else ()),),
    lambda asked: SupplierQuestion(asked.supplier_no, step=asked.field),
)


def add_routes(routes: Router) -> None:
    """Licences are renewed."""
    FORM.add_routes(routes, answer)


async def ask_amend(chat: Chat, dialogues: Dialogues, supplier: Supplier, field: Field) -> None:
    """Ask for one thing. Refusals: private_only."""
    await FORM.begin(chat, dialogues, Amendment(supplier.id, supplier.supplier_no, field))


async def answer(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Refusals: answer_forwarded, those of `amend`."""
    chat.actor.need_among_staff("suppliers")
    asked = await FORM.take(chat, dialogues, None, answer)
    if asked is None:
        return
    cards = Cards(system, parties, supply)
    supplier = await parties.suppliers.by_id(asked.supplier_id)
    await chat.post(
        await cards.card(await amend(chat.actor, cards, supplier, asked.field, asked.text))
    )
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


def settles_to(text: str) -> str:
    """Whom a supplier settles to. Refusals: answer_unreadable."""
    whom = read_settles_to(text)
    if whom not in SETTLES_TO:
        raise Refusal("answer_unreadable", example=" | ".join(SETTLES_TO))
    return whom
