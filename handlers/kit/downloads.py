"""Files that people send: fetched from Telegram, never more of them than was agreed."""

from __future__ import annotations

from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest

from core.kernel.errors import Refusal
from handlers.kit.dialogues import Sent

_TIMEOUT_S: Final = 10
_CHUNK_BYTES: Final = 16 * 1024
_NAME_CHARS: Final = 60


async def read_text(bot: Bot, sent: Sent, limit_kb: int) -> str:
    """The text of a file, without the mark that some editors put in front.

    Refusals: file_too_large, file_gone, file_not_text. Whatever else goes wrong on the way is
    raised, so that the update is tried again.
    """
    name = sent.name[:_NAME_CHARS]
    too_large = Refusal("file_too_large", name=name, limit_kb=limit_kb)
    limit_bytes = limit_kb * 1024
    if sent.size_bytes > limit_bytes:
        raise too_large
    try:
        file = await bot.get_file(sent.file_id)
    except TelegramBadRequest:
        raise Refusal("file_gone", name=name) from None
    if not file.file_path:
        raise Refusal("file_gone", name=name)
    content = bytearray()
    url = bot.session.api.file_url(bot.token, file.file_path)
    async for chunk in bot.session.stream_content(
        url, timeout=_TIMEOUT_S, chunk_size=_CHUNK_BYTES, raise_for_status=True
    ):
        content += chunk
        if len(content) > limit_bytes:
            raise too_large
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal("file_not_text", name=name) from None
