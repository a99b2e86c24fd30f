"""Suppliers: which there are and what each still lacks; live and off, switched and rolled back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored
from core.kernel.errors import REASON_EXAMPLES, Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from handlers.documents.router import need
from handlers.documents.words import read_version
from handlers.kit.context import Presses, Wants, say
from handlers.kit.dialogues import Answers, Dialogues, Said
from handlers.suppliers.amendments import amend, ask_amend
from handlers.suppliers.buttons import (
    OnSupplier,
    SetCredential,
    SwitchSupplier,
    TurnSuppliers,
    seen,
)
from handlers.suppliers.cards import card, connector_of, page, switch_facts, versions
from handlers.suppliers.credentials import ask_credentials
from handlers.suppliers.words import ChangeSupplier, ShowSuppliers

OFF: Final = "supplier_off"


def router() -> Router:
    """Who takes the money."""
    routes = Router(name="suppliers")
    routes.message.register(show, Wants(ShowSuppliers))
    routes.message.register(change, Wants(ChangeSupplier))
    routes.message.register(give_why, Answers(OFF))
    routes.callback_query.register(turn, Presses(TurnSuppliers))
    routes.callback_query.register(press, Presses(OnSupplier))
    routes.callback_query.register(press_key, Presses(SetCredential))
    routes.callback_query.register(press_switch, Presses(SwitchSupplier))
    return routes


# ── what there is ────────────────────────────────────────────────────────────────────────────────
async def show(message: Message, intent: ShowSuppliers, actor: Actor, runtime: Runtime) -> None:
    """The first page; or the card of one."""
    need(actor, "suppliers")
    if intent.supplier_no is None:
        await say(runtime, actor, "suppliers", await page(runtime, 1), message.message_id)
        return
    supplier = await runtime.parties.suppliers.by_no(intent.supplier_no)
    await say(runtime, actor, "supplier", await card(runtime, supplier), message.message_id)


async def turn(query: CallbackQuery, button: TurnSuppliers, actor: Actor, runtime: Runtime) -> None:
    """Another page, in the place of the one that carries the button."""
    need(actor, "suppliers")
    if query.message is not None:
        facts = await page(runtime, button.page)
        await _edit(runtime, actor, "suppliers", facts, query.message.message_id)


# ── what is typed ────────────────────────────────────────────────────────────────────────────────
async def change(message: Message, intent: ChangeSupplier, actor: Actor, runtime: Runtime) -> None:
    """Do what was said; the card tells how the supplier stands then. Refusals: those of the
    verb, answer_unreadable."""
    need(actor, "suppliers")
    supplier = await runtime.parties.suppliers.by_no(intent.supplier_no)
    vetting = runtime.supply.onboarding
    match intent.change:
        case "live":
            after = await vetting.go_live(actor, supplier)
        case "off":
            after = await vetting.switch_off(actor, supplier, intent.text)
        case "back":
            after = await vetting.roll_back(actor, supplier)
        case "switch":
            document = await _document_of(runtime, intent.text)
            after = await vetting.switch(actor, supplier, document)
        case field:
            after = await amend(runtime, actor, supplier, field, intent.text)
    await say(runtime, actor, "supplier", await card(runtime, after), message.message_id)


async def _document_of(runtime: Runtime, text: str) -> Document:
    """`epay v2`. Refusals: answer_unreadable, document_not_found."""
    words = text.split()
    version = read_version(words[1]) if len(words) == 2 else None
    if version is None:
        raise Refusal("answer_unreadable", example="epay v2")
    return await runtime.supply.documents.by_no(words[0].lower(), version)


# ── what is pressed ──────────────────────────────────────────────────────────────────────────────
async def press(
    query: CallbackQuery, button: OnSupplier, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """What the card of a supplier offers."""
    need(actor, "suppliers")
    if query.message is None:
        return
    message_id = query.message.message_id
    supplier = await runtime.parties.suppliers.by_id(button.supplier_id)
    match button.action:
        case "open":
            await say(runtime, actor, "supplier", await card(runtime, supplier), message_id)
        case "live":
            await _go_live(runtime, actor, supplier, message_id)
        case "off":
            await _ask_off(runtime, actor, dialogues, supplier, message_id)
        case "back":
            _need_same(supplier, button.seen)
            after = await runtime.supply.onboarding.roll_back(actor, supplier)
            await _edit(runtime, actor, "supplier", await card(runtime, after), message_id)
        case "versions":
            facts = await versions(runtime, supplier)
            await say(runtime, actor, "supplier_versions", facts, message_id)
        case "keys":
            await say(runtime, actor, "supplier_keys", await card(runtime, supplier), message_id)
        case field:
            await ask_amend(runtime, actor, dialogues, supplier, field)


async def _go_live(runtime: Runtime, actor: Actor, supplier: Supplier, message_id: int) -> None:
    """What is missing is said in a message: an alert has no room for all of it."""
    try:
        after = await runtime.supply.onboarding.go_live(actor, supplier)
    except Refusal as refusal:
        if refusal.code != "supplier_not_ready":
            raise
        facts = {"code": refusal.code, "facts": refusal.facts, "line": 0}
        await say(runtime, actor, "refusal", facts, message_id)
        return
    await _edit(runtime, actor, "supplier", await card(runtime, after), message_id)


async def _ask_off(
    runtime: Runtime, actor: Actor, dialogues: Dialogues, supplier: Supplier, message_id: int
) -> None:
    if actor.chat_id != actor.user_id:  # no conversation in a group
        example = REASON_EXAMPLES["switch_off"]
        raise Refusal("reason_missing", example=f"/supplier {supplier.supplier_no} off {example}")
    dialogue = await dialogues.begin(
        actor, OFF, supplier_id=str(supplier.id), message_id=message_id
    )
    facts = {"supplier_no": supplier.supplier_no, "name": supplier.name, "dialogue_id": dialogue.id}
    await say(runtime, actor, "supplier_off", facts, message_id)


async def give_why(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Why a supplier goes off. Refusals: answer_forwarded, those of `Onboarding.switch_off`."""
    if intent.foreign:
        raise Refusal("answer_forwarded")
    supplier = await runtime.parties.suppliers.by_id(UUID(intent.dialogue.facts["supplier_id"]))
    try:
        after = await runtime.supply.onboarding.switch_off(actor, supplier, intent.text)
    except Refusal as refusal:
        if refusal.code not in ("reason_missing", "field_invalid"):
            await dialogues.end(actor)  # no other answer would do
        raise
    await say(runtime, actor, "supplier", await card(runtime, after), message.message_id)
    await dialogues.end(actor)


async def press_key(
    query: CallbackQuery,
    button: SetCredential,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """Ask for one credential. Refusals: private_only."""
    need(actor, "suppliers")
    supplier = await runtime.parties.suppliers.by_id(button.supplier_id)
    connector = await connector_of(runtime, supplier.document_id)
    names = connector.credential_names if connector is not None else ()
    await ask_credentials(
        runtime, actor, dialogues, supplier, names[button.place : button.place + 1]
    )


async def press_switch(
    query: CallbackQuery,
    button: SwitchSupplier,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """First what the version still needs, then whether to do it, then do it."""
    need(actor, "suppliers")
    if query.message is None:
        return
    message_id = query.message.message_id
    supplier = await runtime.parties.suppliers.by_id(button.supplier_id)
    document = await runtime.supply.documents.by_id(button.document_id)
    _need_same(supplier, button.seen)
    if button.sure:
        after = await runtime.supply.onboarding.switch(actor, supplier, document)
        await _edit(runtime, actor, "supplier", await card(runtime, after), message_id)
        return
    names = await runtime.supply.onboarding.missing_for(supplier, document)
    if names:
        await ask_credentials(runtime, actor, dialogues, supplier, names, document=document)
        return
    facts = await switch_facts(runtime, supplier, document)
    await say(runtime, actor, "supplier_switch", facts, message_id)


def _need_same(supplier: Supplier, before: str) -> None:
    if seen(supplier.document_id) != before:
        raise Refusal("supplier_changed", supplier_no=supplier.supplier_no)


async def _edit(
    runtime: Runtime, actor: Actor, screen: str, facts: dict[str, Any], message_id: int
) -> None:
    await runtime.delivery.outbox.say(
        runtime.system.store, actor.chat_id, Say(Stored(screen, facts), edit_message_id=message_id)
    )
