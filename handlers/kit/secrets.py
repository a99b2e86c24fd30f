"""What only one person may ever see or say. Shown, it goes to that person's private chat, cannot be
forwarded, is taken away after a minute, and is written down nowhere. Said, its message is taken
away at once, and no answer repeats or quotes it.

The outbox keeps what it says, so that a secret goes past it, straight to Telegram.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile

from core.delivery.outbox import TakeAway
from core.kernel.errors import Refusal
from handlers.kit.chat import Chat
from handlers.kit.dialogues import Dialogues, Said, Sent, need_own
from handlers.kit.qr import qr_png
from handlers.kit.refusals import RefusalNotice
from handlers.kit.screen import Screen

SHOWN_FOR: Final = timedelta(seconds=60)
SHOWN_S: Final = int(SHOWN_FOR.total_seconds())
# What other words may put right, where a proof is asked for.
PROOF_AGAIN: Final = frozenset({"answer_forwarded", "code_used", "factor_locked", "factor_wrong"})


def need_private(chat: Chat) -> None:
    """Secrets are never shown or asked for where others read. Refusals: private_only."""
    if chat.id != chat.actor.user_id:
        raise Refusal("private_only")


async def show_secret(bot: Bot, chat: Chat, screen: Screen, *, qr: str = "") -> None:
    """Show it in this private chat. qr: what a picture above it says to a camera; the screen is
    its caption then. Raises aiogram's errors where it could not be shown. Refusals:
    private_only."""
    need_private(chat)
    if qr:
        sent = await bot.send_photo(
            chat.id,
            BufferedInputFile(await asyncio.to_thread(qr_png, qr), "code.png"),
            caption=screen.html,
            protect_content=True,
            reply_markup=screen.keyboard,
        )
    else:
        sent = await bot.send_message(
            chat.id, screen.html, protect_content=True, reply_markup=screen.keyboard
        )
    try:
        await chat.put_later(TakeAway(sent.message_id), SHOWN_FOR)
    except BaseException:
        # Nobody would take it away: it goes at once.
        with suppress(TelegramAPIError):
            await bot.delete_message(chat.id, sent.message_id)
        raise


async def take_secret(
    chat: Chat,
    dialogues: Dialogues,
    answer: Said | Sent,
    use: Callable[[], Awaitable[None]],
    *,
    again: frozenset[str] | None = None,
) -> None:
    """Use what was said, once. A refusal is told as a message of its own.

    again: the refusals after which the question stays; after any other the dialogue is over. None:
    it always stays.
    """
    dialogue = answer.dialogue
    if dialogue is None:
        return
    await chat.put(TakeAway(answer.message_id))
    if answer.message_id <= dialogue.heard:
        return
    try:
        need_own(answer)
        await use()
    except Refusal as refusal:
        await chat.post(RefusalNotice(refusal.code, await chat.on_clocks_here(refusal)))
        if again is None or refusal.code in again:
            # Heard, so that one that is delivered again is no second try.
            heard = max(dialogue.heard, answer.message_id)
            await dialogues.keep(chat.actor, replace(dialogue, heard=heard))
        else:
            await dialogues.end(chat.actor)
