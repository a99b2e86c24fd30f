"""Suppliers' callbacks: verified without the network, stored raw, answered, then acted on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from core.clock import Clock
from core.connectors import Callback, Connector, Event, InvalidCallback, Reply
from core.errors import Bug, Refusal
from core.ids import Ids, read_number
from core.merchants import Merchants
from core.money import Money
from core.orders import Attempt, Following, PaymentSeen, Settling, find_attempt
from core.outbox import Say
from core.store import Store, Tx
from core.suppliers import Supplier, Suppliers

_LOG = structlog.get_logger(__name__)
_SUPPLIER_NO: Final = re.compile(r"S[0-9]{2,9}", re.ASCII)
# The gap between two tries doubles up to an hour: a stored callback is tried for over a day.
MAX_TRIES: Final = 40
RETRY_S: Final = 5
LONGEST_RETRY_S: Final = 3600
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
        alarm: Callable[[Tx, Say], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._merchants = merchants
        self._suppliers = suppliers
        self._settling = settling
        self._following = following
        self._alarm = alarm
        self._wakers: list[Callable[[], None]] = []

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever a callback was stored by this process."""
        self._wakers.append(wake)

    async def receive(self, number: str, callback: Callback, *, request_id: str) -> Reply:
        """Take a callback and answer it in the supplier's own words.

        number: of the attempt that it is about, which is the address we give to suppliers; or of
        the supplier, for those that call one address about everything. What is believed is stored
        before it is answered, and acted on right after. What is not ours is refused without a word
        about why; a forged one gets the supplier's failure answer. Refusals: callback_unknown.
        """
        if _SUPPLIER_NO.fullmatch(number):
            return await self._receive_of_supplier(number, callback, request_id)
        attempt = await self._attempt(number)
        if attempt is None:
            _LOG.warning("callback for no attempt of ours", attempt_no=number[:40])
            raise Refusal("callback_unknown")
        connector = await self._suppliers.connector(attempt.document_id)
        _need_callbacks(connector)
        supplier = await self._suppliers.by_id(attempt.supplier_id)
        try:
            events = self._believed(connector, supplier, callback)
            if any(event.attempt_no != attempt.attempt_no for event in events):
                raise InvalidCallback("it is about another attempt than its address")
        except InvalidCallback as invalid:
            return _refuse(connector, supplier, number, callback, invalid)
        return await self._take(
            connector, callback, [(attempt, event) for event in events], request_id
        )

    async def _receive_of_supplier(
        self, supplier_no: str, callback: Callback, request_id: str
    ) -> Reply:
        """A callback to a supplier's one address: read by the document that it uses now, and what
        it says of an attempt that was made with another version, by that one."""
        try:
            supplier = await self._suppliers.by_no(supplier_no)
        except Refusal:
            raise Refusal("callback_unknown") from None
        connector = await self._suppliers.connector(supplier.document_id)
        _need_callbacks(connector)
        try:
            events = self._believed(connector, supplier, callback)
        except InvalidCallback as invalid:
            return _refuse(connector, supplier, supplier_no, callback, invalid)
        ours = await self._ours(supplier, events)
        for document_id in {attempt.document_id for attempt, _ in ours} - {supplier.document_id}:
            connector = await self._suppliers.connector(document_id)
            try:
                events = self._believed(connector, supplier, callback)
            except InvalidCallback as invalid:
                return _refuse(connector, supplier, supplier_no, callback, invalid)
            others = [told for told in ours if told[0].document_id != document_id]
            again = await self._ours(supplier, events)
            ours = others + [told for told in again if told[0].document_id == document_id]
        return await self._take(connector, callback, ours, request_id)

    async def _ours(
        self, supplier: Supplier, events: tuple[Event, ...]
    ) -> list[tuple[Attempt, Event]]:
        """The events about attempts of ours at a supplier."""
        ours: list[tuple[Attempt, Event]] = []
        for event in events:
            attempt = await self._attempt(event.attempt_no)
            if attempt is None or attempt.supplier_id != supplier.id:
                # The same account may serve others beside us: theirs is none of our business.
                _LOG.info("callback for no attempt of ours", attempt_no=event.attempt_no[:40])
            else:
                ours.append((attempt, event))
        return ours

    async def _attempt(self, attempt_no: str) -> Attempt | None:
        facts = read_number(attempt_no)
        merchant = await self._merchants.by_tag(facts.merchant_tag) if facts else None
        if merchant is None:
            return None
        return await find_attempt(self._store, merchant.id, attempt_no.upper())

    def _believed(
        self, connector: Connector, supplier: Supplier, callback: Callback
    ) -> tuple[Event, ...]:
        return connector.verify(
            callback, supplier.credentials, currency=supplier.currency, now=self._clock.now()
        )

    async def _take(
        self,
        connector: Connector,
        callback: Callback,
        events: list[tuple[Attempt, Event]],
        request_id: str,
    ) -> Reply:
        """Store what a callback tells, and say what the supplier wants to hear of it.

        One that nobody signed is worth no row: it only has the supplier asked a little sooner.
        """
        known = 0
        for attempt, event in events:
            if event.hearsay and not connector.signs_callbacks:
                await self._following.ask_soon(attempt)
            elif await self._is_known(attempt, event):
                known += 1
            else:
                await self._keep(attempt, event, callback, request_id)
        for wake in self._wakers:
            wake()
        return connector.reply("duplicate" if known and known == len(events) else "success")

    async def _is_known(self, attempt: Attempt, event: Event) -> bool:
        """Whether the same was told before. One that waits is acted on now, and so is one that was
        given up: the supplier's trying again is as good as anybody's."""
        found = await self._store.fetchval(
            "UPDATE supplier_callback SET tries = CASE state WHEN 'parked' THEN 0 ELSE tries END,"
            " due_at = CASE state WHEN 'done' THEN due_at ELSE least(due_at, $4) END,"
            " state = CASE state WHEN 'parked' THEN 'waiting' ELSE state END"
            " WHERE merchant_id = $1 AND attempt_no = $2 AND event = $3 RETURNING true",
            attempt.merchant_id,
            attempt.attempt_no,
            _pack(event),
            self._clock.now(),
        )
        return bool(found)

    async def _keep(
        self, attempt: Attempt, event: Event, callback: Callback, request_id: str
    ) -> None:
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
            done = False
            try:
                outcome, done = await self._act(merchant_id, event, request_id)
            except Exception as error:  # noqa: BLE001 (kept, tried again, then parked and told)
                _LOG.exception("callback could not be acted on", tries=tries)
                outcome = repr(error)
            finally:
                structlog.contextvars.unbind_contextvars("request_id")
            await self._end(merchant_id, callback_id, event, tries, outcome, done=done)

    async def _end(
        self,
        merchant_id: UUID,
        callback_id: UUID,
        event: Event,
        tries: int,
        outcome: str,
        *,
        done: bool,
    ) -> None:
        """Write what came of a try; staff are told of one that is given up."""
        state = "done" if done else "parked" if tries >= MAX_TRIES else "waiting"
        gap_s: int = min(RETRY_S * 2 ** min(tries - 1, 16), LONGEST_RETRY_S)
        async with self._store.transaction() as tx:
            ended = await tx.fetchval(
                "UPDATE supplier_callback SET state = $3, outcome = $4, due_at = $5"
                " WHERE merchant_id = $1 AND id = $2 AND state = 'waiting' AND tries = $6"
                " RETURNING true",
                merchant_id,
                callback_id,
                state,
                outcome[:300],
                self._clock.now() + timedelta(seconds=gap_s),
                tries,
            )
            if ended and state == "parked":
                facts = {"attempt_no": event.attempt_no, "upstream_no": event.upstream_no}
                await self._alarm(tx, Say("alarm_callback", {**facts, "tries": tries}))

    async def _act(self, merchant_id: UUID, event: Event, request_id: str) -> tuple[str, bool]:
        """What came of it, and whether there is nothing left to do about it."""
        if event.state == "paid" and event.paid is not None and not event.hearsay:
            settled = await self._settling.settle_payment(
                PaymentSeen(
                    merchant_id, event.attempt_no, event.upstream_no, event.paid, "reported"
                ),
                request_id=request_id,
            )
            return settled.meaning, True
        # Anything but money is not taken on a callback's word: the supplier is asked.
        attempt = await find_attempt(self._store, merchant_id, event.attempt_no)
        if attempt is None:
            raise Refusal("callback_unknown")
        standing = await self._following.ask(
            merchant_id, attempt.order_id, request_id=request_id, attempt_no=event.attempt_no
        )
        # Who said "paid" is asked until it says so again: this may be all that will ever be told.
        unclear = event.state == "paid" and standing.state in ("unknown", "pending", "not_found")
        return f"asked: {standing.state}", not unclear


def _need_callbacks(connector: Connector) -> None:
    if "callback" not in connector.operations:
        raise Refusal("callback_unknown")


def _refuse(
    connector: Connector,
    supplier: Supplier,
    number: str,
    callback: Callback,
    invalid: InvalidCallback,
) -> Reply:
    _LOG.warning(
        "callback not believed",
        number=number,
        supplier_no=supplier.supplier_no,
        why=invalid.why,
        address=callback.address,
    )
    return connector.reply("failure")


def _pack(event: Event) -> dict[str, object]:
    return {
        "attempt_no": event.attempt_no,
        "upstream_no": event.upstream_no,
        "state": event.state,
        "paid_minor": event.paid.minor if event.paid else None,
        "currency": event.paid.currency if event.paid else None,
        "hearsay": event.hearsay,
    }


def _unpack(values: dict[str, object]) -> Event:
    paid_minor, currency = values["paid_minor"], values["currency"]
    paid = Money(int(str(paid_minor)), str(currency)) if paid_minor is not None else None
    state = values["state"]
    if state not in ("paid", "pending", "failed", "closed"):
        raise Bug(f"a stored callback is {state}")
    return Event(
        str(values["attempt_no"]),
        str(values["upstream_no"]),
        state,
        paid,
        hearsay=bool(values["hearsay"]),
    )
