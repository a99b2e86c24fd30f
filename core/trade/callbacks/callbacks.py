"""What is done with a callback: whether it is believed, what is answered, what it is taken for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from core.connectors import Callback, Connector, Event, InvalidCallback, Reply
from core.kernel.errors import Refusal
from core.kernel.ids import read_number
from core.parties.suppliers import Supplier
from core.people.alarms import Alarms, Trouble
from core.supply.market import Market
from core.system import retention
from core.system.district import System
from core.system.lanes import Lane
from core.trade.callbacks.arrivals import Arrival, Arrivals
from core.trade.callbacks.queue import MAX_TRIES, WORDS, CallbackQueue, TakenCallback
from core.trade.callbacks.refused import RefusedCallbacks
from core.trade.callbacks.takes import Takes
from core.trade.orders import Attempt, FollowUp, Order, Payments, Report, Waiting, find_attempt

_LOG = structlog.get_logger(__name__)
_SUPPLIER_NO: Final = re.compile(r"S[0-9]{2,9}", re.ASCII)
# Ops hears of one that fails this many times, which is within a minute of its coming.
TOLD_AFTER: Final = 4
# What is taken of one merchant is acted on for so long: well within its lease.
ACTING: Final = timedelta(seconds=30)
# What is settled together takes no longer, and one by itself hardly ever. None is begun whose lease
# ends sooner.
LONGEST: Final = timedelta(seconds=15)
_SHOWN_CHARS: Final = 200

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AlarmCallback(Trouble):
    """A supplier's callback cannot be acted on. upstream_no, said: may be empty."""

    attempt_no: str
    upstream_no: str
    tries: int
    given_up: bool
    said: str

    @property
    def ends_by_itself(self) -> bool:
        return not self.given_up


class Callbacks:
    """Takes suppliers' callbacks and books what they tell."""

    def __init__(
        self,
        system: System,
        market: Market,
        payments: Payments,
        follow_up: FollowUp,
        alarms: Alarms,
        refused: RefusedCallbacks,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._market = market
        self._payments = payments
        self._follow_up = follow_up
        self._alarms = alarms
        self._refused = refused
        self._arrivals = Arrivals(system.store, payments)
        self._queue = CallbackQueue(system.clock, system.ids)
        self._takes = Takes(system, self._queue)

    def open(self, wake: Callable[[], None]) -> None:
        """This process has hands from now on for what cannot be booked where it comes, which every
        process does. wake: tells them that there is something to do."""
        self._takes.open(wake)

    def look_again(self) -> None:
        """Something may be due that this process was not told itself."""
        self._takes.look_again()

    async def receive(self, number: str, callback: Callback, *, request_id: str) -> Reply:
        """Take a callback and answer it in the supplier's own words.

        number: of the attempt that it is about, which is the address we give to suppliers; or of
        the supplier, for those that call one address about everything. What is believed is stored
        before it is answered, and acted on right after. What is not ours is refused without a word
        about why; a forged one gets the supplier's failure answer. Refusals: callback_unknown.
        """
        if _SUPPLIER_NO.fullmatch(number):
            return await self._receive_of_supplier(number, callback, request_id)
        waiting = await self._waiting(number)
        if waiting is None:
            _LOG.warning("callback for no attempt of ours", attempt_no=number[:40])
            raise Refusal("callback_unknown")
        attempt = waiting.attempt
        connector = await self._market.connector(attempt.document_id)
        _need_callbacks(connector)
        supplier = (await self._market.now()).supplier(attempt.supplier_id)
        try:
            events = self._believed(connector, supplier, callback)
            if any(event.attempt_no != attempt.attempt_no for event in events):
                raise InvalidCallback("it is about another attempt than its address", "attempt")
        except InvalidCallback as invalid:
            return await self._refuse(connector, supplier, callback, invalid, attempt)
        ours = [(waiting, event) for event in events]
        return await self._take(connector, supplier, callback, ours, request_id)

    async def _receive_of_supplier(
        self, supplier_no: str, callback: Callback, request_id: str
    ) -> Reply:
        """A callback to a supplier's one address: read by the document that it uses now, and what
        it says of an attempt that was made with another version, by that one."""
        try:
            supplier = (await self._market.now()).supplier_by_no(supplier_no)
        except Refusal:
            raise Refusal("callback_unknown") from None
        connector = await self._market.connector(supplier.document_id)
        _need_callbacks(connector)
        try:
            events = self._believed(connector, supplier, callback)
        except InvalidCallback as invalid:
            return await self._refuse(connector, supplier, callback, invalid)
        ours = await self._ours(supplier, events)
        documents = {waiting.attempt.document_id for waiting, _ in ours}
        for document_id in documents - {supplier.document_id}:
            connector = await self._market.connector(document_id)
            try:
                events = self._believed(connector, supplier, callback)
            except InvalidCallback as invalid:
                return await self._refuse(connector, supplier, callback, invalid)
            others = [told for told in ours if told[0].attempt.document_id != document_id]
            again = await self._ours(supplier, events)
            ours = others + [told for told in again if told[0].attempt.document_id == document_id]
        return await self._take(connector, supplier, callback, ours, request_id)

    async def _ours(
        self, supplier: Supplier, events: tuple[Event, ...]
    ) -> list[tuple[Waiting, Event]]:
        """The events about attempts of ours at a supplier."""
        ours: list[tuple[Waiting, Event]] = []
        for event in events:
            waiting = await self._waiting(event.attempt_no)
            if waiting is None or waiting.attempt.supplier_id != supplier.id:
                # The same account may serve others beside us: theirs is none of our business.
                _LOG.info("callback for no attempt of ours", attempt_no=event.attempt_no[:40])
            else:
                # Written as we write it, whatever became of its case on the way.
                ours.append((waiting, replace(event, attempt_no=waiting.attempt.attempt_no)))
        return ours

    async def _waiting(self, attempt_no: str) -> Waiting | None:
        """An attempt by its number, with its order."""
        facts = read_number(attempt_no)
        market = await self._market.now()
        merchant = market.merchant_by_tag(facts.merchant_tag) if facts else None
        if merchant is None:
            return None
        return await self._arrivals.find(merchant.id, attempt_no.strip().upper())

    def _believed(
        self, connector: Connector, supplier: Supplier, callback: Callback
    ) -> tuple[Event, ...]:
        return connector.verify(
            callback, supplier.credentials, currency=supplier.currency, now=self._clock.now()
        )

    async def _take(
        self,
        connector: Connector,
        supplier: Supplier,
        callback: Callback,
        events: list[tuple[Waiting, Event]],
        request_id: str,
    ) -> Reply:
        """Book or store what a callback tells, and say what the supplier wants to hear of it.

        One that nobody signed is worth no row: it only has the supplier asked a little sooner.
        """
        known, doubted = 0, not events
        for waiting, event in events:
            if event.hearsay and not connector.signs_callbacks:
                await self._follow_up.ask_soon(waiting.attempt)
                continue
            now, new_id = self._clock.now(), self._ids.uuid7()
            arrival = Arrival(new_id, waiting, event, callback, now, request_id)
            kept = await self._arrivals.book(arrival)
            known += not kept.fresh
            doubted |= kept.doubted
            if kept.waits:
                self._takes.look_again()
        if connector.signs_callbacks and doubted:
            await self._refused.believed(supplier)
        return connector.reply("duplicate" if known and known == len(events) else "success")

    async def _refuse(
        self,
        connector: Connector,
        supplier: Supplier,
        callback: Callback,
        invalid: InvalidCallback,
        attempt: Attempt | None = None,
    ) -> Reply:
        _LOG.warning(
            "callback not believed",
            attempt_no=attempt.attempt_no if attempt else "",
            supplier_no=supplier.supplier_no,
            why=invalid.why,
            address=callback.address,
        )
        if attempt is None:
            named = await self._waiting(invalid.attempt_no)
            if named is not None and named.attempt.supplier_id == supplier.id:
                attempt = named.attempt
        await self._refused.keep(supplier, connector, callback, invalid, attempt)
        return connector.reply("failure")

    async def take_due(self, hands: int) -> Sequence[Job]:
        """Lease what is due, for so many hands at most: one for each merchant and supplier, whose
        callbacks are acted on one by one. Whoever is stuck keeps a few hands, and never all.

        The database is asked only where something may be due there; see `look_again`."""
        taken = await self._takes.due(hands)
        return [self._job(lane, some) for lane, some in taken.items()]

    async def act_due(self, hands: int) -> int:
        """Act on what is due, with so many hands; how many took something."""
        self.look_again()
        jobs = await self.take_due(hands)
        await asyncio.gather(*(job() for job in jobs))
        return len(jobs)

    def _job(self, lane: Lane, some: Sequence[TakenCallback]) -> Job:
        began = self._takes.lanes.begin(lane)

        async def job() -> None:
            stuck = True
            try:
                stuck = not await self._act_on_all(some)
            finally:
                self._takes.lanes.end(lane, began, silent=stuck)

        return job

    async def forget_old(self) -> int:
        """Empty what was acted on long ago of its words; how many. What they meant stays, and
        their digest."""
        before = self._clock.now() - retention.CALLBACK_WORDS
        return await retention.forget_words(self._store, WORDS, before)

    async def _act_on_all(self, some: Sequence[TakenCallback]) -> bool:
        """The ordinary payments together, the others one by one, for ACTING at most, and none whose
        lease is nearly over; the rest is given back. Whether all went well."""
        now, well = self._clock.now(), True
        if late := [told for told in some if told.until <= now + LONGEST]:
            await self._give_back(late)
            some = [told for told in some if told.until > now + LONGEST]
        ends_at = min((now + ACTING, *(told.until - LONGEST for told in some)))
        left = await self._settle_together(some)
        for place, told in enumerate(left):
            if (place or len(left) < len(some)) and self._clock.now() >= ends_at:
                await self._give_back(left[place:])
                break
            well &= await self._act_on(told)
        return well

    async def _give_back(self, some: Sequence[TakenCallback]) -> None:
        await self._queue.give_back(self._store, some)
        self._takes.look_again()

    async def _settle_together(self, some: Sequence[TakenCallback]) -> Sequence[TakenCallback]:
        """Settle what is ordinary of one merchant's; what is left, in its order. What a supplier
        is to be asked about goes before the later words about the same order."""
        together: dict[int, Report] = {}
        asked_about: set[datetime] = set()
        for place, told in enumerate(some):
            created_at = told.order_created_at
            if told.payment is None or told.tries > 1:
                asked_about.add(created_at)
            elif created_at not in asked_about:
                together[place] = Report(told.payment, told.request_id, told.id, told.held.turn)
        if not together:
            return some
        merchant_id = some[0].merchant_id

        async def settle() -> Sequence[Order | None]:
            self._store.called_by(merchant_id)
            return await self._payments.settle_payments(merchant_id, list(together.values()))

        try:
            settled = await self._store.in_time(settle(), LONGEST.total_seconds())
        except Exception as error:  # noqa: BLE001 (each is acted on by itself, and says what is wrong)
            _LOG.warning(
                "payments were not booked together", count=len(together), error=repr(error)
            )
            return some
        done = {place for place, one in zip(together, settled, strict=True) if one is not None}
        return [told for place, told in enumerate(some) if place not in done]

    async def _act_on(self, told: TakenCallback) -> bool:
        structlog.contextvars.bind_contextvars(request_id=told.request_id)
        outcome, done, failed = "", False, False
        try:
            with self._store.called(by=told.merchant_id):
                outcome, done = await self._act(told)
        except Exception as error:  # noqa: BLE001 (kept, tried again, told, then parked)
            _LOG.exception("callback could not be acted on", tries=told.tries)
            outcome, failed = repr(error), True
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        await self._end(told, outcome, done=done, failed=failed)
        return not failed

    async def _end(self, told: TakenCallback, outcome: str, *, done: bool, failed: bool) -> None:
        """Write what came of a try. Staff hear of one that fails again and again, of one that is
        given up, and of its end."""
        tries, attempt_no = told.tries, told.event.attempt_no
        given_up = not done and tries >= MAX_TRIES
        write = self._queue.finish if done else self._queue.put_off
        async with self._store.transaction() as tx:
            if not await write(tx, told, outcome):
                return
            if done and tries > 1:
                await self._alarms.end(tx, AlarmCallback, attempt_no)
            elif given_up or (failed and tries >= TOLD_AFTER):
                trouble = AlarmCallback(
                    attempt_no=attempt_no,
                    upstream_no=told.event.upstream_no,
                    tries=tries,
                    given_up=given_up,
                    said=outcome[:_SHOWN_CHARS] if failed else "",
                )
                await self._alarms.sound(tx, trouble, attempt_no)

    async def _act(self, told: TakenCallback) -> tuple[str, bool]:
        """What came of it, and whether there is nothing left to do about it."""
        merchant_id, event = told.merchant_id, told.event
        if told.payment is not None:
            settled = await self._payments.settle_payment(told.payment, request_id=told.request_id)
            return settled.meaning, True
        # Anything but money is not taken on a callback's word: the supplier is asked.
        attempt = await find_attempt(self._store, merchant_id, event.attempt_no)
        if attempt is None:
            raise Refusal("callback_unknown")
        standing = await self._follow_up.ask(
            merchant_id, attempt.order_id, request_id=told.request_id, attempt_no=event.attempt_no
        )
        # Who said "paid" is asked until it says so again: this may be all that will ever be told.
        unclear = event.state == "paid" and standing.state in ("unknown", "pending", "not_found")
        return f"asked: {standing.state}", not unclear


def _need_callbacks(connector: Connector) -> None:
    if "callback" not in connector.operations:
        raise Refusal("callback_unknown")
