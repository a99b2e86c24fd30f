"""One thing of who a supplier is, said anew: typed, or asked for in private."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored
from core.kernel.errors import Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from handlers.documents.router import need
from handlers.kit.buttons import InDialogue
from handlers.kit.context import Wants
from handlers.kit.dialogues import Answers, Chooses, Dialogue, Dialogues, Said
from handlers.suppliers.cards import card, today_of
from handlers.suppliers.words import SETTLES_TO, read_day, read_settles_to

AMEND: Final = "amend"
DAY_EXAMPLE: Final = "2027-12-31"


def router() -> Router:
    """Licences are renewed."""
    routes = Router(name="amending")
    routes.message.register(give_amended, Answers(AMEND), Wants(Said))
    routes.callback_query.register(choose_amended, Chooses(AMEND))
    return routes


async def ask_amend(
    runtime: Runtime, actor: Actor, dialogues: Dialogues, supplier: Supplier, field: str
) -> None:
    """Ask for one of name, legal_name, licence_no, licence_expires_on and settles_to.

    Refusals: private_only.
    """
    dialogue = await dialogues.begin(actor, AMEND, supplier_id=str(supplier.id), field=field)
    facts = {
        "step": field,
        "place": 0,
        "of": 0,
        "supplier_no": supplier.supplier_no,
        "options": list(SETTLES_TO) if field == "settles_to" else [],
        "later": False,
        "dialogue_id": dialogue.id,
        "turn": dialogue.turn,
    }
    await runtime.delivery.outbox.say(
        runtime.system.store, actor.chat_id, Say(Stored("supplier_question", facts))
    )


async def give_amended(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Refusals: answer_forwarded, those of `amend`."""
    if intent.foreign:
        raise Refusal("answer_forwarded")
    await _amend(runtime, actor, dialogues, intent.dialogue, intent.text)


async def choose_amended(
    query: CallbackQuery,
    button: InDialogue,
    dialogue: Dialogue,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """Whom it settles to."""
    place = int(button.choice) if button.choice.isdecimal() else len(SETTLES_TO)
    if dialogue.facts["field"] == "settles_to" and place < len(SETTLES_TO):
        await _amend(runtime, actor, dialogues, dialogue, SETTLES_TO[place])


async def _amend(
    runtime: Runtime, actor: Actor, dialogues: Dialogues, dialogue: Dialogue, text: str
) -> None:
    need(actor, "suppliers")
    supplier = await runtime.parties.suppliers.by_id(UUID(dialogue.facts["supplier_id"]))
    after = await amend(runtime, actor, supplier, dialogue.facts["field"], text)
    fact = Say(Stored("supplier", await card(runtime, after)))
    await runtime.delivery.outbox.say(runtime.system.store, actor.chat_id, fact)
    await dialogues.end(actor)


async def amend(
    runtime: Runtime, actor: Actor, supplier: Supplier, field: str, text: str
) -> Supplier:
    """Say one thing of who a supplier is anew. Refusals: answer_unreadable, licence_day_past,
    those of `Onboarding.amend`."""
    vetting = runtime.supply.onboarding
    match field:
        case "name":
            return await vetting.amend(actor, supplier, name=text)
        case "legal_name":
            return await vetting.amend(actor, supplier, legal_name=text)
        case "licence_no":
            return await vetting.amend(actor, supplier, licence_no=text)
        case "settles_to":
            return await vetting.amend(actor, supplier, settles_to=read_settles_to(text))
        case _:
            day = last_day(text, today_of(runtime, supplier.day_cut.zone))
            return await vetting.amend(actor, supplier, licence_expires_on=day)


def last_day(text: str, today: date) -> date:
    """The last day of a licence that is not over. Refusals: answer_unreadable,
    licence_day_past."""
    day = read_day(text)
    if day is None:
        raise Refusal("answer_unreadable", example=DAY_EXAMPLE)
    if day < today:
        raise Refusal("licence_day_past", text=str(day), example=DAY_EXAMPLE)
    return day
