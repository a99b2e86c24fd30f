"""The desk's way to Redis: nobody waits for it longer than a moment.

Whoever asks Redis works on without it. So it has a short limit, and once it did not keep it, nobody
asks for a while: a Redis that hangs costs one request that limit, not each of them.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TooLate

_LOG = structlog.get_logger(__name__)
# So long is waited for an answer, a new connection included. `socket_timeout` in the address of a
# Redis that is far away says otherwise.
LIMIT_S: Final = 0.05
# After it was silent or away, nobody asks for so long; then one does.
REST_S: Final = 1.0


class RedisLink(Redis):
    """A client that fails soon: after its limit, and at once while Redis rests. Made by
    `link_redis`. Whatever goes wrong with Redis raises RedisError."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        given_s = self.connection_pool.connection_kwargs.get("socket_timeout")
        self._limit_s = float(given_s or LIMIT_S)
        self._away = False
        self._rests_until_s = 0.0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The answer to one command."""
        if self._away:
            if (now_s := time.monotonic()) < self._rests_until_s:
                raise NotConnected("redis did not answer a moment ago")
            self._rests_until_s = now_s + REST_S  # this one tries; others go on without
        try:
            command: Any = super().execute_command
            answer = await self._in_time(command(*args, **options))
        except (NotConnected, TooLate, OSError) as error:
            if not self._away:
                _LOG.warning("redis is away; limits are of this process", fault=str(error))
            self._away, self._rests_until_s = True, time.monotonic() + REST_S
            if isinstance(error, RedisError):
                raise
            raise NotConnected(str(error)) from error
        if self._away:
            self._away = False
            _LOG.info("redis answers again")
        return answer

    async def _in_time(self, command: Any) -> Any:
        """Not a timeout of the command itself: where this process was held up meanwhile, an answer
        that is there by now is in time."""
        asked = asyncio.ensure_future(command)
        try:
            done, _ = await asyncio.wait({asked}, timeout=self._limit_s)
        finally:
            asked.cancel()  # its connection is closed with it; one that is done knows nothing of it
        if not done:
            raise TooLate(f"redis did not answer within {self._limit_s * 1000:.0f} ms")
        return asked.result()


def link_redis(url: str) -> RedisLink:
    """The client of the Redis at an address."""
    no_retry = Retry(NoBackoff(), 0)
    pool = ConnectionPool.from_url(url, socket_timeout=LIMIT_S, retry=no_retry)
    link = RedisLink(connection_pool=pool)
    link.auto_close_connection_pool = True  # the pool is its own
    return link
