"""Forms: what is asked step by step in private, as data.

A topic lists the steps: how each is read, what can be pressed instead, and whether it may be left
for later. Its notice puts the question. All else is the same for every form and stands here: one
question after the other, back, later, cancel, and what is delivered twice.

What is said at a step is read first, then the next question is put, and then the dialogue moves on:
a message that is delivered again does the same once more, which changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from aiogram import Router
from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice, Say
from core.kernel.errors import Refusal
from core.kernel.money import need_currency
from handlers.kit.buttons import InDialogue
from handlers.kit.chat import Chat
from handlers.kit.context import Press
from handlers.kit.dialogues import BACK, SKIP, Answers, Chooses, Chosen, Dialogue, Dialogues, Said
from handlers.kit.screen import View, button, cancel_button, in_rows, keyboard
from handlers.kit.vocabulary import word
from texts import translator
from texts.amounts import fold

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")
W = TypeVar("W")

# What another reason may put right.
_REASON_AGAIN: Final = frozenset({"answer_forwarded", "reason_missing", "field_invalid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQuestion(Notice):
    """A question of a form; the form fills this in, its topic says what it is about.

    step: what is asked for. place: from 1, of so many; of: 0 where it is the only one. options:
    what can be pressed. later: it may be left for later.
    """

    step: str = ""
    place: int = 0
    of: int = 0
    options: tuple[str, ...] = ()
    later: bool = False
    dialogue_id: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class OnInPrivate(Notice):
    """Said in a group: it goes on where nobody else reads."""


def _nothing(_: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Step(Generic[D, W]):
    """One question; its answer is the field of this name of what was said so far.

    read: what an answer means, from the world that the topic needs for that, what was said so far,
    and the text. It refuses what is no answer, and the question stays. options: what can be
    pressed, each read as if it had been written. later: the field may be left as it is.
    """

    name: str
    read: Callable[[W, D, str], Awaitable[Any]]
    options: Callable[[D], Sequence[str]] = _nothing
    later: bool = False


def plain(read: Callable[[str], Any]) -> Callable[[Any, Any, str], Awaitable[Any]]:
    """How a step is read where the text alone tells what it means."""

    async def reading(_world: Any, _draft: Any, text: str) -> Any:
        return read(text)

    return reading


async def currency(_world: Any, _draft: Any, text: str) -> str:
    """A currency's code. Refusals: currency_unknown."""
    code = fold(text).strip().upper()
    need_currency(code)
    return code


class Form(Generic[D, W]):
    """Steps in their order. Where it ends, the topic does what was told and ends the dialogue."""

    def __init__(
        self,
        name: str,
        shape: type[D],
        steps: Sequence[Step[D, W]],
        about: Callable[[D], StepQuestion],
        *,
        from_group: bool = False,
    ) -> None:
        """name: of no other dialogue. shape: of what was said so far. about: the question for it,
        which says its own step where that hangs on what was said. from_group: it may be begun in a
        group, and goes on in private."""
        self._shape = shape
        self._about = about
        self._from_group = from_group
        self._steps = {f"{name}_{step.name}": step for step in steps}
        self._places = list(self._steps)

    def add_routes(self, routes: Router, answer: Callable[..., Awaitable[Any]]) -> None:
        """answer: takes what is written or pressed as `answer`, and hands it to `take`."""
        routes.message.register(answer, Answers(*self._steps))
        routes.callback_query.register(answer, Chooses(*self._steps))

    async def begin(self, chat: Chat, dialogues: Dialogues, draft: D) -> None:
        """Put the first question. Refusals: private_only, dialogue_away."""
        dialogue = await dialogues.begin(
            chat.actor, self._places[0], draft, from_group=self._from_group
        )
        await self._put(chat, dialogue)

    async def take(
        self, chat: Chat, dialogues: Dialogues, world: W, answer: Said | Chosen
    ) -> D | None:
        """All that was told, where this was the last answer; else the next question is put. The
        dialogue stays as it is after the last one. Refusals: answer_forwarded, those of the
        step."""
        dialogue = answer.dialogue
        step, draft = self._steps[dialogue.step], dialogue.read(self._shape)
        place = self._places.index(dialogue.step)
        if isinstance(answer, Said):
            if answer.repeated:
                return None
            draft = await self._read(step, world, draft, answer.own_words)
        elif answer.choice == BACK and place:
            await self._move(chat, dialogues, dialogue.at(self._places[place - 1], draft))
            return None
        elif answer.choice != SKIP or not step.later:
            options = step.options(draft)
            if not answer.choice.isdecimal() or int(answer.choice) >= len(options):
                return None
            draft = await self._read(step, world, draft, options[int(answer.choice)])
        if place + 1 == len(self._places):
            return draft
        following = dialogue.at(self._places[place + 1], draft, heard=answer.message_id)
        await self._move(chat, dialogues, following)
        return None

    @staticmethod
    async def _read(step: Step[D, W], world: W, draft: D, text: str) -> D:
        said: dict[str, Any] = {step.name: await step.read(world, draft, text)}
        return replace(draft, **said)

    async def _move(self, chat: Chat, dialogues: Dialogues, dialogue: Dialogue) -> None:
        await self._put(chat, dialogue)
        await dialogues.keep(chat.actor, dialogue)

    async def _put(self, chat: Chat, dialogue: Dialogue) -> None:
        """The question of a dialogue as it stands."""
        step, draft = self._steps[dialogue.step], dialogue.read(self._shape)
        about, alone = self._about(draft), len(self._steps) == 1
        question = replace(
            about,
            step=about.step or step.name,
            place=0 if alone else self._places.index(dialogue.step) + 1,
            of=0 if alone else len(self._steps),
            options=tuple(step.options(draft)),
            later=step.later,
            dialogue_id=dialogue.id,
            turn=dialogue.turn,
        )
        await post_in_private(chat, question)


async def post_in_private(chat: Chat, notice: Notice, *, press: Press | None = None) -> None:
    """Said in the person's private chat; in a group, that it goes on there: to all, or to whoever
    pressed."""
    await chat.tell(chat.actor.user_id, Say(notice))
    if chat.id == chat.actor.user_id:
        return
    if press is None:
        await chat.say(OnInPrivate())
    else:
        words = translator(chat.actor.language).gettext("Go on in the private chat with the bot.")
        await press.answer(words)


def need_reason(chat: Chat, what: str, typed: str) -> None:
    """There is no conversation in a group: what takes a reason is said at once there. what: the
    word for the reason. typed: how it is said, with `{}` for it. Refusals: reason_missing."""
    if chat.id != chat.actor.user_id:
        why = word("reason_for", what, chat.actor.language)
        raise Refusal("reason_missing", reason_for=typed.format(why))


@asynccontextmanager
async def ends(chat: Chat, dialogues: Dialogues) -> AsyncIterator[None]:
    """The dialogue is over with what is done here for a reason that was given: also where it is
    refused, unless another reason would do."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code not in _REASON_AGAIN:
            await dialogues.end(chat.actor)
        raise
    await dialogues.end(chat.actor)


def step_buttons(
    asked: StepQuestion, translate: NullTranslations, label: Callable[[str], str] = str
) -> InlineKeyboardMarkup | None:
    """The answers that can be pressed, the question before, later, and to cancel. label: of an
    option."""

    def choice(text: str, value: str) -> Any:
        return button(text, InDialogue(asked.dialogue_id, asked.turn, value))

    options = [choice(label(option), str(place)) for place, option in enumerate(asked.options)]
    back = (choice(translate.gettext("◀ Back"), BACK),) if asked.place > 1 else ()
    later = (choice(translate.gettext("⏭ Later"), SKIP),) if asked.later else ()
    return keyboard(
        *in_rows(options, 2), (*back, *later, cancel_button(asked.dialogue_id, translate))
    )


VIEWS: Final[tuple[View[Any], ...]] = (View(OnInPrivate),)
