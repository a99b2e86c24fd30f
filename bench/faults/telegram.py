"""A busy evening in the strictest Telegram: many groups at once, one that moves, many lines."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from bench.faults.kit import NotSo, Row, Site, p95, share, until
from bench.faults.kit.town import BASIC, OPERATORS

ANSWER_BAR_S: Final = 12.0
STRICT: Final = {"edits_count": True, "chat_closes": True}
_WAIT_S: Final = 75.0
_QUIET_S: Final = 60.0
_LOOK_S: Final = 0.5
_AMOUNT: Final = re.compile(r"[\d,]+\.\d\d")


# No two lines are of one amount: it says which one is meant, and the same one twice would be asked
# about.
_BUSY, _MOVING, _MANY = 1_000, 3_000, 5_000


async def busy_evening(place: Site, *, updates: int = 200, groups: int = 20) -> list[Row]:
    fault, done = "chat: busy evening", f"{updates} lines of money in {groups} groups at once"
    await _prepare(place)
    refused = await _refused(place)
    texts = [f"+{_BUSY + number}" for number in range(updates)]
    said = await place.chats.lines(texts, place.town.groups[:groups], OPERATORS, 0.0)
    answers = place.chats.answers(said)
    await answers.wait(_WAIT_S)
    late, twice = answers.late_s(), sum(count > 1 for count in answers.per_line())
    wrong, refused = answers.out_of_place(), await _refused(place) - refused
    return [
        Row(fault, done,
            f"{share(len(late), updates)} answered, {twice} twice; p95 {p95(late):.1f} s,"
            f" last {max(late, default=0):.1f} s",
            f"all answered once, p95 ≤ {ANSWER_BAR_S:.0f} s",
            len(late) == updates and not twice and p95(late) <= ANSWER_BAR_S),
        Row(fault, "their order in each group", f"{wrong} of {len(late)} out of place", "none",
            not wrong),
        Row(fault, "what Telegram refused", f"{refused} × 429", "0 × 429", not refused),
    ]  # fmt: skip


async def group_that_moves(place: Site, *, lines: int = 8) -> list[Row]:
    await _prepare(place)
    for number in range(lines):
        await place.chats.say(OPERATORS[number % len(OPERATORS)], BASIC, f"+{_MOVING + number}")
    moved = await place.chats.control("chat", {"chat_id": BASIC, "migrate": True})
    wanted = {f"{_MOVING + number:,}.00" for number in range(lines)}

    async def all_answered() -> bool:
        return len(await _amounts(place, moved["chat_id"]) & wanted) == lines

    with suppress(NotSo):
        await until(all_answered, what="answers", within_s=_WAIT_S, look_s=_LOOK_S)
    answered = len(await _amounts(place, moved["chat_id"]) & wanted)
    booked = await _booked(place, _MOVING, lines)
    return [
        Row("chat: group that moves", f"{lines} lines of money, then it becomes a supergroup",
            f"{share(booked, lines)} booked, {share(answered, lines)} answered",
            "all booked once, all answered", booked == answered == lines)
    ]  # fmt: skip


async def many_lines(place: Site, *, lines: int = 20) -> list[Row]:
    await _prepare(place)
    text = "\n".join(f"+{_MANY + number}" for number in range(lines))
    said = await place.chats.say(OPERATORS[0], place.town.groups[0], text)

    async def all_booked() -> bool:
        return await _booked(place, _MANY, lines) >= lines

    with suppress(NotSo):
        await until(all_booked, what="all booked", within_s=_WAIT_S, look_s=_LOOK_S)
    with suppress(NotSo):
        await _quiet(place)
    [receipts] = (await place.chats.answers([said]).wait(_WAIT_S)).per_line()
    booked = await _booked(place, _MANY, lines)
    return [
        Row("chat: many lines", f"one message with {lines} lines of money",
            f"{share(booked, lines)} booked; {receipts} receipts", "all booked, one receipt",
            booked == lines and receipts == 1)
    ]  # fmt: skip


async def _prepare(place: Site) -> None:
    """The strictest Telegram, and a desk that has said what it says at its start."""
    await place.chats.control("strict", STRICT)
    await _quiet(place)


async def _quiet(place: Site) -> None:
    """Until the desk has nothing left to say; live bills, which follow when they may, aside."""
    async with place.database() as owner:
        nothing = "SELECT NOT EXISTS (SELECT FROM outbox WHERE state = 'waiting' AND rank <= 1)"

        async def look() -> bool:
            return bool(await owner.fetchval(nothing))

        await until(look, what="the desk has said all", within_s=_QUIET_S, look_s=_LOOK_S)


async def _refused(place: Site) -> int:
    return int((await place.chats.state())["too_many_requests"])


async def _booked(place: Site, first: int, lines: int) -> int:
    """How many vouchers there are of so many amounts, from this one on."""
    async with place.database() as owner:
        return int(
            await owner.fetchval(
                "SELECT count(*) FROM voucher WHERE abs(minor) BETWEEN $1 AND $2",
                first * 100,
                (first + lines) * 100 - 1,
            )
        )


async def _amounts(place: Site, new_chat_id: int) -> set[str]:
    """Amounts that the bot has named in a group, under its old and its new number."""
    messages = [
        *await place.chats.transcript(BASIC), *await place.chats.transcript(new_chat_id)
    ]  # fmt: skip
    texts = [message["text"] for message in messages if message["from"]["is_bot"]]
    return {amount for text in texts for amount in _AMOUNT.findall(text)}
