"""Takes one export and builds it, showing its progress at once: a process that a test kills.

`python -m tests.bot.exports <<< '{"database_url": …, "redis_url": …, "api": …, "now": …}'`
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime

from bot.exporter import TELL_AFTER_S, Exporter
from core.runtime import Connections, build
from tests.bot.support import bot_at
from tests.conftest import MASTER_KEY, PUBLIC_URL
from tests.core.support import SetClock


async def at_once_then_never(seconds: float) -> None:
    if seconds != TELL_AFTER_S:
        await asyncio.Event().wait()


async def main(given: dict[str, str]) -> None:
    runtime = await build(
        Connections(given["database_url"], given["redis_url"]),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
        clock=SetClock(datetime.fromisoformat(given["now"])),
    )
    async with bot_at(given["api"]) as bot:
        await Exporter(runtime, bot, group_per_min=18, pause=at_once_then_never).batch()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.stdin.readline())))
