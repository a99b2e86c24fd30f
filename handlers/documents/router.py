"""Connector documents: sent as a file, tried, proposed, and decided by a second person."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.connectors import DocumentFaults
from core.delivery.outbox import Say, Stored, TextFile
from core.kernel.errors import REASON_EXAMPLES, Refusal
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from handlers.documents.buttons import FromLibrary, OnDocument, SendDocument
from handlers.documents.trial import (
    SHOWN_DIFF_LINES,
    clipped,
    dry_read,
    dry_run,
    fault_facts,
    pasted,
    summary,
    written,
)
from handlers.documents.words import DecideDocument, Decision, ShowDocuments
from handlers.kit.context import Presses, Wants, say, zone_here
from handlers.kit.dialogues import DOCUMENT, Answers, Chooses, Dialogue, Dialogues, Said, Sent
from handlers.kit.downloads import read_text

MAX_KB: Final = 64
LISTED: Final = 15
NOTE_CHARS: Final = 500
CHECKED, WHY = "checked", "document_why"
_ENDINGS: Final = (".yaml", ".yml")
_EXAMPLES: Final = {"reject": "reject_document", "withdraw": "withdraw_document"}


def router() -> Router:
    """How a supplier is spoken to."""
    routes = Router(name="documents")
    routes.message.register(show, Wants(ShowDocuments))
    routes.message.register(decide, Wants(DecideDocument))
    routes.message.register(give_why, Answers(WHY))
    routes.message.register(take_note, Answers(CHECKED), Wants(Said))
    routes.message.register(take_pasted, Answers(DOCUMENT), Wants(Said))
    routes.message.register(take_file, _IsDocument())
    routes.callback_query.register(library, Presses(FromLibrary))
    routes.callback_query.register(ask_document, Presses(SendDocument))
    routes.callback_query.register(press, Presses(OnDocument))
    routes.callback_query.register(choose, Chooses(CHECKED))
    return routes


class _IsDocument(Wants):
    """A file, unless a secret was asked for."""

    def __init__(self) -> None:
        super().__init__(Sent)

    async def __call__(self, event: Any, intent: Any = None) -> bool:
        dialogue = intent.dialogue if isinstance(intent, Sent) else None
        return await super().__call__(event, intent) and (
            dialogue is None or dialogue.step == DOCUMENT
        )


# ── what there is ────────────────────────────────────────────────────────────────────────────────
async def show(message: Message, intent: ShowDocuments, actor: Actor, runtime: Runtime) -> None:
    """The newest versions; or the card of one."""
    need(actor, "documents")
    if intent.code is not None:
        document = await _named(runtime, intent.code, intent.version)
        await _card(runtime, actor, document, message.message_id)
        return
    found = await runtime.supply.documents.all()
    facts = {
        "lines": [document_facts(document) for document in found[:LISTED]],
        "more": max(0, len(found) - LISTED),
        "private": actor.chat_id == actor.user_id,
    }
    await say(runtime, actor, "documents", facts, message.message_id)


async def library(
    query: CallbackQuery, button: FromLibrary, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """The documents that come with the desk; or one of them, as if it had been sent."""
    need(actor, "documents")
    if query.message is None:
        return
    message_id = query.message.message_id
    if button.code:
        text = runtime.supply.documents.library_text(button.code)
        await _try(actor, runtime, dialogues, text, "", message_id)
    else:
        codes = list(runtime.supply.documents.library())
        await say(runtime, actor, "document_library", {"codes": codes}, message_id)


async def ask_document(
    query: CallbackQuery, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Whatever file comes next is the document. Refusals: private_only."""
    need(actor, "documents")
    if query.message is None:
        return
    dialogue = await dialogues.begin(actor, DOCUMENT)
    facts = {"dialogue_id": dialogue.id, "limit_kb": MAX_KB}
    await say(runtime, actor, "document_wanted", facts, query.message.message_id)


# ── a document on its way ────────────────────────────────────────────────────────────────────────
async def take_file(
    message: Message, intent: Sent, actor: Actor, runtime: Runtime, dialogues: Dialogues, bot: Bot
) -> None:
    """Try a file that was sent. Refusals: not_permitted, file_…"""
    need(actor, "documents")
    if not intent.name.lower().endswith(_ENDINGS):
        raise Refusal("file_not_yaml", name=intent.name[:60])
    text = await read_text(bot, intent, MAX_KB)
    await _try(actor, runtime, dialogues, text, intent.caption, message.message_id)


async def take_pasted(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """Try a document that is short enough for one message."""
    need(actor, "documents")
    await _try(actor, runtime, dialogues, intent.text, "", message.message_id)


async def take_note(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """What changed, in words: it goes with the proposal. Or what came from the supplier, behind
    the operation it belongs to: then how it is read. Refusals: answer_forwarded,
    dry_run_impossible."""
    need(actor, "documents")
    dialogue = intent.dialogue
    if intent.message_id <= dialogue.heard:
        return
    text = dialogue.facts["text"]
    if (came := await asyncio.to_thread(pasted, text, intent.text)) is not None:
        read = await asyncio.to_thread(dry_read, text, *came)
        facts = {"code": dialogue.facts["code"], **read}
        await say(runtime, actor, "dry_read", facts, message.message_id)
        return
    if intent.foreign:
        raise Refusal("answer_forwarded")
    note = " ".join(intent.text.split())[:NOTE_CHARS]
    dialogue = dialogue.at(CHECKED, heard=intent.message_id, note=note)
    await _show_checked(actor, runtime, dialogue, message.message_id)
    await dialogues.keep(actor, dialogue)


async def _try(
    actor: Actor, runtime: Runtime, dialogues: Dialogues, text: str, note: str, reply_to: int
) -> None:
    """Say what is wrong with a text; or what it can do, and begin to ask what to do with it."""
    try:
        facts = await asyncio.to_thread(summary, text)
    except DocumentFaults as faults:
        await _say_faults(runtime, actor, faults, reply_to)
        return
    note = " ".join(note.split())[:NOTE_CHARS]
    dialogue = await dialogues.begin(actor, CHECKED, text=text, code=facts["code"], note=note)
    await _show_checked(actor, runtime, dialogue, reply_to)


async def _show_checked(actor: Actor, runtime: Runtime, dialogue: Dialogue, reply_to: int) -> None:
    text = dialogue.facts["text"]
    facts = await asyncio.to_thread(summary, text)
    diff = (await runtime.supply.documents.changes(facts["code"], text)).splitlines()
    facts |= {
        "note": dialogue.facts["note"],
        "diff": diff[:SHOWN_DIFF_LINES],
        "diff_lines": len(diff),
        "dialogue_id": dialogue.id,
        "turn": dialogue.turn,
    }
    await say(runtime, actor, "document_checked", facts, reply_to)


async def _say_faults(
    runtime: Runtime, actor: Actor, faults: DocumentFaults, reply_to: int
) -> None:
    facts = fault_facts(faults)
    await say(runtime, actor, "document_faults", facts, reply_to)
    if facts["long"]:
        await _send(runtime, actor, "faults.txt", str(faults), "all faults", reply_to)


async def choose(
    query: CallbackQuery,
    button: Any,
    dialogue: Dialogue,
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
) -> None:
    """Propose a document that was tried, see its requests, or all that it changes."""
    need(actor, "documents")
    if query.message is None:
        return
    message_id, said = query.message.message_id, dialogue.facts
    match button.choice:
        case "dry":
            requests = await asyncio.to_thread(dry_run, said["text"])
            first = clipped(requests[0])
            whole = len(requests) == 1 and first == requests[0]
            facts = {"code": said["code"], "request": first, "more": len(requests) - 1}
            await say(runtime, actor, "dry_run", facts, message_id)
            if not whole:
                name = f"{said['code']}-dry-run.txt"
                await _send(runtime, actor, name, written(requests), said["code"], message_id)
        case "diff":
            diff = await runtime.supply.documents.changes(said["code"], said["text"])
            await _send(runtime, actor, f"{said['code']}.diff", diff, said["code"], message_id)
        case "propose":
            try:
                document = await runtime.supply.documents.propose(
                    actor, said["text"], note=said["note"]
                )
            except DocumentFaults as faults:
                await _say_faults(runtime, actor, faults, message_id)
                return
            await _replace(runtime, actor, document, message_id)
            await dialogues.end(actor)


# ── decisions ────────────────────────────────────────────────────────────────────────────────────
async def decide(message: Message, intent: DecideDocument, actor: Actor, runtime: Runtime) -> None:
    """Approve, reject or withdraw, as it was typed."""
    need(actor, "documents" if intent.decision == "withdraw" else "approve_document")
    document = await runtime.supply.documents.by_no(intent.code, intent.version)
    decided = await _decide(runtime, actor, document, intent.decision, intent.why)
    await _card(runtime, actor, decided, message.message_id)


async def press(
    query: CallbackQuery, button: OnDocument, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """What the card of a document offers. Refusals: reason_missing (in a group, with what to
    type there)."""
    need(actor, "documents")
    if query.message is None:
        return
    message_id = query.message.message_id
    document = await runtime.supply.documents.by_id(button.document_id)
    match button.action:
        case "open":
            await _card(runtime, actor, document, message_id)
        case "diff":
            diff = await runtime.supply.documents.diff(document)
            name = f"{document.code}-v{document.version}.diff"
            await _send(runtime, actor, name, diff, str(document), message_id)
        case "text":
            text = await runtime.supply.documents.text(document)
            await _send(runtime, actor, f"{document.code}.yaml", text, str(document), message_id)
        case "approve":
            approved = await runtime.supply.documents.approve(actor, document)
            await _replace(runtime, actor, approved, message_id)
        case "reject" | "withdraw":
            await _ask_why(actor, runtime, dialogues, document, button.action, message_id)


async def _ask_why(
    actor: Actor,
    runtime: Runtime,
    dialogues: Dialogues,
    document: Document,
    decision: Decision,
    message_id: int,
) -> None:
    actor.need("documents" if decision == "withdraw" else "approve_document")
    example = REASON_EXAMPLES[_EXAMPLES[decision]]
    if actor.chat_id != actor.user_id:  # no conversation in a group
        typed = f"/document {document.code} v{document.version} {decision} {example}"
        raise Refusal("reason_missing", example=typed)
    dialogue = await dialogues.begin(
        actor, WHY, document_id=str(document.id), decision=decision, message_id=message_id
    )
    facts = {"document": str(document), "decision": decision, "dialogue_id": dialogue.id}
    await say(runtime, actor, "document_why", facts, message_id)


async def give_why(
    message: Message, intent: Said, actor: Actor, runtime: Runtime, dialogues: Dialogues
) -> None:
    """The reason that was asked for. Refusals: answer_forwarded, those of the decision."""
    if intent.foreign:
        raise Refusal("answer_forwarded")
    said = intent.dialogue.facts
    document = await runtime.supply.documents.by_id(UUID(said["document_id"]))
    try:
        decided = await _decide(runtime, actor, document, said["decision"], intent.text)
    except Refusal as refusal:
        if refusal.code not in ("reason_missing", "field_invalid"):
            await dialogues.end(actor)  # no other answer would do
        raise
    await _replace(runtime, actor, decided, said["message_id"])
    await dialogues.end(actor)


async def _decide(
    runtime: Runtime, actor: Actor, document: Document, decision: Decision, why: str
) -> Document:
    match decision:
        case "approve":
            return await runtime.supply.documents.approve(actor, document)
        case "reject":
            return await runtime.supply.documents.reject(actor, document, why)
        case "withdraw":
            return await runtime.supply.documents.withdraw(actor, document, why)


# ── what they share ──────────────────────────────────────────────────────────────────────────────
def need(actor: Actor, right: str) -> None:
    """A right, where staff alone reads. Refusals: not_permitted, anonymous_admin, staff_only."""
    actor.need(right)
    if actor.merchant_ids is not None:
        raise Refusal("staff_only")


def document_facts(document: Document) -> dict[str, Any]:
    """A version as screens show it."""
    return {
        "document_id": str(document.id),
        "document": str(document),
        "state": document.state,
        "note": document.note,
        "proposed_by_name": document.proposed_by_name,
        "proposed_at": document.proposed_at.isoformat(),
        "decided_by_name": document.decided_by_name,
        "why": document.why,
        "alone": document.alone,
    }


async def _named(runtime: Runtime, code: str, version: int | None) -> Document:
    """Refusals: document_not_found."""
    if version is not None:
        return await runtime.supply.documents.by_no(code, version)
    found = await runtime.supply.documents.all(code)
    if not found:
        raise Refusal("document_not_found", document=code)
    return found[0]


async def _replace(runtime: Runtime, actor: Actor, document: Document, message_id: int) -> None:
    """The card of a document, in the place of a message of ours."""
    facts = document_facts(document) | {"zone": await zone_here(runtime, actor)}
    await runtime.delivery.outbox.say(
        runtime.system.store,
        actor.chat_id,
        Say(Stored("document", facts), edit_message_id=message_id),
    )


async def _card(runtime: Runtime, actor: Actor, document: Document, reply_to: int) -> None:
    """The card of a document, in reply to a message."""
    facts = document_facts(document) | {"zone": await zone_here(runtime, actor)}
    await say(runtime, actor, "document", facts, reply_to)


async def _send(
    runtime: Runtime, actor: Actor, name: str, text: str, title: str, reply_to: int
) -> None:
    """A text as a file. Nothing to show is a text as well."""
    file = TextFile(name, text or "–\n", Stored("file", {"title": title}), reply_to=reply_to)
    await runtime.delivery.outbox.say(runtime.system.store, actor.chat_id, file)
