"""Waiting for work of ours for a time, as each request does."""

from __future__ import annotations

import asyncio
from typing import Any


async def wait_until_done(work: asyncio.Future[Any], timeout_s: float) -> None:
    """Until it is done, or the time is over; it goes on then. What it came to is for the caller.

    As `asyncio.wait`, which takes twice as long for one of them.
    """
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def end(_: object = None) -> None:
        if not over.done():
            over.set_result(None)

    timer = loop.call_later(timeout_s, end)
    work.add_done_callback(end)
    try:
        await over
    finally:
        timer.cancel()
        work.remove_done_callback(end)
