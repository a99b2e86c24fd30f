"""Opening a supplier step by step in private.

What is said at a step is done first, then the next question is put, and then the dialogue moves on:
a message that is delivered again does the same once more, which changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored
from core.kernel.amounts import fold
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.money import HOME_CURRENCY, need_currency
from core.parties.suppliers import NewSupplier, Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document, supplier_line
from handlers.documents.router import need
from handlers.kit.buttons import InDialogue
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import SKIP, Answers, Chooses, Dialogue, Dialogues, Said
from handlers.suppliers.amendments import last_day
from handlers.suppliers.buttons import OpenSupplier
from handlers.suppliers.cards import connector_of, today_of
from handlers.suppliers.credentials import ask_credentials
from handlers.suppliers.words import SETTLES_TO, BeginSupplier, read_settles_to

STEPS: Final = (
    "name", "legal_name", "licence_no", "licence_expires_on", "settles_to", "document", "currency",
)  # fmt: skip
_LATER: Final = frozenset({"legal_name", "licence_no", "licence_expires_on", "settles_to"})
_PREFIX: Final = "open_"  # so that no other dialogue has a step of this name
_QUESTIONS: Final = tuple(_PREFIX + step for step in STEPS)
CURRENCIES: Final = (HOME_CURRENCY, "USD", "USDT")
DOCUMENTS: Final = 12
_TRIES: Final = 5  # at a number, while others open suppliers as well


def router() -> Router:
    """A contract is signed."""
    routes = Router(name="opening")
    routes.message.register(begin_typed, Wants(BeginSupplier))
    routes.message.register(answer, Answers(*_QUESTIONS), Wants(Said))
    routes.callback_query.register(begin_pressed, Presses(OpenSupplier))
    routes.callback_query.register(choose, Chooses(*_QUESTIONS))
    return routes


# ── the questions of a new supplier ──────────────────────────────────────────────────────────────
async def begin_typed(
    message: Message, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Ask for the first thing. Refusals: private_only, no_documents."""
    await _begin(actor, runtime, dialogues)


async def begin_pressed(
    query: CallbackQuery, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """As `begin_typed`."""
    await _begin(actor, runtime, dialogues)


async def _begin(actor: Actor, runtime: Runtime, dialogues: Dialogues) -> None:
    need(actor, "suppliers")
    options = await _documents(runtime)
    if not options:
        raise Refusal("no_documents", example="/documents")
    dialogue = await dialogues.begin(
        actor, _QUESTIONS[0], supplier_no=await _next_no(runtime), documents=options
    )
    await _ask(runtime, actor, dialogue)


async def _documents(runtime: Runtime) -> list[dict[str, str]]:
    """The newest version of each connector that is approved or waits to be."""
    newest: dict[str, Document] = {}
    for document in await runtime.supply.documents.all():
        if document.state in ("approved", "proposed"):
            newest.setdefault(f"{document.code} {document.state}", document)
    found = sorted(newest.values(), key=lambda document: document.state != "approved")
    return [
        {"id": str(document.id), "document": str(document), "state": document.state}
        for document in found[:DOCUMENTS]
    ]


async def _next_no(runtime: Runtime) -> str:
    """The number after the highest there is."""
    numbers = [int(supplier.supplier_no[1:]) for supplier in await runtime.parties.suppliers.all()]
    return f"S{max(numbers, default=0) + 1:02}"


async def _ask(runtime: Runtime, actor: Actor, dialogue: Dialogue) -> None:
    step = dialogue.step.removeprefix(_PREFIX)
    facts = {
        "step": step,
        "place": STEPS.index(step) + 1,
        "of": len(STEPS),
        "supplier_no": dialogue.facts["supplier_no"],
        "options": _options(step, dialogue),
        "later": step in _LATER,
        "dialogue_id": dialogue.id,
        "turn": dialogue.turn,
    }
    await runtime.delivery.outbox.say(
        runtime.system.store, actor.chat_id, Say(Stored("supplier_question", facts))
    )


def _options(step: str, dialogue: Dialogue) -> list[str]:
    """What can be pressed, by its place."""
    match step:
        case "settles_to":
            return list(SETTLES_TO)
        case "document":
            return [option["document"] for option in dialogue.facts["documents"]]
        case "currency":
            return list(CURRENCIES)
        case _:
            return []


async def answer(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Take an answer that was written. Refusals: answer_forwarded, those of the step."""
    dialogue = intent.dialogue
    if intent.message_id <= dialogue.heard:
        return
    if intent.foreign:
        raise Refusal("answer_forwarded")
    await _take(runtime, actor, dialogues, dialogue, intent.text, heard=intent.message_id)


async def choose(
    query: CallbackQuery,
    button: InDialogue,
    dialogue: Dialogue,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """Take an answer that was pressed, or leave it for later."""
    step = dialogue.step.removeprefix(_PREFIX)
    if button.choice == SKIP and step in _LATER:
        await _move(runtime, actor, dialogues, dialogue, {})
        return
    options = _options(step, dialogue)
    if button.choice.isdecimal() and int(button.choice) < len(options):
        await _take(runtime, actor, dialogues, dialogue, options[int(button.choice)])


async def _take(
    runtime: Runtime,
    actor: Actor,
    dialogues: Dialogues,
    dialogue: Dialogue,
    text: str,
    *,
    heard: int = 0,
) -> None:
    need(actor, "suppliers")
    step = dialogue.step.removeprefix(_PREFIX)
    said = await _read(runtime, dialogue, step, text)
    if step != STEPS[-1]:
        await _move(runtime, actor, dialogues, dialogue, said, heard=heard)
        return
    dialogue = replace(dialogue, facts={**dialogue.facts, **said})
    supplier = await _open(runtime, actor, dialogues, dialogue)
    connector = await connector_of(runtime, supplier.document_id)
    names = connector.credential_names if connector is not None else ()
    await ask_credentials(runtime, actor, dialogues, supplier, names, heard=heard)


async def _move(
    runtime: Runtime,
    actor: Actor,
    dialogues: Dialogues,
    dialogue: Dialogue,
    said: dict[str, Any],
    *,
    heard: int = 0,
) -> None:
    following = _QUESTIONS[_QUESTIONS.index(dialogue.step) + 1]
    dialogue = dialogue.at(following, heard=heard, **said)
    await _ask(runtime, actor, dialogue)
    await dialogues.keep(actor, dialogue)


async def _read(runtime: Runtime, dialogue: Dialogue, step: str, text: str) -> dict[str, Any]:
    """What an answer means: checked here already, so that nobody has to begin again for it.

    Refusals: answer_unreadable, licence_day_past, currency_unknown, document_sandbox_only,
    those of `NewSupplier` as core checks it.
    """
    match step:
        case "licence_expires_on":
            zone = (await runtime.ledger.calendar.cut_of(HOUSE)).zone
            return {step: str(last_day(text, today_of(runtime, zone)))}
        case "settles_to":
            whom = read_settles_to(text)
            if whom not in SETTLES_TO:
                raise Refusal("answer_unreadable", example=" | ".join(SETTLES_TO))
            return {step: whom}
        case "document":
            return {"document_id": await _document_id(runtime, dialogue, text)}
        case "currency":
            currency = fold(text).strip().upper()
            need_currency(currency)
            return {step: currency}
        case _:
            return {step: supplier_line(step, text)}


async def _document_id(runtime: Runtime, dialogue: Dialogue, text: str) -> str:
    wanted = " ".join(fold(text).lower().split())
    for option in dialogue.facts["documents"]:
        if option["document"] == wanted:
            connector = await connector_of(runtime, UUID(option["id"]))
            if connector is not None and connector.sandbox_only and not runtime.system.demo:
                raise Refusal("document_sandbox_only", document=wanted)
            return str(option["id"])
    raise Refusal("answer_unreadable", example=dialogue.facts["documents"][0]["document"])


async def _open(
    runtime: Runtime, actor: Actor, dialogues: Dialogues, dialogue: Dialogue
) -> Supplier:
    """The new supplier; the one that is there, where this very answer opened it before. A number
    that somebody else took meanwhile is left to them."""
    for _ in range(_TRIES):
        new = _new_supplier(dialogue.facts, sandbox=runtime.system.demo)
        try:
            return await runtime.supply.onboarding.open(actor, new)
        except Refusal as refusal:
            if refusal.code != "supplier_exists":
                raise
        there = await runtime.parties.suppliers.by_no(new.supplier_no)
        if _is_same(there, new):
            return there
        # Kept before it is used, so that this answer, delivered again, finds what it opened.
        facts = {**dialogue.facts, "supplier_no": await _next_no(runtime)}
        dialogue = replace(dialogue, facts=facts)
        await dialogues.keep(actor, dialogue)
    raise Refusal("supplier_exists", supplier_no=dialogue.facts["supplier_no"])


def _new_supplier(said: Any, *, sandbox: bool) -> NewSupplier:
    ends = said.get("licence_expires_on")
    return NewSupplier(
        supplier_no=said["supplier_no"],
        name=said["name"],
        document_id=UUID(said["document_id"]),
        sandbox=sandbox,
        legal_name=said.get("legal_name", ""),
        licence_no=said.get("licence_no", ""),
        licence_expires_on=date.fromisoformat(ends) if ends else None,
        settles_to=said.get("settles_to"),
        currency=said["currency"],
    )


def _is_same(there: Supplier, new: NewSupplier) -> bool:
    names = (
        "name", "document_id", "legal_name", "licence_no", "licence_expires_on", "settles_to",
        "currency",
    )  # fmt: skip
    return there.state == "off" and all(getattr(there, n) == getattr(new, n) for n in names)
