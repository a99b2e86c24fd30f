"""Private dialogues: what a member of staff was asked last, and has said so far.

Where one is open, what the person writes is its answer, unless it is a slash command. A dialogue is
kept in Redis for an hour after its last answer, so that it outlives the process. No secret is ever
put into it, and there are none in groups.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiogram import Router
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message, TelegramObject
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.delivery.outbox import Notice
from core.kernel.codec import pack, unpack
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.people.actors import Actor
from handlers.kit.buttons import Button, InDialogue
from handlers.kit.chat import Chat
from handlers.kit.intents import Intent
from handlers.kit.parser import Parser

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")

OPEN_FOR: Final = timedelta(hours=1)
# Steps that take a file as well, and those at which any text may be the answer.
SECRET: Final = "credential"  # noqa: S105 (a step's name)
# Steps at which something is proven: whatever is written is the answer.
PROVE: Final = "prove"
TAKE_KEYS: Final = "take_keys"
ENROL: Final = "enrol_code"
PASSWORD: Final = "password"  # noqa: S105 (a step's name)
DOCUMENT: Final = "document"
_ANY_TEXT: Final = frozenset({SECRET, PROVE, TAKE_KEYS, ENROL, PASSWORD})
_TAKE_FILES: Final = frozenset({SECRET, DOCUMENT})
# What can be pressed in any of them.
CANCEL: Final = "cancel"
SKIP: Final = "skip"
BACK: Final = "back"
_ENDINGS: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Cancel(Intent):
    """End the private dialogue."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue as it stands.

    facts: what was said so far, as JSON values of a dataclass of whoever asks. turn: grows with
    every answer, so that the buttons of an earlier question are dead. heard: the last message that
    was taken as an answer; delivered again, it is none.
    """

    id: str
    step: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 1
    heard: int = 0

    def read(self, shape: type[S]) -> S:
        """What was said so far, in the shape in which it was kept."""
        return unpack(shape, self.facts)

    def with_facts(self, said: DataclassInstance) -> Dialogue:
        """The same question, where something else was said so far."""
        return replace(self, facts=pack(said))

    def at(self, step: str, said: DataclassInstance, *, heard: int = 0) -> Dialogue:
        """The next question. said: all that was said so far. heard: the message that said the
        last of it."""
        return replace(
            self, step=step, facts=pack(said), turn=self.turn + 1, heard=max(self.heard, heard)
        )


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: what was written while a dialogue is open. text: as it was written. foreign:
    forwarded, so somebody else's words."""

    dialogue: Dialogue
    message_id: int
    text: str = field(repr=False)
    foreign: bool = False

    @property
    def repeated(self) -> bool:
        """Whether it was taken already, and is delivered again."""
        return self.message_id <= self.dialogue.heard

    @property
    def own_words(self) -> str:
        """Refusals: answer_forwarded."""
        need_own(self)
        return self.text


@dataclass(frozen=True, slots=True)
class Chosen:
    """An answer that is pressed. choice: `skip`, `back`, the place of an option, or a word of the
    dialogue."""

    dialogue: Dialogue
    choice: str
    message_id: int = 0  # a press is no message


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that came while a dialogue asked for one, or that is called like a document.

    size_bytes: as Telegram says. caption: what was written under it. foreign: as in `Said`.
    """

    dialogue: Dialogue | None
    message_id: int
    file_id: str
    name: str
    size_bytes: int
    caption: str = ""
    foreign: bool = False


def need_own(answer: Said | Sent) -> None:
    """What somebody forwards is somebody else's. Refusals: answer_forwarded."""
    if answer.foreign:
        raise Refusal("answer_forwarded")


@dataclass(frozen=True, slots=True)
class DialogueEnded(Notice):
    """A private dialogue was ended by whoever was asked. ended: False where there was none."""

    ended: bool


class Dialogues:
    """One for each person, at most: a new one takes the place of what was there."""

    def __init__(self, redis: Redis, ids: Ids, parser: Parser) -> None:
        self._redis = redis
        self._ids = ids
        self._parser = parser

    async def find(self, user_id: int) -> Dialogue | None:
        """What a person was asked last. Refusals: dialogue_away."""
        with _redis_needed():
            kept = await self._redis.get(_key(user_id))
        return Dialogue(**json.loads(kept)) if kept else None

    async def said(self, message: Message) -> Said | Sent | None:
        """What a message answers; None for everything that is not for a dialogue. Refusals: as in
        `find`, unless the message can be understood without it."""
        speaker, text = message.from_user, message.text or ""
        if message.chat.type != "private" or message.edit_date is not None or speaker is None:
            return None
        intent = self._parser.parse(text)
        command = text.startswith(("/", "／")) and intent is not None
        if command or isinstance(intent, Cancel) or not (text or message.document):
            return None
        try:
            dialogue = await self.find(speaker.id)
        except Refusal:
            if intent is not None:
                return None
            raise
        if message.document is not None:
            return _sent(message, dialogue)
        if dialogue is None or (text.startswith("/") and dialogue.step not in _ANY_TEXT):
            return None  # a slash form that nobody knows is no answer
        return Said(dialogue, message.message_id, text, message.forward_origin is not None)

    async def begin(
        self,
        actor: Actor,
        step: str,
        said: DataclassInstance | None = None,
        *,
        from_group: bool = False,
    ) -> Dialogue:
        """said: what is known before the first answer. from_group: it may be begun in a group, and
        goes on in private. Refusals: private_only, dialogue_away."""
        if actor.chat_id != actor.user_id and not from_group:
            raise Refusal("private_only")
        dialogue = Dialogue(self._ids.uuid7().hex, step, pack(said) if said is not None else {})
        await self.keep(actor, dialogue)
        return dialogue

    async def keep(self, actor: Actor, dialogue: Dialogue) -> None:
        """This is asked now. Refusals: dialogue_away."""
        kept = json.dumps(asdict(dialogue), ensure_ascii=False)
        with _redis_needed():
            await self._redis.set(_key(actor.user_id), kept, ex=OPEN_FOR)

    async def end(self, actor: Actor) -> bool:
        """Whether there was one. Refusals: dialogue_away."""
        with _redis_needed():
            return bool(await self._redis.delete(_key(actor.user_id)))


class Answers(Filter):
    """Lets an answer through that was given at one of these steps, and not before; hands it on as
    `answer`."""

    def __init__(self, *steps: str) -> None:
        self._steps = steps

    async def __call__(
        self, _: TelegramObject, intent: Intent | Said | Sent | None = None
    ) -> bool | dict[str, Any]:
        if not isinstance(intent, Said | Sent) or intent.dialogue is None:
            return False
        return {"answer": intent} if intent.dialogue.step in self._steps else False


class Chooses(Filter):
    """Lets a press through that answers the question of one of these steps; hands it on as
    `answer`."""

    def __init__(self, *steps: str) -> None:
        self._steps = steps

    async def __call__(
        self, query: CallbackQuery, dialogues: Dialogues, button: Button | None = None
    ) -> bool | dict[str, Any]:
        if not isinstance(button, InDialogue) or button.choice == CANCEL:
            return False
        dialogue = await dialogues.find(query.from_user.id)
        if dialogue is None or dialogue.step not in self._steps:
            return False
        fits = (
            (dialogue.id, dialogue.turn) == (button.dialogue_id, button.turn)
            and query.message is not None
            and query.message.chat.id == query.from_user.id
        )
        return {"answer": Chosen(dialogue, button.choice)} if fits else False


def add_routes(routes: Router) -> None:
    """How a dialogue ends before its end. To be asked after all topics that have dialogues."""
    routes.message.register(cancel, _Cancels())
    routes.callback_query.register(press, _InDialogue())


async def cancel(message: Message, chat: Chat, dialogues: Dialogues) -> None:
    """`/cancel`; in a group the word alone is talk. Refusals: private_only."""
    if chat.id != chat.actor.user_id:
        if (message.text or "").startswith(("/", "／")):
            raise Refusal("private_only")
        return
    await chat.say(DialogueEnded(await dialogues.end(chat.actor)))


async def press(_: CallbackQuery, chat: Chat, button: InDialogue, dialogues: Dialogues) -> None:
    """Cancel; or a button whose question is over. Refusals: dialogue_over."""
    actor = chat.actor
    dialogue = await dialogues.find(actor.user_id)
    if (
        dialogue is None
        or dialogue.id != button.dialogue_id
        or button.choice != CANCEL
        or chat.id != actor.user_id
    ):
        raise Refusal("dialogue_over")
    await dialogues.end(actor)
    await chat.replace(DialogueEnded(True))


class _Cancels(Filter):
    async def __call__(self, _: Message, intent: object = None) -> bool:
        return isinstance(intent, Cancel)


class _InDialogue(Filter):
    async def __call__(self, _: CallbackQuery, button: Button | None = None) -> bool:
        return isinstance(button, InDialogue)


@contextmanager
def _redis_needed() -> Iterator[None]:
    """Refuses where Redis is away: it alone knows what was asked."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Refusal("dialogue_away") from error


def _sent(message: Message, dialogue: Dialogue | None) -> Sent | None:
    document = message.document
    if document is None:
        return None
    name = document.file_name or ""
    asked = dialogue is not None and dialogue.step in _TAKE_FILES
    if not asked and not name.lower().endswith(_ENDINGS):
        return None
    return Sent(
        dialogue if asked else None,
        message.message_id,
        document.file_id,
        name or "?",
        document.file_size or 0,
        message.caption or "",
        message.forward_origin is not None,
    )


def _key(user_id: int) -> str:
    return f"paydesk:dialogue:{user_id}"
