"""A chat as a handler speaks in it: who spoke or pressed, and how that is answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiogram.types import InaccessibleMessage, Message, User

from core.books import Ledger
from core.delivery.district import Delivery
from core.delivery.outbox import NOBODY, Fact, Notice, Say
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.district import People
from core.people.people import MAX_NAME_CHARS
from core.system.store import Queries, Store
from handlers.kit.refusals import INSTANTS, OnlyInGroups, RefusalNotice

# What carries a button may be too old to be seen.
AnyMessage = Message | InaccessibleMessage


@dataclass(frozen=True, slots=True)
class Chats:
    """Makes the chat of each message and press, from the districts that answers need."""

    store: Store
    clock: Clock
    ledger: Ledger
    delivery: Delivery
    parties: Parties
    people: People

    async def actor(self, user: User, message: AnyMessage) -> Actor:
        """Who speaks or presses, in the chat of a message. Names follow Telegram: whom we know by
        another one is known by this from now on."""
        chat, name = message.chat, " ".join(user.full_name.split())[:MAX_NAME_CHARS]
        actor = await self.people.access.actor(
            user.id, name, chat.id, private=chat.type == "private"
        )
        await self.people.lookalikes.hear(actor, name, user.username or "")
        if actor.known and name and name != actor.name:
            if not actor.staff:
                await self.people.people.follow(self.store, user.id, name)
            return replace(actor, name=name)
        return actor

    def of(self, actor: Actor, message: AnyMessage) -> Chat:
        """Where this person spoke, or pressed a button of this message."""
        return Chat(actor, message, self)


@dataclass(frozen=True, slots=True)
class Chat:
    """Every answer goes out through the outbox: at once, or with what `tx` commits."""

    actor: Actor
    message: AnyMessage
    _by: Chats = field(repr=False)

    @property
    def id(self) -> int:
        """Telegram's id of the chat."""
        return self.actor.chat_id

    @property
    def message_id(self) -> int:
        """Of what was said, or of the message whose button was pressed."""
        return self.message.message_id

    async def say(
        self, notice: Notice, *, tx: Queries | None = None, merchant_id: UUID = NOBODY
    ) -> None:
        """In reply, for everybody in the chat."""
        said = Say(notice, reply_to=self.message_id)
        await self.put(said, tx=tx, merchant_id=merchant_id)

    async def put(
        self, fact: Fact, *, tx: Queries | None = None, merchant_id: UUID = NOBODY
    ) -> None:
        """A bill, a card, a file: whatever says itself where it stands."""
        queries = self._by.store if tx is None else tx
        await self._by.delivery.outbox.say(queries, self.id, fact, merchant_id=merchant_id)

    async def put_later(self, fact: Fact, after: timedelta) -> None:
        """What is to happen here in a while, whatever happens to this process."""
        by = self._by
        await by.delivery.outbox.say(by.store, self.id, fact, due_at=by.clock.now() + after)

    async def tell(self, chat_id: int, fact: Fact) -> None:
        """Say something in another chat, such as the private one of who pressed."""
        await self._by.delivery.outbox.say(self._by.store, chat_id, fact)

    async def post(self, notice: Notice, *, tx: Queries | None = None) -> None:
        """A message that is no reply."""
        await self.put(Say(notice), tx=tx)

    async def replace(
        self, notice: Notice, *, tx: Queries | None = None, merchant_id: UUID = NOBODY
    ) -> None:
        """In the place of the message whose button was pressed."""
        said = Say(notice, edit_message_id=self.message_id)
        await self.put(said, tx=tx, merchant_id=merchant_id)

    async def whisper(self, notice: Notice, *, aloud: Notice | None = None) -> None:
        """In a group, for this person alone (nobody can whisper to the anonymous). aloud: what all
        in the group are told where they will see it, if that is something else."""
        said = Say(
            notice, reply_to=self.message_id, only_for=self._only_for(), aloud=aloud,
            thread_id=self._thread_id(),
        )  # fmt: skip
        await self.put(said)

    async def refuse(self, notice: Notice, *, alone: bool = False) -> None:
        """Say why a message is not carried out. In a group that is one message per person and
        minute, see `core.people.refusals`. alone: only this person sees it."""
        said = Say(
            notice, reply_to=self.message_id, only_for=self._only_for() if alone else None,
            thread_id=self._thread_id(),
        )  # fmt: skip
        if self.id == self.actor.user_id:
            await self.put(said)
            return
        quote, message = "", self.message  # what stands above a button is ours
        speaker = message.from_user if isinstance(message, Message) else None
        if isinstance(message, Message) and speaker and speaker.id == self.actor.user_id:
            quote = message.text or message.caption or ""
        await self._by.people.refusals.tell(self.actor, said, " ".join(quote.split()))

    async def refuse_with(self, refusal: Refusal, *, line: int = 0) -> None:
        """Answer with a refusal. Who lacks a right is told alone; what is wrong with a command
        stands in the chat, because a message for one person may never arrive. line: of a longer
        message."""
        notice = RefusalNotice(refusal.code, await self.on_clocks_here(refusal), line)
        await self.refuse(notice, alone=refusal.code == "not_permitted")

    async def refuse_outside_groups(self) -> bool:
        """Whether this chat is no group, which is answered."""
        if self.actor.group is None:
            await self.refuse(OnlyInGroups())
        return self.actor.group is None

    async def zone(self) -> str:
        """On whose clocks times are told here: the chat's own, else those of its (first) merchant
        or supplier, else the platform's. An IANA zone."""
        group, parties = self.actor.group, self._by.parties
        if group is not None and group.zone is not None:
            return group.zone
        if group is not None and group.merchant_ids:
            return (await parties.merchants.by_id(group.merchant_ids[0])).day_cut.zone
        if group is not None and group.supplier_ids:
            return (await parties.suppliers.by_id(group.supplier_ids[0])).day_cut.zone
        return (await self._by.ledger.calendar.cut_of(HOUSE)).zone

    async def on_clocks_here(self, refusal: Refusal) -> dict[str, str]:
        """The facts of a refusal, with the chat's zone where one of them is an instant."""
        if not INSTANTS & set(refusal.facts):
            return refusal.facts
        return {**refusal.facts, "zone": await self.zone()}

    def _thread_id(self) -> int | None:
        """The topic in which a message was written: what only its writer sees is no reply to it,
        and would stand in the general one."""
        message = self.message
        if isinstance(message, Message) and message.is_topic_message:
            return message.message_thread_id
        return None

    def _only_for(self) -> int | None:
        """Who alone is to see it: nobody whispers in a private chat, nor to the anonymous."""
        alone = self.id == self.actor.user_id or self.actor.user_id == ANONYMOUS_ADMIN_ID
        return None if alone else self.actor.user_id


def proof_of(message: Message) -> str | None:
    """The picture that came with a message: Telegram's id of its largest form."""
    if message.photo:
        return max(message.photo, key=lambda size: size.width * size.height).file_id
    document = message.document
    if document is not None and (document.mime_type or "").startswith("image/"):
        return document.file_id
    return None


def request_id(message: Any) -> str:
    """What follows this message through the logs."""
    return f"telegram-{message.chat.id}-{message.message_id}"
