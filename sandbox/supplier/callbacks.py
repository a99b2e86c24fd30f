"""Delivers callbacks: signed messages to notify URLs, retried until the receiver takes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp

from sandbox.supplier.config import Config, DialectName
from sandbox.supplier.dialects import Dialect, Wire
from sandbox.supplier.faults import Fault, Faults, Kind
from sandbox.supplier.gateway import GARBAGE
from sandbox.supplier.rows import Callback, Order, Try
from sandbox.supplier.store import Store

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 4_096
MAX_IN_FLIGHT = 16
BROKEN = Wire(GARBAGE.encode(), "text/plain; charset=utf-8")

_log = logging.getLogger(__name__)


class Courier:
    """Sends what is due. Tries survive a restart: whatever is still pending goes on."""

    def __init__(
        self,
        config: Config,
        store: Store,
        faults: Faults,
        dialects: Mapping[DialectName, Dialect],
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._dialects = dialects
        self._store = store
        self._faults = faults
        self._now = now
        self._due = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._http:
            loop = asyncio.create_task(self._run())
            try:
                yield
            finally:
                tasks = [loop, *self._in_flight.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """A callback was added: look again at what is due."""
        self._due.set()

    async def send_once(
        self, order: Order, fields: dict[str, str], *, genuine: bool, sign: str | None = None
    ) -> Try:
        """Send one callback right now and record it; it is not retried.

        `genuine` signs it as the account's dialect does, otherwise the signature is wrong; `sign`
        replaces it literally.
        """
        callback_id = self._store.add_callback(order, fields, state="forced", next_at=0)
        wire = self._written(order.mch_id, fields, genuine=genuine, sign=sign)
        attempt = await self._post(order.notify_url, wire)
        self._store.add_try(callback_id, attempt, state="forced", next_at=0)
        return attempt

    async def _run(self) -> None:
        while True:
            self._due.clear()
            wait_s = self._begin_due()
            try:
                await asyncio.wait_for(self._due.wait(), wait_s)
            except TimeoutError:
                continue

    def _begin_due(self) -> float | None:
        """Begin what is due; seconds until the next is, None when only `wake` can bring news."""
        # Those in flight still look pending, so as many more are read.
        for callback in self._store.pending_callbacks(2 * MAX_IN_FLIGHT):
            if callback.callback_id in self._in_flight:
                continue
            wait_s = callback.next_at - self._now()
            if wait_s > 0:
                return wait_s
            if len(self._in_flight) >= MAX_IN_FLIGHT:
                return None
            self._begin(callback)
        return None

    def _begin(self, callback: Callback) -> None:
        task = asyncio.create_task(self._deliver(callback))
        self._in_flight[callback.callback_id] = task

        def ended(task: asyncio.Task[None]) -> None:
            del self._in_flight[callback.callback_id]
            if not task.cancelled() and task.exception():
                _log.error("callback %s", callback.callback_id, exc_info=task.exception())
            self.wake()

        task.add_done_callback(ended)

    async def _deliver(self, callback: Callback) -> None:
        attempt = await self._attempt(callback)
        tries = callback.tries + 1
        delays_s = self._config.callback_delays_s
        if self._is_delivered(callback, attempt):
            state, next_at = "delivered", 0.0
        elif tries >= len(delays_s):
            state, next_at = "exhausted", 0.0
        else:
            state, next_at = "pending", self._now() + delays_s[tries]
        self._store.add_try(callback.callback_id, attempt, state=state, next_at=next_at)

    async def _attempt(self, callback: Callback) -> Try:
        fault = self._faults.take("callback")
        mch_id = callback.fields["mch_id"]
        if mch_id not in self._config.accounts:
            return Try(self._now(), None, "the account is not configured any more")
        wire = self._written(mch_id, callback.fields, genuine=True)
        if fault is None:
            return await self._post(callback.url, wire)
        if fault.kind is Kind.LATE:
            await asyncio.sleep(fault.delay_s)
            return await self._post(callback.url, wire)
        if fault.after:
            sent = await self._post(callback.url, wire)
            return _unheard(sent, fault)
        if fault.kind is Kind.GARBAGE:
            return await self._post(callback.url, BROKEN)
        if fault.kind is Kind.REFUSE:
            wrong = self._written(mch_id, callback.fields, genuine=False)
            return await self._post(callback.url, wrong)
        return Try(self._now(), None, f"fault: {fault.kind}, not sent")

    def _is_delivered(self, callback: Callback, attempt: Try) -> bool:
        account = self._config.accounts.get(callback.fields["mch_id"])
        if account is None or attempt.status is None:
            return False
        return self._dialects[account.dialect].is_delivered(attempt.status, attempt.answer)

    def _written(
        self, mch_id: str, fields: dict[str, str], *, genuine: bool, sign: str | None = None
    ) -> Wire:
        account = self._config.accounts[mch_id]
        dialect = self._dialects[account.dialect]
        if not genuine:
            sign = sign or dialect.wrong_signature
        return dialect.callback(fields, account, int(self._now()), sign)

    async def _post(self, url: str, wire: Wire) -> Try:
        """One POST. Redirects are not followed; no answer is a Try without status."""
        assert self._http is not None, "send only while running"
        at = self._now()
        headers = {**wire.headers, "Content-Type": wire.content_type}
        try:
            async with self._http.post(
                url, data=wire.body, headers=headers, allow_redirects=False
            ) as answer:
                text = (await _read_at_most(answer, MAX_ANSWER_BYTES)).decode("utf-8", "replace")
                return Try(at, answer.status, text)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Try(at, None, f"{type(error).__name__}: {error}")


def _unheard(sent: Try, fault: Fault) -> Try:
    """The receiver got it, but the supplier acts as if it had not understood the answer."""
    status = 500 if fault.kind is Kind.ERROR_500 else None
    return Try(sent.at, status, f"fault: {fault.kind}, unheard: {sent.status} {sent.answer}")


async def _read_at_most(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    body = b""
    while len(body) < limit and (part := await answer.content.read(limit - len(body))):
        body += part
    return body
