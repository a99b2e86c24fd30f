"""Work that somebody holds with a lease: renewed while it lasts, given up where it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from core.system.pool import fresh_context
from core.system.store import DATABASE_AWAY

_LOG = structlog.get_logger(__name__)


async def hold(
    work: Coroutine[Any, Any, None], renew: Callable[[], Awaitable[bool]], *, every_s: float
) -> None:
    """Do the work and renew its lease every `every_s` seconds. renew: False where the lease was
    lost; then the work ends here, since somebody else does it."""
    task = asyncio.create_task(work, context=fresh_context())
    try:
        while not (await asyncio.wait([task], timeout=every_s))[0]:
            if not await _renewed(renew) and not task.done():
                _LOG.warning("a lease was lost", work=task.get_coro())
                return
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _renewed(renew: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await renew()
    except DATABASE_AWAY as error:
        # Nobody else can take it meanwhile either; the next look tells whose it is.
        _LOG.warning("a lease could not be renewed", fault=str(error))
        return True
