"""What is shown for a minute never stays."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn, cast

import pytest
from aiogram.types import Message

from core.system.pool import NoConnection
from core.system.store import Store
from handlers.kit.chat import Chat, Chats
from handlers.kit.screen import Screen
from handlers.kit.secrets import show_secret
from tests.handlers.support import OWNER, SHOWN_FROM, Desk


class Away:
    """A database that is gone after Telegram was told."""

    async def _gone(self, *_: object, **__: object) -> NoReturn:
        raise NoConnection

    execute = fetch = fetchrow = fetchval = _gone


@pytest.mark.parametrize("qr", ["", "otpauth://totp/x"])
async def test_what_nobody_could_take_away_later_goes_at_once(desk: Desk, qr: str) -> None:
    runtime = desk.runtime
    chats = Chats(
        runtime.system.store, runtime.system.clock, runtime.ledger, runtime.delivery,
        runtime.parties, runtime.people,
    )  # fmt: skip
    actor = await runtime.people.access.actor(OWNER, "x", OWNER, private=True)
    message = Message.model_validate(desk.message(OWNER, OWNER, text="x"))
    chat = Chat(actor, message, replace(chats, store=cast(Store, Away())))
    with pytest.raises(NoConnection):
        await show_secret(desk.bot, chat, Screen("secret"), qr=qr)
    assert len(desk.line.shown) == 1
    assert desk.line.deleted == [SHOWN_FROM + 1]
