"""What only one person may ever see, shown once: it goes to that person's private chat, cannot be
forwarded, is taken away after a minute, and is written down nowhere.

The outbox keeps what it says, so that a secret goes past it, straight to Telegram.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from aiogram import Bot
from aiogram.types import BufferedInputFile

from core.delivery.outbox import TakeAway
from core.kernel.errors import Refusal
from handlers.kit.chat import Chat
from handlers.kit.qr import qr_png
from handlers.kit.screen import Screen

SHOWN_FOR: Final = timedelta(seconds=60)
SHOWN_S: Final = int(SHOWN_FOR.total_seconds())


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
    await chat.put_later(TakeAway(sent.message_id), SHOWN_FOR)
