"""Work of ours is waited for, and goes on where nobody waits any more."""

from __future__ import annotations

import asyncio

import pytest

from core.system.patience import wait_until_done

LONG_S = 30.0


async def test_what_ends_is_waited_for_no_longer() -> None:
    async def fails() -> None:
        raise LookupError

    work = asyncio.create_task(fails())
    async with asyncio.timeout(LONG_S / 2):
        await wait_until_done(work, LONG_S)
        await wait_until_done(work, LONG_S)  # also what is done already
    assert isinstance(work.exception(), LookupError)


async def test_what_takes_too_long_goes_on() -> None:
    may_end = asyncio.Event()
    work = asyncio.create_task(may_end.wait())
    await wait_until_done(work, 0.01)
    assert not work.done()
    may_end.set()
    assert await work is True


async def test_who_gives_up_ends_nothing() -> None:
    may_end = asyncio.Event()
    work = asyncio.create_task(may_end.wait())
    waiting = asyncio.create_task(wait_until_done(work, LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not work.done()
    may_end.set()
    assert await work is True
