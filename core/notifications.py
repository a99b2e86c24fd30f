"""What merchants are told: Standard Webhooks, sent until answered, every try kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

import structlog

from core.clock import Clock, rfc3339
from core.errors import Refusal
from core.gateway import Gateway, MayHaveHappened, NeverSent
from core.groups import Groups
from core.merchants import Merchants
from core.outbox import News, Say
from core.store import Store, Tx
from core.wire import HttpAnswer, HttpRequest

_LOG = structlog.get_logger(__name__)

# Gaps before each try (payments design §3); the first is at once.
GAPS_S: Final = (0, 5, 30, 120, 300, 900, 1800, 3600, 7200, 18000, 36000, 50400, 72000)
JITTER: Final = 0.1
GONE: Final = 410  # the address asks to be told nothing any more
LEASE: Final = timedelta(seconds=60)
# The next news of an order waits this long for the one before it, then goes anyway.
WAIT_FOR_FORMER: Final = timedelta(minutes=5)
AT_ONCE: Final = 50
_SAID_CHARS: Final = 200
_LONGEST_RETRY_AFTER_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class _Due:
    merchant_id: UUID
    id: UUID
    webhook_id: str
    app_id: UUID
    order_id: UUID
    type: str
    url: str
    facts: dict[str, Any]
    tries: int
    request_id: str
    created_at: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one call. answer: None where there was none. at: when it began."""

    answer: HttpAnswer | None
    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: str  # delivered | pending | exhausted
    retry_in_s: float = 0.0


class Notifications:
    """Delivers news to merchants' servers."""

    def __init__(
        self, store: Store, clock: Clock, gateway: Gateway, merchants: Merchants, groups: Groups
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateway = gateway
        self._merchants = merchants
        self._groups = groups

    async def deliver_due(self, batch: int) -> int:
        """Send what is due, each once; how many there were."""
        now = self._clock.now()
        rows = await self._store.fetch(_TAKE, now, now + LEASE, batch, now - WAIT_FOR_FORMER)
        limit = asyncio.Semaphore(AT_ONCE)

        async def deliver(due: _Due) -> None:
            async with limit:
                await self._deliver(due)

        tries = (deliver(_Due(**dict(row))) for row in rows)
        for fault in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(fault, BaseException):
                raise fault  # the database is away; the others have ended by now
        return len(rows)

    async def _deliver(self, due: _Due) -> None:
        """One try. Whatever goes wrong in it is this row's own failure: it is put off like any
        other, and the rest of the batch goes on."""
        structlog.contextvars.bind_contextvars(request_id=due.request_id)
        tried = await self._try(due)
        try:
            await self._finish(due, tried)
        except Exception:  # noqa: BLE001 (the row must not come back at once, and for ever)
            _LOG.exception("notification not told of", webhook_id=due.webhook_id)
            async with self._store.transaction() as tx:
                await self._move(tx, due, judge(tried.answer, due.tries))
        structlog.contextvars.unbind_contextvars("request_id")

    async def _try(self, due: _Due) -> _Tried:
        started = self._clock.now()
        try:
            body = body_of(due.type, due.created_at, due.facts)
            app = await self._merchants.app_by_id(due.app_id)
            request = _signed(due, body, app.notify_secrets, started)
            answer = await self._gateway.send(request, status_decides=True)
        except (NeverSent, MayHaveHappened) as error:
            return _Tried(None, str(error), started)
        except Exception as error:  # noqa: BLE001 (a row like no other: it is tried, and parked)
            _LOG.exception("notification not sent", webhook_id=due.webhook_id)
            return _Tried(None, f"it could not be sent: {type(error).__name__}", started)
        return _Tried(answer, answer.body[:_SAID_CHARS].decode("utf-8", "replace"), started)

    async def _finish(self, due: _Due, tried: _Tried) -> None:
        """Keep the try, and decide what comes of it where the lease is still ours."""
        answer, verdict, now = tried.answer, judge(tried.answer, due.tries), self._clock.now()
        async with self._store.transaction() as tx:
            await tx.execute(
                # Counted on by itself: `tries` starts anew when somebody sends it again.
                "INSERT INTO notification_try (merchant_id, notification_id, try_no, at, took_ms,"
                " status, said) SELECT $1, $2, coalesce(max(try_no), 0) + 1, $3, $4, $5, $6"
                " FROM notification_try WHERE merchant_id = $1 AND notification_id = $2"
                " ON CONFLICT DO NOTHING",
                due.merchant_id,
                due.id,
                tried.at,
                int((now - tried.at).total_seconds() * 1000),
                answer.status if answer else None,
                tried.said[:_SAID_CHARS].replace("\x00", ""),
            )
            if await self._move(tx, due, verdict):
                if answer is not None and answer.status == GONE:
                    await tx.execute(
                        "INSERT INTO silenced_url (merchant_id, app_id, url, at)"
                        " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                        due.merchant_id,
                        due.app_id,
                        due.url,
                        now,
                    )
                if verdict.state == "exhausted":
                    await self._alarm(tx, due)
            await self._groups.show_order(tx, due.merchant_id, due.order_id)
        _LOG.info(
            "notification tried",
            order_no=due.facts.get("order_no"),
            type=due.type,
            webhook_id=due.webhook_id,
            status=answer.status if answer else None,
            state=verdict.state,
            try_no=due.tries,
        )

    async def _move(self, tx: Tx, due: _Due, verdict: _Verdict) -> bool:
        """Only whoever still holds the lease decides: it may have ended, and another taken it, or
        somebody had it sent again meanwhile. False: it is no longer ours."""
        now = self._clock.now()
        moved = await tx.execute(
            "UPDATE notification SET state = $3, due_at = $4, lease_until = NULL,"
            " delivered_at = $5"
            " WHERE merchant_id = $1 AND id = $2 AND state = 'pending' AND lease_until = $6",
            due.merchant_id,
            due.id,
            verdict.state,
            now + timedelta(seconds=verdict.retry_in_s),
            now if verdict.state == "delivered" else None,
            due.lease_until,
        )
        return bool(moved)

    async def _alarm(self, tx: Tx, due: _Due) -> None:
        facts = {
            "order_no": due.facts.get("order_no", ""), "url": due.url, "tries": due.tries,
        }  # fmt: skip
        await self._groups.tell_ops(tx, Say("alarm_exhausted", facts))

    async def resend(self, merchant_id: UUID, order_id: UUID) -> None:
        """Send the newest news of an order again, at once; its address is no longer silenced.

        Refusals: record_not_found.
        """
        async with self._store.transaction() as tx:
            again = await tx.fetchrow(
                # Without its lease: a try that is under way decides nothing any more.
                "UPDATE notification SET state = 'pending', due_at = $3, tries = 0,"
                " lease_until = NULL"
                " WHERE merchant_id = $1 AND id = (SELECT id FROM notification"
                " WHERE merchant_id = $1 AND order_id = $2 AND state <> 'dropped'"
                " ORDER BY created_at DESC LIMIT 1) RETURNING app_id, url",
                merchant_id,
                order_id,
                self._clock.now(),
            )
            if again is None:
                raise Refusal("record_not_found")
            await tx.execute(
                "DELETE FROM silenced_url WHERE merchant_id = $1 AND app_id = $2 AND url = $3",
                merchant_id,
                again["app_id"],
                again["url"],
            )

    async def state_of(
        self, merchant_id: UUID, order_id: UUID, news: Collection[News] = get_args(News)
    ) -> str:
        """How the newest news of an order stands: none | pending | delivered | exhausted.

        news: of these kinds only.
        """
        found = await self._store.fetchval(
            "SELECT state FROM notification WHERE merchant_id = $1 AND order_id = $2"
            " AND type = ANY($3) ORDER BY created_at DESC LIMIT 1",
            merchant_id,
            order_id,
            list(news),
        )
        return str(found) if found else "none"


def body_of(news: str, at: datetime, facts: dict[str, Any]) -> bytes:
    """The body of a notification: the same bytes at every try."""
    text = json.dumps(
        {"type": news, "timestamp": rfc3339(at), "data": facts},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return text.encode()


def sign(secret: str, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature of Standard Webhooks, 'v1,<base64>'. secret: whsec_<base64>."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def judge(answer: HttpAnswer | None, tries: int) -> _Verdict:
    """What an answer means: 2xx is delivered, 410 switches the address off, all else is retried."""
    if answer is not None and 200 <= answer.status < 300:
        return _Verdict("delivered")
    if tries >= len(GAPS_S) or (answer is not None and answer.status == GONE):
        return _Verdict("exhausted")
    gap_s = GAPS_S[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load)
    retry_after = answer.headers.get("retry-after", "") if answer else ""
    if retry_after.isascii() and retry_after.isdigit():
        gap_s = max(gap_s, min(int(retry_after), _LONGEST_RETRY_AFTER_S))
    return _Verdict("pending", gap_s)


def _signed(due: _Due, body: bytes, secrets: tuple[str, ...], now: datetime) -> HttpRequest:
    timestamp_s = int(now.timestamp())
    signatures = " ".join(sign(s, due.webhook_id, timestamp_s, body) for s in secrets)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Paydesk-Notifications/1",
        "webhook-id": due.webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signatures,
    }
    return HttpRequest("POST", due.url, headers, body, signed="")


_TAKE: Final = """
UPDATE notification n SET lease_until = $2, tries = n.tries + 1 FROM (
    SELECT merchant_id, id FROM notification w
    WHERE state = 'pending' AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
      AND NOT EXISTS (
          SELECT FROM notification f
          WHERE f.merchant_id = w.merchant_id AND f.order_id = w.order_id
            AND f.state = 'pending' AND f.created_at < w.created_at AND f.created_at > $4)
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
) due
WHERE n.merchant_id = due.merchant_id AND n.id = due.id
RETURNING n.merchant_id, n.id, n.webhook_id, n.app_id, n.order_id, n.type, n.url, n.facts,
          n.tries, n.request_id, n.created_at, n.lease_until
"""
