"""People in their groups, and what the bot answers them: through the sandbox's control."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp

from bench.faults.kit.waits import NotSo, every

_LOOK_S: Final = 0.4


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody said: where, its message, and when (steady seconds)."""

    chat_id: int
    message_id: int
    text: str
    said_s: float


class Chats:
    """The sandbox's Telegram, through its control listener."""

    def __init__(self, http: aiohttp.ClientSession, control: str) -> None:
        self._http = http
        self._control = control

    async def say(self, user_id: int, chat_id: int, text: str) -> Line:
        said = await self.control("act", {"as": user_id, "chat_id": chat_id, "text": text})
        return Line(chat_id, int(said["message_id"]), text, time.monotonic())

    async def lines(
        self, texts: Sequence[str], chats: Sequence[int], people: Sequence[int], every_s: float
    ) -> list[Line]:
        """One line after another, in these chats in turn, by these people in turn."""
        said = []
        async for number in every(every_s, len(texts)):
            # A round of all chats is one person's, the next round the next one's.
            user_id = people[number // len(chats) % len(people)]
            said.append(await self.say(user_id, chats[number % len(chats)], texts[number]))
        return said

    async def control(self, deed: str, what: dict[str, Any]) -> dict[str, Any]:
        """Do something at the sandbox. Raises NotSo with its reason where it refuses."""
        async with self._http.post(f"{self._control}/{deed}", json=what) as answer:
            found: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise NotSo(f"the sandbox's Telegram does {deed}: {found}")
            return found

    async def state(self) -> dict[str, Any]:
        async with self._http.get(f"{self._control}/state") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def transcript(self, chat_id: int, after: int = 0) -> list[dict[str, Any]]:
        params = {"chat_id": chat_id, "after": after}
        async with self._http.get(f"{self._control}/transcript", params=params) as answer:
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def hears(self, chat_id: int, words: str) -> bool:
        """Whether the bot said these words in a chat, ever."""
        return any(
            message["from"]["is_bot"] and words in message["text"]
            for message in await self.transcript(chat_id)
        )

    def answers(self, lines: Sequence[Line]) -> Answers:
        return Answers(self, lines)


class Answers:
    """The bot's replies to lines: which message answers which, and when it was first seen."""

    def __init__(self, chats: Chats, lines: Sequence[Line]) -> None:
        self._chats = chats
        self._lines = {(line.chat_id, line.message_id): line for line in lines}
        # Of each chat: replies in the order in which they came, with the time of their coming.
        self._replies: dict[int, dict[int, tuple[int, float]]] = {
            line.chat_id: {} for line in lines
        }

    async def wait(self, within_s: float) -> Self:
        """Look until every line has its answer, or so long."""
        ends_s = time.monotonic() + within_s
        while time.monotonic() < ends_s:
            for chat_id in self._replies:
                await self._look(chat_id)
            if len(self.late_s()) == len(self._lines):
                break
            await asyncio.sleep(_LOOK_S)
        return self

    async def _look(self, chat_id: int) -> None:
        seen = self._replies[chat_id]
        now_s = time.monotonic()
        for message in await self._chats.transcript(chat_id, max(seen, default=0)):
            answers = message["reply_to"]
            if message["from"]["is_bot"] and (chat_id, answers) in self._lines:
                seen[message["id"]] = (answers, now_s)

    def late_s(self) -> list[float]:
        """How long after its line each first answer came."""
        first: dict[tuple[int, int], float] = {}
        for chat_id, replies in self._replies.items():
            for answered, seen_s in replies.values():
                first.setdefault((chat_id, answered), seen_s)
        return [seen_s - self._lines[key].said_s for key, seen_s in first.items()]

    def per_line(self) -> list[int]:
        """How many answers each line has."""
        counted = dict.fromkeys(self._lines, 0)
        for chat_id, replies in self._replies.items():
            for answered, _ in replies.values():
                counted[chat_id, answered] += 1
        return list(counted.values())

    def out_of_place(self) -> int:
        """How many answers came after the answer to a later line of their chat."""
        found = 0
        for replies in self._replies.values():
            newest = 0
            for _, (answered, _) in sorted(replies.items()):
                found += answered < newest
                newest = max(newest, answered)
        return found
