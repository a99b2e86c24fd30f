"""What was begun in an ops group goes on where nobody else reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.delivery.outbox import Notice, Say
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.kit.dialogues import Dialogue, Dialogues
from handlers.merchants.screens import OnInPrivate

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


async def begin(
    chat: Chat, people: People, dialogues: Dialogues, step: str, said: DataclassInstance
) -> Dialogue:
    """A dialogue in the person's private chat, wherever it was asked for. Refusals:
    dialogue_away."""
    actor = chat.actor
    private = await people.access.actor(actor.user_id, actor.name, actor.user_id, private=True)
    return await dialogues.begin(private, step, said)


async def post(chat: Chat, notice: Notice) -> None:
    """Said in the person's private chat; a group is told that it goes on there."""
    await chat.tell(chat.actor.user_id, Say(notice))
    if chat.id != chat.actor.user_id:
        await chat.say(OnInPrivate())
