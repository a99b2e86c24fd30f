"""A desk to talk to: real updates go in, and what the outbox holds comes out as screens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest, TelegramNetworkError
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    GetChatMember,
    GetChatMemberCount,
    GetFile,
    GetMe,
    GetWebhookInfo,
    LeaveChat,
    SendMessage,
    SendPhoto,
    SetMessageReaction,
    TelegramMethod,
)
from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMember, ChatMemberMember, File, ReactionTypeEmoji, Update, WebhookInfo
from aiogram.types import Message as SentMessage
from aiogram.types import User as TelegramUser

from bot.world import USERS
from core.delivery.outbox import AlarmCard, Bill, Card, Fact, Picture, Say, TextFile
from core.delivery.outbox.facts import unpack
from core.people.refusals import TOLD_EVERY
from core.runtime import Runtime
from handlers import Reactions
from handlers.alarms.screens import OneAlarm
from handlers.screens import render_say
from tests.steps import in_short_steps

T = TypeVar("T")

OWNER, ADMIN, FINANCE, OPERATOR, SUPPORT = 1001, 1002, 1003, 1004, 1005
SUQING, BEN, ZHAO, STRANGER = 1101, 1102, 1201, 9999
OPS, SPRUCE, NORTHWIND, HENGTONG, NEW = (
    -1002000000001,
    -1002000000101,
    -1002000000102,
    -1002000000201,
    -1002000000301,
)


_BOT = TelegramUser(
    id=7000000001, is_bot=True, first_name="Paydesk", username="paydesk_demo_bot",
    can_read_all_group_messages=False,
)  # fmt: skip


# Messages that were sent past the outbox are numbered from here.
SHOWN_FROM = 500_000


_NAMES = {user.id: user.name for user in USERS}


def name_of(user_id: int) -> str:
    """As Telegram shows a person."""
    return _NAMES.get(user_id, f"person {user_id}")


def sent(chat_id: int, message_id: int) -> SentMessage:
    """What Telegram answers to a message that it took."""
    chat = TelegramChat(id=chat_id, type="private")
    return SentMessage(message_id=message_id, date=datetime.now(UTC), chat=chat)


class Killed(BaseException):
    """What the desk does ends here: nothing that comes after is done, nor put right."""


class Line(BaseSession):
    """The line to Telegram: answers what handlers may ask directly, and keeps the answers given
    to presses. Anything else sent past the outbox is a fault."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[AnswerCallbackQuery] = []
        self.reactions: list[tuple[int, int, str]] = []  # chat, message, emoji
        self.files: dict[str, bytes] = {}  # what people sent, by its id
        self.shown: list[SendMessage | SendPhoto] = []  # secrets, which the outbox never has
        self.deleted: list[int] = []  # messages
        self.shows = True  # Telegram takes them
        # The desk dies as it shows one: before Telegram has it, or after.
        self.killed: Literal["before", "after"] | None = None
        # Of which Telegram tells; None where it does not answer.
        self.webhook: WebhookInfo | None = WebhookInfo(
            url="", has_custom_certificate=False, pending_update_count=0
        )
        self.members: int | None = 17  # in every chat
        self.left: list[int] = []  # chats that the bot was told to leave
        self.standing: ChatMember = ChatMemberMember(user=_BOT)  # of the bot, in its groups

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[T],
        timeout: int | None = None,  # noqa: ASYNC109
    ) -> T:  # the library's own signature
        answer: Any
        if isinstance(method, GetMe):
            answer = _BOT
        elif isinstance(method, AnswerCallbackQuery):
            self.answers.append(method)
            answer = True
        elif isinstance(method, GetWebhookInfo):
            if self.webhook is None:
                raise TelegramNetworkError(method, "timed out")
            answer = self.webhook
        elif isinstance(method, GetChatMember):
            answer = self.standing
        elif isinstance(method, GetChatMemberCount):
            if self.members is None:
                raise TelegramBadRequest(method, "Bad Request: chat not found")
            answer = self.members
        elif isinstance(method, LeaveChat):
            assert isinstance(method.chat_id, int)
            self.left.append(method.chat_id)
            answer = True
        elif isinstance(method, SetMessageReaction):
            assert isinstance(method.chat_id, int)
            for reaction in method.reaction or []:
                assert isinstance(reaction, ReactionTypeEmoji)
                self.reactions.append((method.chat_id, method.message_id, reaction.emoji))
            answer = True
        elif isinstance(method, DeleteMessage):
            self.deleted.append(method.message_id)
            answer = True
        elif isinstance(method, SendMessage | SendPhoto):
            assert method.protect_content, "only secrets are sent past the outbox"
            assert isinstance(method.chat_id, int)
            assert method.chat_id > 0, "and in private chats alone"
            if not self.shows:
                raise TelegramNetworkError(method, "timed out")
            if self.killed == "before":
                raise Killed
            self.shown.append(method)
            if self.killed == "after":
                raise Killed
            answer = sent(method.chat_id, SHOWN_FROM + len(self.shown))
        elif isinstance(method, GetFile):
            if method.file_id not in self.files:
                raise TelegramBadRequest(method, "Bad Request: wrong file_id")
            answer = File(file_id=method.file_id, file_unique_id="x", file_path=method.file_id)
        else:
            raise AssertionError(f"{type(method).__name__} was sent past the outbox")
        return answer  # type: ignore[no-any-return]  # the method's own type says what it is

    async def close(self) -> None:
        """Nothing is open."""

    async def stream_content(
        self, url: str, headers: dict[str, Any] | None = None, timeout: int = 30,  # noqa: ASYNC109
        chunk_size: int = 65536, raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:  # fmt: skip
        yield self.files[url.rsplit("/", 1)[1]]


@dataclass
class Desk:
    """Speaks as anybody, and reads what would be sent."""

    runtime: Runtime
    dispatcher: Dispatcher
    bot: Bot
    line: Line
    reactions: Reactions
    message_id: int = 100
    update_id: int = 0
    read: set[Any] = field(default_factory=set)
    same_minute: bool = False  # whether all is said within one; else each has one of its own

    async def feed(self, **update: Any) -> None:
        self.update_id += 1
        if not self.same_minute:
            await self.pass_a_minute()
        raw = {"update_id": self.update_id, **update}
        said = Update.model_validate(raw, context={"bot": self.bot})
        await in_short_steps(self.dispatcher.feed_update(self.bot, said))

    async def pass_a_minute(self) -> None:
        """Let the minute be over in which people are refused by one message."""
        await self.runtime.system.store.execute(
            "UPDATE refusal SET told_at = told_at - $1::interval", TOLD_EVERY
        )

    def message(self, user_id: int, chat_id: int, **fields: Any) -> dict[str, Any]:
        """A message as Telegram writes it, at this moment unless `date` says otherwise."""
        self.message_id += 1
        private = chat_id > 0
        return {
            "message_id": self.message_id,
            "date": int(self.runtime.system.clock.now().timestamp()),
            "chat": {"id": chat_id, "type": "private", "first_name": "x"}
            if private
            else {"id": chat_id, "type": "supergroup", "title": "a group"},
            "from": {"id": user_id, "is_bot": False, "first_name": name_of(user_id)},
            **fields,
        }

    async def say(self, user_id: int, chat_id: int, text: str, **fields: Any) -> list[Fact]:
        """Send a message; what the desk put out because of it."""
        await self.feed(message=self.message(user_id, chat_id, text=text, **fields))
        return await self.news()

    async def send(
        self, user_id: int, chat_id: int, name: str, content: bytes, **fields: Any
    ) -> list[Fact]:
        """Send a file; what the desk put out because of it."""
        message = self.message(user_id, chat_id, **fields)
        file_id = f"file-{self.message_id}"
        self.line.files[file_id] = content
        document = {"file_id": file_id, "file_unique_id": "x", "file_name": name,
                    "file_size": len(content)}  # fmt: skip
        await self.feed(message={"document": document, **message})
        return await self.news()

    async def press(
        self, user_id: int, chat_id: int, data: str, *, message_id: int = 77
    ) -> list[Fact]:
        """Press a button; what the desk put out because of it."""
        message = self.message(7000000001, chat_id, text="…")
        message["message_id"] = message_id
        await self.feed(
            callback_query={
                "id": str(self.update_id), "chat_instance": "1", "data": data, "message": message,
                "from": {"id": user_id, "is_bot": False, "first_name": name_of(user_id)},
            }
        )  # fmt: skip
        return await self.news()

    @property
    def toast(self) -> str:
        """What the last press was answered with."""
        return self.line.answers[-1].text or ""

    async def news(self) -> list[Fact]:
        """What went into the outbox since the last look; the live bill's own edits, and what ops
        hears of deeds in other chats, left out.

        Every Say among it is rendered in both languages, so that no screen misses a fact.
        """
        rows = await self.runtime.system.store.fetch(
            "SELECT id, topic, facts FROM outbox ORDER BY created_at, id"
        )
        facts = [unpack(row["topic"], row["facts"]) for row in rows if row["id"] not in self.read]
        self.read |= {row["id"] for row in rows}
        for fact in facts:
            if isinstance(fact, TextFile | Picture):
                assert fact.text
                fact = Say(fact.notice)
            if isinstance(fact, Say):
                for language in ("zh", "en"):
                    assert render_say(fact, language).html
        return [
            f
            for f in facts
            if not (isinstance(f, Bill) and f.first is None)
            and not (isinstance(f, Say) and f.screen == "deed")
        ]

    async def said(self, user_id: int, chat_id: int, text: str, **fields: Any) -> Say:
        """Send a message that is answered by one Say."""
        return one_say(await self.say(user_id, chat_id, text, **fields))


def one_say(facts: list[Fact]) -> Say:
    (fact,) = facts
    assert isinstance(fact, Say), fact
    return fact


def one_card(facts: list[Fact]) -> Card:
    (fact,) = facts
    assert isinstance(fact, Card), fact
    return fact


async def opened_alarm(desk: Desk, facts: Sequence[Fact]) -> Say:
    """The one alarm among what was put out, as an ops group sees it."""
    (alarm_id,) = {fact.alarm_id for fact in facts if isinstance(fact, AlarmCard)}
    return Say(OneAlarm(await desk.runtime.people.alarms.get(UUID(alarm_id)), "Asia/Shanghai"))


def labelled(say: Say, label: str) -> str:
    """What the button carries whose English label holds these words."""
    keyboard = render_say(say, "en").keyboard
    assert keyboard is not None
    found = [b for row in keyboard.inline_keyboard for b in row if label in b.text]
    assert found, [b.text for row in keyboard.inline_keyboard for b in row]
    assert found[0].callback_data is not None
    return found[0].callback_data


def button_data(say: Say, place: int = 0) -> str:
    """What the button at this place of a screen carries."""
    keyboard = render_say(say, "zh").keyboard
    assert keyboard is not None
    data = [b.callback_data for row in keyboard.inline_keyboard for b in row][place]
    assert data is not None
    return data


def kinds(base: type[Any]) -> set[type[Any]]:
    """The classes of this kind. A dataclass with slots leaves the class behind of which it is made:
    that one is none."""
    return {kind for kind in base.__subclasses__() if "__slots__" in vars(kind)}
