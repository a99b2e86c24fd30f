"""Credentials, asked for one by one in private.

The message that holds one is taken away whatever comes of it, and no answer repeats or quotes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.parties.district import Parties
from core.parties.suppliers import Supplier
from core.supply.district import Supply
from core.supply.onboarding import Document
from core.system.district import System
from handlers.kit.chat import Chat
from handlers.kit.dialogues import (
    SECRET,
    SKIP,
    Answers,
    Chooses,
    Chosen,
    Dialogue,
    Dialogues,
    Said,
    Sent,
)
from handlers.kit.downloads import read_text
from handlers.kit.secrets import take_secret
from handlers.suppliers.cards import Cards
from handlers.suppliers.screens import CredentialQuestion

FILE_KB: Final = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """Credentials that are asked for. names: of those that are left, the next one first. of: how
    many they were. document_id: to which the supplier is to be switched then."""

    supplier_id: UUID
    names: tuple[str, ...]
    of: int
    document_id: UUID | None


def add_routes(routes: Router) -> None:
    """What opens a supplier's interface."""
    routes.message.register(give_credential, Answers(SECRET))
    routes.callback_query.register(skip_credential, Chooses(SECRET))


async def ask_credentials(
    chat: Chat,
    cards: Cards,
    dialogues: Dialogues,
    supplier: Supplier,
    names: Sequence[str],
    *,
    document: Document | None = None,
    heard: int = 0,
) -> None:
    """Ask for these, in a dialogue of its own. document: to which the supplier is to be switched
    then. heard: the message that led here. Refusals: private_only."""
    document_id = document.id if document is not None else None
    wanted = Wanted(supplier.id, tuple(names), len(names), document_id)
    dialogue = await dialogues.begin(chat.actor, SECRET, wanted)
    await _go_on(chat, cards, dialogues, replace(dialogue, heard=heard), supplier)


async def _go_on(
    chat: Chat, cards: Cards, dialogues: Dialogues, dialogue: Dialogue, supplier: Supplier
) -> None:
    """Ask for the next one; after the last, show how the supplier stands, or ask whether to
    switch it now."""
    wanted = dialogue.read(Wanted)
    if wanted.names:
        await chat.post(await _question(cards, dialogue, wanted, supplier))
        await dialogues.keep(chat.actor, dialogue)
        return
    if wanted.document_id is not None:
        document = await cards.supply.documents.by_id(wanted.document_id)
        await chat.post(await cards.switch(supplier, document))
    else:
        await chat.post(await cards.card(supplier))
    await dialogues.end(chat.actor)


async def _question(
    cards: Cards, dialogue: Dialogue, wanted: Wanted, supplier: Supplier
) -> CredentialQuestion:
    name = wanted.names[0]
    connector = await cards.connector(wanted.document_id or supplier.document_id)
    return CredentialQuestion(
        supplier_no=supplier.supplier_no,
        supplier_name=supplier.name,
        name=name,
        title=connector.credentials.get(name, "") if connector else "",
        servers=tuple(connector.servers) if connector and name == "base_url" else (),
        set=bool(supplier.coming.get(name)),
        replaces=supplier.lived and bool(supplier.credentials.get(name)),
        place=wanted.of - len(wanted.names) + 1,
        of=wanted.of,
        dialogue_id=dialogue.id,
        turn=dialogue.turn,
    )


async def give_credential(
    _: Message,
    chat: Chat,
    answer: Said | Sent,
    bot: Bot,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Keep a credential. Refusals: answer_forwarded, file_…, those of
    `Onboarding.set_credentials`."""
    cards = Cards(system, parties, supply)
    keep = partial(_keep_credential, chat, cards, dialogues, answer, bot)
    await take_secret(chat, dialogues, answer, keep)


async def _keep_credential(
    chat: Chat, cards: Cards, dialogues: Dialogues, answer: Said | Sent, bot: Bot
) -> None:
    chat.actor.need_among_staff("suppliers")
    dialogue = answer.dialogue
    if dialogue is None:
        return
    wanted = dialogue.read(Wanted)
    text = answer.text if isinstance(answer, Said) else await read_text(bot, answer, FILE_KB)
    supplier = await cards.parties.suppliers.by_id(wanted.supplier_id)
    document = None
    if wanted.document_id is not None:
        document = await cards.supply.documents.by_id(wanted.document_id)
    after = await cards.supply.onboarding.set_credentials(
        chat.actor, supplier, {wanted.names[0]: text}, document=document
    )
    left = replace(wanted, names=wanted.names[1:])
    following = dialogue.at(SECRET, left, heard=answer.message_id)
    await _go_on(chat, cards, dialogues, following, after)


async def skip_credential(
    _: CallbackQuery,
    chat: Chat,
    answer: Chosen,
    system: System,
    parties: Parties,
    supply: Supply,
    dialogues: Dialogues,
) -> None:
    """Leave it as it is, or for later."""
    chat.actor.need_among_staff("suppliers")
    if answer.choice != SKIP:
        return
    wanted = answer.dialogue.read(Wanted)
    supplier = await parties.suppliers.by_id(wanted.supplier_id)
    following = answer.dialogue.at(SECRET, replace(wanted, names=wanted.names[1:]))
    await _go_on(chat, Cards(system, parties, supply), dialogues, following, supplier)
