"""Connector documents: sent as a file, tried, proposed, and decided by a second person."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.connectors import DocumentFaults
from core.delivery.outbox import Say, TextFile
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.supply.district import Supply
from core.supply.onboarding import Document, Documents
from handlers.documents.buttons import FromLibrary, OnDocument, SendDocument
from handlers.documents.screens import (
    DocumentChecked,
    DocumentLibrary,
    DocumentLine,
    DocumentNotice,
    DocumentsNotice,
    DocumentWanted,
    DocumentWhy,
    DryRunNotice,
)
from handlers.documents.trial import (
    SHOWN_DIFF_LINES,
    are_long,
    clipped,
    dry_read,
    dry_run,
    pasted,
    shown_faults,
    summary,
    written,
)
from handlers.documents.words import DecideDocument, Decision, ShowDocuments
from handlers.files.screens import FileNotice
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import (
    DOCUMENT,
    Answers,
    Chooses,
    Chosen,
    Dialogue,
    Dialogues,
    Said,
    Sent,
)
from handlers.kit.downloads import read_text
from handlers.kit.forms import Form, Step, ends, need_reason, plain

RIGHT, APPROVE_RIGHT = "documents", "approve_document"
MAX_KB: Final = 64
LISTED: Final = 15
NOTE_CHARS: Final = 500
CHECKED: Final = "checked"
_ENDINGS: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that was tried. note: what it changes, in words."""

    text: str
    code: str
    note: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A decision that waits for its reason. message_id: of the card that is replaced then."""

    document_id: UUID
    document: str
    decision: Decision
    message_id: int
    why: str = ""


WHY: Final = Form[Reason, None](
    "document",
    Reason,
    (Step("why", plain(str)),),
    lambda asked: DocumentWhy(asked.document, asked.decision),
)


def add_routes(routes: Router) -> None:
    """How a supplier is spoken to."""
    routes.message.register(show, Wants(ShowDocuments))
    routes.message.register(decide, Wants(DecideDocument))
    WHY.add_routes(routes, give_why)
    routes.message.register(take_note, Answers(CHECKED), Wants(Said))
    routes.message.register(take_pasted, Answers(DOCUMENT), Wants(Said))
    routes.message.register(take_file, _IsDocument())
    routes.callback_query.register(library, Presses(FromLibrary))
    routes.callback_query.register(ask_document, Presses(SendDocument))
    routes.callback_query.register(press, Presses(OnDocument))
    routes.callback_query.register(choose, Chooses(CHECKED))


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
async def show(_: Message, chat: Chat, intent: ShowDocuments, supply: Supply) -> None:
    """The newest versions; or the card of one."""
    chat.actor.need_among_staff(RIGHT)
    if intent.code is not None:
        document = await _named(supply.documents, intent.code, intent.version)
        await chat.say(await _card(chat, document))
        return
    found = await supply.documents.all()
    lines = tuple(
        DocumentLine(document.id, str(document), document.state, document.proposed_by_name)
        for document in found[:LISTED]
    )
    private = chat.id == chat.actor.user_id
    await chat.say(DocumentsNotice(lines, max(0, len(found) - LISTED), private))


async def library(
    _: CallbackQuery, chat: Chat, button: FromLibrary, supply: Supply, dialogues: Dialogues
) -> None:
    """The documents that come with the desk; or one of them, as if it had been sent."""
    chat.actor.need_among_staff(RIGHT)
    if not button.code:
        await chat.say(DocumentLibrary(tuple(supply.documents.library())))
        return
    text = supply.documents.library_text(button.code)
    try:
        await _try(chat, supply.documents, dialogues, text, "")
    except DocumentFaults as faults:
        await _say_faults(chat, faults)


async def ask_document(_: CallbackQuery, chat: Chat, dialogues: Dialogues) -> None:
    """Whatever file comes next is the document. Refusals: private_only."""
    chat.actor.need_among_staff(RIGHT)
    dialogue = await dialogues.begin(chat.actor, DOCUMENT)
    await chat.say(DocumentWanted(dialogue.id, MAX_KB))


# ── a document on its way ────────────────────────────────────────────────────────────────────────
async def take_file(
    _: Message, chat: Chat, intent: Sent, bot: Bot, supply: Supply, dialogues: Dialogues
) -> None:
    """Try a file that was sent. Refusals: not_permitted, file_…"""
    chat.actor.need_among_staff(RIGHT)
    if not intent.name.lower().endswith(_ENDINGS):
        raise Refusal("file_not_yaml", name=intent.name[:60])
    text = await read_text(bot, intent, MAX_KB)
    try:
        await _try(chat, supply.documents, dialogues, text, intent.caption)
    except DocumentFaults as faults:
        await _say_faults(chat, faults)


async def take_pasted(
    _: Message, chat: Chat, intent: Said, supply: Supply, dialogues: Dialogues
) -> None:
    """Try a document that is short enough for one message."""
    chat.actor.need_among_staff(RIGHT)
    try:
        await _try(chat, supply.documents, dialogues, intent.text, "")
    except DocumentFaults as faults:
        await _say_faults(chat, faults)


async def take_note(
    _: Message, chat: Chat, intent: Said, supply: Supply, dialogues: Dialogues
) -> None:
    """What changed, in words: it goes with the proposal. Or what came from the supplier, behind
    the operation it belongs to: then how it is read. Refusals: answer_forwarded,
    dry_run_impossible."""
    chat.actor.need_among_staff(RIGHT)
    dialogue = intent.dialogue
    if intent.repeated:
        return
    draft = dialogue.read(Draft)
    if (came := await asyncio.to_thread(pasted, draft.text, intent.text)) is not None:
        await chat.say(await asyncio.to_thread(dry_read, draft.text, draft.code, *came))
        return
    note = _one_line(intent.own_words)
    dialogue = dialogue.at(CHECKED, replace(draft, note=note), heard=intent.message_id)
    await _say_checked(chat, supply.documents, dialogue)
    await dialogues.keep(chat.actor, dialogue)


async def _try(
    chat: Chat, documents: Documents, dialogues: Dialogues, text: str, note: str
) -> None:
    """Say what a text can do, and begin to ask what to do with it. Raises DocumentFaults."""
    code = (await asyncio.to_thread(summary, text)).code
    dialogue = await dialogues.begin(chat.actor, CHECKED, Draft(text, code, _one_line(note)))
    await _say_checked(chat, documents, dialogue)


def _one_line(note: str) -> str:
    return " ".join(note.split())[:NOTE_CHARS]


async def _say_checked(chat: Chat, documents: Documents, dialogue: Dialogue) -> None:
    draft = dialogue.read(Draft)
    told = await asyncio.to_thread(summary, draft.text)
    changes = await documents.changes(told.code, draft.text)
    diff = changes.text.splitlines()
    checked = DocumentChecked(
        summary=told,
        note=draft.note,
        former=changes.former,
        diff=tuple(diff[:SHOWN_DIFF_LINES]),
        diff_lines=len(diff),
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )
    await chat.say(checked)


async def _say_faults(chat: Chat, faults: DocumentFaults) -> None:
    await chat.say(shown_faults(faults))
    if are_long(faults):
        await _send(chat, "faults.txt", str(faults), "all faults")


async def choose(
    _: CallbackQuery, chat: Chat, answer: Chosen, supply: Supply, dialogues: Dialogues
) -> None:
    """Propose a document that was tried, see its requests, or all that it changes."""
    actor = chat.actor
    actor.need_among_staff(RIGHT)
    draft = answer.dialogue.read(Draft)
    match answer.choice:
        case "dry":
            requests = await asyncio.to_thread(dry_run, draft.text)
            first = clipped(requests[0])
            whole = len(requests) == 1 and first == requests[0]
            await chat.say(DryRunNotice(draft.code, first, len(requests) - 1))
            if not whole:
                name = f"{draft.code}-dry-run.txt"
                await _send(chat, name, written(requests), draft.code)
        case "diff":
            changes = await supply.documents.changes(draft.code, draft.text)
            await _send(chat, f"{draft.code}.diff", changes.text, draft.code)
        case "propose":
            try:
                document = await supply.documents.propose(actor, draft.text, note=draft.note)
            except DocumentFaults as faults:
                await _say_faults(chat, faults)
                return
            await chat.replace(await _card(chat, document))
            await dialogues.end(actor)


# ── decisions ────────────────────────────────────────────────────────────────────────────────────
async def decide(_: Message, chat: Chat, intent: DecideDocument, supply: Supply) -> None:
    """Approve, reject or withdraw, as it was typed."""
    withdraw = intent.decision == "withdraw"
    chat.actor.need_among_staff(RIGHT if withdraw else APPROVE_RIGHT)
    document = await supply.documents.by_no(intent.code, intent.version)
    decided = await _decide(supply.documents, chat.actor, document, intent.decision, intent.why)
    await chat.say(await _card(chat, decided))


async def press(
    _: CallbackQuery, chat: Chat, button: OnDocument, supply: Supply, dialogues: Dialogues
) -> None:
    """What the card of a document offers. Refusals: reason_missing (in a group, with what to
    type there)."""
    chat.actor.need_among_staff(RIGHT)
    documents = supply.documents
    document = await documents.by_id(button.document_id)
    match button.action:
        case "open":
            await chat.say(await _card(chat, document))
        case "diff":
            changes = await documents.diff(document)
            name = f"{document.code}-v{document.version}.diff"
            await _send(chat, name, changes.text, str(document))
        case "text":
            text = await documents.text(document)
            await _send(chat, f"{document.code}.yaml", text, str(document))
        case "approve":
            approved = await documents.approve(chat.actor, document)
            await chat.replace(await _card(chat, approved))
        case "reject" | "withdraw":
            await _ask_why(chat, dialogues, document, button.action)


async def _ask_why(
    chat: Chat, dialogues: Dialogues, document: Document, decision: Decision
) -> None:
    chat.actor.need(RIGHT if decision == "withdraw" else APPROVE_RIGHT)
    typed = f"/document {document.code} v{document.version} {decision} {{}}"
    need_reason(chat, f"{decision}_document", typed)
    wanted = Reason(document.id, str(document), decision, chat.message_id)
    await WHY.begin(chat, dialogues, wanted)


async def give_why(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """The reason that was asked for. Refusals: answer_forwarded, those of the decision."""
    wanted = await WHY.take(chat, dialogues, None, answer)
    if wanted is None:
        return
    async with ends(chat, dialogues):
        document = await supply.documents.by_id(wanted.document_id)
        decided = await _decide(supply.documents, chat.actor, document, wanted.decision, wanted.why)
        await chat.put(Say(await _card(chat, decided), edit_message_id=wanted.message_id))


async def _decide(
    documents: Documents, actor: Actor, document: Document, decision: Decision, why: str
) -> Document:
    match decision:
        case "approve":
            return await documents.approve(actor, document)
        case "reject":
            return await documents.reject(actor, document, why)
        case "withdraw":
            return await documents.withdraw(actor, document, why)


# ── what they share ──────────────────────────────────────────────────────────────────────────────
async def _named(documents: Documents, code: str, version: int | None) -> Document:
    """Refusals: document_not_found."""
    if version is not None:
        return await documents.by_no(code, version)
    found = await documents.all(code)
    if not found:
        raise Refusal("document_not_found", document=code)
    return found[0]


async def _card(chat: Chat, document: Document) -> DocumentNotice:
    """The card of a document, on the clocks of the chat."""
    return DocumentNotice(
        document_id=document.id,
        document=str(document),
        state=document.state,
        note=document.note,
        proposed_by_name=document.proposed_by_name,
        proposed_at=document.proposed_at,
        decided_by_name=document.decided_by_name,
        why=document.why,
        alone=document.alone,
        zone=await chat.zone(),
    )


async def _send(chat: Chat, name: str, text: str, title: str) -> None:
    """A text as a file. Nothing to show is a text as well."""
    await chat.put(TextFile(name, text or "–\n", FileNotice(title), reply_to=chat.message_id))
