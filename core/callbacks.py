"""Suppliers' callbacks: verified without the network, stored raw, answered, then acted on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from core.clock import Clock
from core.connectors import Callback, Event, InvalidCallback, Reply
from core.errors import Bug, Refusal
from core.ids import Ids, read_number
from core.merchants import Merchants
from core.money import Money
from core.orders import Following, PaymentSeen, Settling, find_attempt
from core.store import Store
from core.suppliers import Suppliers

_LOG = structlog.get_logger(__name__)
MAX_TRIES: Final = 20
RETRY_S: Final = 5
# A batch is acted on one by one for each merchant, and a supplier may have to be asked.
LEASE_S: Final = 120


class Callbacks:
    """Takes suppliers' callbacks and books what they tell."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        merchants: Merchants,
        suppliers: Suppliers,
        settling: Settling,
        following: Following,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._merchants = merchants
        self._suppliers = suppliers
        self._settling = settling
        self._following = following
        self._wakers: list[Callable[[], None]] = []

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever a callback was stored by this process."""
        self._wakers.append(wake)

    async def receive(self, attempt_no: str, callback: Callback, *, request_id: str) -> Reply:
        """Take a callback for one of our attempts and answer it in the supplier's own words.

        It is stored before it is answered; what it says is acted on right after. An attempt that
        is not ours is refused without a word about why; a forged one gets the supplier's failure
        answer. Refusals: callback_unknown.
        """
        facts = read_number(attempt_no)
        merchant = await self._merchants.by_tag(facts.merchant_tag) if facts else None
        attempt = (
            await find_attempt(self._store, merchant.id, attempt_no.upper()) if merchant else None
        )
        if attempt is None:
            _LOG.warning("callback for no attempt of ours", attempt_no=attempt_no[:40])
            raise Refusal("callback_unknown")
        connector = await self._suppliers.connector(attempt.document_id)
        supplier = await self._suppliers.by_id(attempt.supplier_id)
        try:
            event = connector.verify(
                callback, supplier.credentials, currency=attempt.amount.currency
            )
            if event.attempt_no != attempt.attempt_no:
                raise InvalidCallback("it is about another attempt than its address")
        except InvalidCallback as error:
            _LOG.warning(
                "callback not believed",
                attempt_no=attempt_no,
                supplier_no=supplier.supplier_no,
                why=error.why,
                address=callback.address,
            )
            return connector.reply("failure")
        await self._store.execute(
            "INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address,"
            " query, headers, body, event, due_at, request_id, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)",
            attempt.merchant_id,
            self._ids.uuid7(),
            attempt.supplier_id,
            attempt.attempt_no,
            callback.address,
            callback.query,
            dict(callback.headers),
            callback.body,
            _pack(event),
            self._clock.now(),
            request_id,
        )
        for wake in self._wakers:
            wake()
        return connector.reply("success")

    async def act_due(self, batch: int) -> int:
        """Act on stored callbacks; how many there were. Those of one merchant one by one."""
        now = self._clock.now()
        rows = await self._store.fetch(
            "UPDATE supplier_callback c SET due_at = $2, tries = tries + 1 FROM ("
            " SELECT merchant_id, id FROM supplier_callback WHERE state = 'waiting'"
            " AND due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) due"
            " WHERE c.merchant_id = due.merchant_id AND c.id = due.id"
            " RETURNING c.merchant_id, c.id, c.event, c.tries, c.request_id, c.received_at",
            now,
            now + timedelta(seconds=LEASE_S),
            batch,
        )
        by_merchant: dict[UUID, list[tuple[UUID, Event, int, str]]] = {}
        for row in sorted(rows, key=lambda r: r["received_at"]):
            by_merchant.setdefault(row["merchant_id"], []).append(
                (row["id"], _unpack(row["event"]), row["tries"], row["request_id"])
            )
        await asyncio.gather(*(self._act_on_all(*entry) for entry in by_merchant.items()))
        return len(rows)

    async def _act_on_all(
        self, merchant_id: UUID, waiting: list[tuple[UUID, Event, int, str]]
    ) -> None:
        for callback_id, event, tries, request_id in waiting:
            structlog.contextvars.bind_contextvars(request_id=request_id)
            try:
                outcome = await self._act(merchant_id, event, request_id)
                state = "done"
            except Exception as error:  # noqa: BLE001 (kept, tried again, then parked and logged)
                _LOG.exception("callback could not be acted on", tries=tries)
                outcome = repr(error)
                state = "parked" if tries >= MAX_TRIES else "waiting"
            finally:
                structlog.contextvars.unbind_contextvars("request_id")
            await self._store.execute(
                "UPDATE supplier_callback SET state = $3, outcome = $4, due_at = $5"
                " WHERE merchant_id = $1 AND id = $2 AND state = 'waiting' AND tries = $6",
                merchant_id,
                callback_id,
                state,
                outcome[:300],
                self._clock.now() + timedelta(seconds=RETRY_S),
                tries,
            )

    async def _act(self, merchant_id: UUID, event: Event, request_id: str) -> str:
        if event.state == "paid" and event.paid is not None:
            settled = await self._settling.settle_payment(
                PaymentSeen(
                    merchant_id, event.attempt_no, event.upstream_no, event.paid, "reported"
                ),
                request_id=request_id,
            )
            return settled.meaning
        # Anything but money is not taken on a callback's word: the supplier is asked.
        attempt = await find_attempt(self._store, merchant_id, event.attempt_no)
        if attempt is None:
            raise Refusal("callback_unknown")
        standing = await self._following.ask(merchant_id, attempt.order_id, request_id=request_id)
        return f"asked: {standing.state}"


def _pack(event: Event) -> dict[str, object]:
    return {
        "attempt_no": event.attempt_no,
        "upstream_no": event.upstream_no,
        "state": event.state,
        "paid_minor": event.paid.minor if event.paid else None,
        "currency": event.paid.currency if event.paid else None,
    }


def _unpack(values: dict[str, object]) -> Event:
    paid_minor, currency = values["paid_minor"], values["currency"]
    paid = Money(int(str(paid_minor)), str(currency)) if paid_minor is not None else None
    state = values["state"]
    if state not in ("paid", "pending", "failed", "closed"):
        raise Bug(f"a stored callback is {state}")
    return Event(str(values["attempt_no"]), str(values["upstream_no"]), state, paid)
