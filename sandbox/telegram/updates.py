"""How updates reach the bot: webhook delivery and long polling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from sandbox.telegram.account import check_allowed
from sandbox.telegram.errors import conflict
from sandbox.telegram.model import Json, PendingUpdate, Webhook
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.wire import Call

RETRY_AFTER_MAX_S = 3600.0
POLL_MAX_S = 50
POLL_LIMIT = 100


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """Backoff between attempts of one chat, doubling, and how long an answer may take."""

    retry_first_s: float = 0.3
    retry_max_s: float = 5.0
    timeout_s: float = 60.0


@dataclass(slots=True)
class _Lane:
    """One chat's delivery: at most one update in flight, and when the next attempt may be."""

    busy: bool = False
    failures: int = 0
    not_before: float = 0.0


class Delivery:
    """Posts pending updates to the webhook until each is answered with 2xx, in order per chat."""

    def __init__(self, sandbox: Sandbox, settings: DeliverySettings) -> None:
        self._sandbox = sandbox
        self._settings = settings
        self._lanes: dict[int, _Lane] = {}
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while entered; what is unanswered at the end is delivered after a restart."""
        stop_listening = self._sandbox.world.listen(self._hear)
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            pump = asyncio.create_task(self._pump(session))
            try:
                yield
            finally:
                stop_listening()
                tasks = [pump, *self._tasks]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, event: Json) -> None:
        if event["event"] == "webhook":
            for lane in self._lanes.values():
                lane.not_before, lane.failures = 0.0, 0
        if event["event"] in {"webhook", "update", "held"}:
            self._wake.set()

    async def _pump(self, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            wait_s = self._start_due(session, loop.time())
            try:
                await asyncio.wait_for(self._wake.wait(), wait_s)
            except TimeoutError:
                continue

    def _start_due(self, session: aiohttp.ClientSession, now: float) -> float | None:
        """Start every delivery that may start; seconds until the next may, None for unknown."""
        webhook = self._sandbox.world.webhook
        if not webhook.url:
            return None
        seen: set[int] = set()
        wait_s: float | None = None
        for pending in self._sandbox.world.pending.values():
            if len(self._tasks) >= webhook.max_connections:
                break
            if pending.chat_id in seen or pending.chat_id in self._sandbox.held:
                continue
            seen.add(pending.chat_id)
            lane = self._lanes.setdefault(pending.chat_id, _Lane())
            if lane.busy:
                continue
            if lane.not_before > now:
                left_s = lane.not_before - now
                wait_s = left_s if wait_s is None else min(wait_s, left_s)
                continue
            lane.busy = True
            task = asyncio.create_task(self._deliver(session, webhook, pending, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._wake.set())
        return wait_s

    async def _deliver(
        self, session: aiohttp.ClientSession, webhook: Webhook, pending: PendingUpdate, lane: _Lane
    ) -> None:
        headers = {}
        if webhook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
        retry_after_s = 0.0
        try:
            async with session.post(
                webhook.url, json=pending.update, headers=headers, allow_redirects=False
            ) as response:
                await response.read()
                retry_after_s = _retry_after(response)
                problem = (
                    None
                    if 200 <= response.status < 300
                    else f"Wrong response from the webhook: {response.status} {response.reason}"
                )
        except TimeoutError:
            problem = "Read timeout expired"
        except aiohttp.ClientConnectorError:
            problem = "Connection refused"
        except aiohttp.ClientError as error:
            problem = f"Connection failed: {type(error).__name__}"
        finally:
            lane.busy = False
        if problem is None:
            lane.failures, lane.not_before = 0, 0.0
            self._sandbox.world.taken(pending.update_id)
        else:
            self._failed(webhook, lane, problem, retry_after_s)
        self._sandbox.world.commit()

    def _failed(self, webhook: Webhook, lane: _Lane, problem: str, retry_after_s: float) -> None:
        backoff_s = self._settings.retry_first_s * 2 ** min(lane.failures, 10)
        wait_s = retry_after_s or min(backoff_s, self._settings.retry_max_s)
        lane.failures += 1
        lane.not_before = asyncio.get_running_loop().time() + wait_s
        webhook.last_error_date = int(self._sandbox.now())
        webhook.last_error_message = problem
        if webhook is self._sandbox.world.webhook:
            self._sandbox.world.save(webhook)


class Polling:
    """getUpdates: one waiting call at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        # The newest call's own event: what was set for one call is never cleared by the next.
        self._wake = asyncio.Event()
        sandbox.world.listen(self._hear)

    async def get_updates(self, call: Call) -> list[Json]:
        """Confirm below `offset`, then answer what is pending, waiting up to `timeout` seconds."""
        world = self._sandbox.world
        if world.webhook.url:
            raise conflict(
                "can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first"
            )
        self._wake.set()
        wake = self._wake = asyncio.Event()
        params = call.params
        if "allowed_updates" in params:
            world.webhook.allowed_updates = check_allowed(params["allowed_updates"])
            world.save(world.webhook)
        self._confirm(params.get("offset", 0))
        world.commit()
        loop = asyncio.get_running_loop()
        until = loop.time() + min(params.get("timeout", 0), POLL_MAX_S)
        while not world.pending and loop.time() < until:
            wake.clear()
            try:
                await asyncio.wait_for(wake.wait(), until - loop.time())
            except TimeoutError:
                break
            if wake is not self._wake:
                raise conflict(
                    "terminated by other getUpdates request;"
                    " make sure that only one bot instance is running"
                )
        limit = params.get("limit", POLL_LIMIT)
        return [pending.update for pending in list(world.pending.values())[:limit]]

    def _hear(self, event: Json) -> None:
        if event["event"] == "update":
            self._wake.set()

    def _confirm(self, offset: int) -> None:
        ids = list(self._sandbox.world.pending)
        confirmed = ids[:offset] if offset < 0 else [one for one in ids if one < offset]
        for update_id in confirmed:
            self._sandbox.world.taken(update_id)


def _retry_after(response: aiohttp.ClientResponse) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), RETRY_AFTER_MAX_S) if value.isdigit() else 0.0
