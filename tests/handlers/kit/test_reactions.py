"""👀 says that a message is read and its answer on the way; 👎 that a refusal is told later."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramNetworkError
from aiogram.methods import AnswerCallbackQuery, SetMessageReaction, TelegramMethod

from core.delivery.outbox import Say
from handlers.kit.reactions import PER_CHAT, READ, REFUSED, Reactions
from handlers.money.buttons import UndoVoucher
from handlers.screens import render_say
from tests.demo import eventually
from tests.handlers.support import FINANCE, OPERATOR, SPRUCE, STRANGER, SUQING, Desk, Line, one_say
from tests.handlers.telegram_html import read_html


async def reacted(desk: Desk, count: int) -> list[tuple[int, str]]:
    """(message, emoji) of so many reactions, once they are set."""

    async def look() -> bool:
        return len(desk.line.reactions) >= count

    await eventually(look, what=f"{count} reactions")
    return [(message_id, emoji) for _, message_id, emoji in desk.line.reactions]


async def quiet(desk: Desk) -> None:
    """Every reaction that was begun has ended."""

    async def look() -> bool:
        return desk.reactions.idle

    await eventually(look, what="every reaction has ended")


async def test_a_message_whose_answer_waits_is_shown_to_be_read(desk: Desk) -> None:
    await desk.said(OPERATOR, SPRUCE, "+1000")  # nothing leaves here: the answer waits
    assert await reacted(desk, 1) == [(desk.message_id, READ)]


async def test_what_is_answered_refused_or_none_of_ours_gets_no_eyes(desk: Desk) -> None:
    for user_id, text in (
        (SUQING, "+1000"), (STRANGER, "+1000"), (SUQING, "good morning"), (OPERATOR, "+1,00"),
        (OPERATOR, "/nonsense"),
    ):  # fmt: skip
        await desk.say(user_id, SPRUCE, text)
    await quiet(desk)
    assert READ not in {emoji for _, _, emoji in desk.line.reactions}
    sent = "UPDATE outbox SET state = 'sent'"
    slow = Reactions(
        desk.runtime.system,
        desk.runtime.delivery,
        desk.runtime.people,
        desk.runtime.reports,
        desk.bot,
        answer_within_s=0.3,
    )
    async with slow.while_answered(SPRUCE, 5):
        await desk.say(OPERATOR, SPRUCE, "+1000")
        await quiet(desk)
        desk.line.reactions.clear()
        await desk.runtime.system.store.execute(sent)

    async def ended() -> bool:
        return slow.idle

    await eventually(ended, what="the watch has ended")
    assert desk.line.reactions == []


async def test_what_takes_long_is_shown_to_be_read_while_it_is_acted_on(desk: Desk) -> None:
    async with desk.reactions.while_answered(SPRUCE, 5):
        assert await reacted(desk, 1) == [(5, READ)]


async def test_refusals_within_a_minute_get_a_thumb_and_are_told_together(desk: Desk) -> None:
    desk.same_minute = True
    first = await desk.said(OPERATOR, SPRUCE, "+1000 M9")
    assert first.screen == "refusal"
    texts = ["+1,00", "+500 M1002", "+100u", "+1000 <b>x</b> M9 -5"]
    for text in texts:
        assert await desk.say(OPERATOR, SPRUCE, text) == []
    await quiet(desk)
    thumbs = [message_id for _, message_id, emoji in desk.line.reactions if emoji == REFUSED]
    assert thumbs == list(range(desk.message_id - len(texts) + 1, desk.message_id + 1))
    await desk.pass_a_minute()
    await desk.runtime.people.refusals.tell_due(10)
    (together,) = await desk.news()
    assert isinstance(together, Say)
    for language in ("zh", "en"):
        told = read_html(render_say(together, language).html)
        for text in texts:
            assert f"“{text}”" in told


async def test_in_private_every_refusal_is_said(desk: Desk) -> None:
    desk.same_minute = True
    for _ in range(3):
        assert (await desk.said(OPERATOR, OPERATOR, "+1000 M99")).screen == "refusal"
    await quiet(desk)
    assert REFUSED not in {emoji for _, _, emoji in desk.line.reactions}


async def test_what_one_alone_is_told_is_not_shown_to_all_by_a_thumb(desk: Desk) -> None:
    desk.same_minute = True
    await desk.said(SUQING, SPRUCE, "+1000")
    assert await desk.say(SUQING, SPRUCE, "+2000") == []
    await quiet(desk)
    assert desk.line.reactions == []


async def test_a_chat_gets_so_many_reactions_a_minute_and_no_more(desk: Desk) -> None:
    for message_id in range(1, PER_CHAT.times + 10):
        async with desk.reactions.while_answered(SPRUCE, message_id):
            await reacted(desk, min(message_id, PER_CHAT.times))
    await quiet(desk)
    assert len(desk.line.reactions) == PER_CHAT.times


class Late(Line):
    """Telegram no longer waits for the answer to a press."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109
    ) -> Any:
        if isinstance(method, AnswerCallbackQuery):
            raise TelegramBadRequest(method, "query is too old")
        return await super().make_request(bot, method, timeout)


async def test_a_refused_press_puts_no_thumb_on_the_receipt_that_carries_the_button(
    desk: Desk,
) -> None:
    desk.line = desk.bot.session = Late()
    desk.same_minute = True
    await desk.said(OPERATOR, SPRUCE, "+1,00")
    await quiet(desk)
    desk.line.reactions.clear()
    unknown = UndoVoucher(UUID(int=1)).data()
    assert await desk.press(OPERATOR, SPRUCE, unknown, message_id=500) == []
    await quiet(desk)
    assert desk.line.reactions == []
    await desk.pass_a_minute()
    await desk.runtime.people.refusals.tell_due(10)
    told = one_say(await desk.news())
    assert (told.reply_to, told.facts["code"]) == (500, "record_not_found")


class Dead(Line):
    """Telegram does not answer reactions."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109
    ) -> Any:
        if isinstance(method, SetMessageReaction):
            raise TelegramNetworkError(method, "timeout")
        return await super().make_request(bot, method, timeout)


async def test_a_reaction_that_fails_is_nobodys_business(desk: Desk) -> None:
    desk.bot.session = Dead()
    assert (await desk.said(FINANCE, SPRUCE, "+1000")).screen == "prepaid"
    await quiet(desk)


async def test_a_stop_ends_what_is_under_way(desk: Desk) -> None:
    patient = Reactions(
        desk.runtime.system,
        desk.runtime.delivery,
        desk.runtime.people,
        desk.runtime.reports,
        desk.bot,
        answer_within_s=3600,
    )
    async with patient.while_answered(SPRUCE, 5):
        await asyncio.wait_for(patient.stop(), 5)
    assert patient.idle
    assert desk.line.reactions == []


async def test_what_one_alone_is_told_stands_in_the_topic_where_it_was_asked(desk: Desk) -> None:
    topic = {"message_thread_id": 44, "is_topic_message": True}
    for text in ("/help", "/nonsense", "+1000"):
        said = await desk.said(SUQING, SPRUCE, text, **topic)
        assert (said.only_for, said.thread_id) == (SUQING, 44), text
        plain = await desk.said(SUQING, SPRUCE, text, message_thread_id=44)  # a thread of replies
        assert (plain.only_for, plain.thread_id) == (SUQING, None), text
