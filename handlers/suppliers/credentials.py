"""Credentials, asked for one by one in private.

The message that holds one is taken away whatever comes of it, and no answer repeats or quotes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import Say, Stored, TakeAway
from core.kernel.errors import Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from handlers.documents.router import need
from handlers.kit.buttons import InDialogue
from handlers.kit.dialogues import SECRET, SKIP, Answers, Chooses, Dialogue, Dialogues, Said, Sent
from handlers.kit.downloads import read_text
from handlers.suppliers.cards import card, connector_of, switch_facts

FILE_KB: Final = 8


def router() -> Router:
    """What opens a supplier's interface."""
    routes = Router(name="credentials")
    routes.message.register(give_credential, Answers(SECRET))
    routes.callback_query.register(skip_credential, Chooses(SECRET))
    return routes


async def ask_credentials(
    runtime: Runtime,
    actor: Actor,
    dialogues: Dialogues,
    supplier: Supplier,
    names: Sequence[str],
    *,
    document: Document | None = None,
    heard: int = 0,
) -> None:
    """Ask for these, in a dialogue of its own. document: to which the supplier is to be switched
    then. heard: the message that led here. Refusals: private_only."""
    dialogue = await dialogues.begin(
        actor,
        SECRET,
        supplier_id=str(supplier.id),
        names=list(names),
        of=len(names),
        document_id=str(document.id) if document else "",
    )
    await _go_on(runtime, actor, dialogues, replace(dialogue, heard=heard), supplier)


async def _go_on(
    runtime: Runtime, actor: Actor, dialogues: Dialogues, dialogue: Dialogue, supplier: Supplier
) -> None:
    """Ask for the next one; after the last, show how the supplier stands, or ask whether to
    switch it now."""
    said = dialogue.facts
    if said["names"]:
        facts = await _question(runtime, dialogue, supplier)
        await runtime.delivery.outbox.say(
            runtime.system.store, actor.chat_id, Say(Stored("credential_question", facts))
        )
        await dialogues.keep(actor, dialogue)
        return
    if said["document_id"]:
        document = await runtime.supply.documents.by_id(UUID(said["document_id"]))
        fact = Say(Stored("supplier_switch", await switch_facts(runtime, supplier, document)))
    else:
        fact = Say(Stored("supplier", await card(runtime, supplier)))
    await runtime.delivery.outbox.say(runtime.system.store, actor.chat_id, fact)
    await dialogues.end(actor)


async def _question(runtime: Runtime, dialogue: Dialogue, supplier: Supplier) -> dict[str, Any]:
    said = dialogue.facts
    name = said["names"][0]
    document_id = UUID(said["document_id"]) if said["document_id"] else supplier.document_id
    connector = await connector_of(runtime, document_id)
    return {
        "supplier_no": supplier.supplier_no,
        "supplier_name": supplier.name,
        "name": name,
        "title": connector.credentials.get(name, "") if connector else "",
        "servers": list(connector.servers) if connector and name == "base_url" else [],
        "set": bool(supplier.coming.get(name)),
        "replaces": supplier.lived and bool(supplier.credentials.get(name)),
        "place": said["of"] - len(said["names"]) + 1,
        "of": said["of"],
        "dialogue_id": dialogue.id,
        "turn": dialogue.turn,
    }


async def give_credential(
    message: Message,
    intent: Said | Sent,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
    bot: Bot,
) -> None:
    """Keep a credential. Its message is taken away whatever comes of it, and no answer repeats or
    quotes it. Refusals: answer_forwarded, file_…, those of `Onboarding.set_credentials`."""
    dialogue = intent.dialogue
    if dialogue is None:
        return
    await runtime.delivery.outbox.say(
        runtime.system.store, actor.chat_id, TakeAway(intent.message_id)
    )
    if intent.message_id <= dialogue.heard:
        return
    try:
        await _keep_credential(intent, dialogue, actor, runtime, dialogues, bot)
    except Refusal as refusal:
        facts = {"code": refusal.code, "facts": refusal.facts, "line": 0}
        await runtime.delivery.outbox.say(
            runtime.system.store, actor.chat_id, Say(Stored("refusal", facts))
        )


async def _keep_credential(
    intent: Said | Sent,
    dialogue: Dialogue,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
    bot: Bot,
) -> None:
    need(actor, "suppliers")
    if intent.foreign:
        raise Refusal("answer_forwarded")
    said = dialogue.facts
    text = intent.text if isinstance(intent, Said) else await read_text(bot, intent, FILE_KB)
    supplier = await runtime.parties.suppliers.by_id(UUID(said["supplier_id"]))
    document = None
    if said["document_id"]:
        document = await runtime.supply.documents.by_id(UUID(said["document_id"]))
    after = await runtime.supply.onboarding.set_credentials(
        actor, supplier, {said["names"][0]: text}, document=document
    )
    following = dialogue.at(SECRET, heard=intent.message_id, names=said["names"][1:])
    await _go_on(runtime, actor, dialogues, following, after)


async def skip_credential(
    query: CallbackQuery,
    button: InDialogue,
    dialogue: Dialogue,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """Leave it as it is, or for later."""
    need(actor, "suppliers")
    if button.choice != SKIP:
        return
    supplier = await runtime.parties.suppliers.by_id(UUID(dialogue.facts["supplier_id"]))
    following = dialogue.at(SECRET, names=dialogue.facts["names"][1:])
    await _go_on(runtime, actor, dialogues, following, supplier)
