"""Refunds at suppliers: sent, asked about, and followed until they end or wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import structlog

from core.books import BusinessDay, Ledger
from core.connectors import HttpRequest
from core.kernel.errors import Bug
from core.parties.district import Parties
from core.parties.suppliers import CallAbout
from core.people.alarms import Alarms
from core.system.district import System
from core.system.gateway import MayHaveHappened, NeverSent
from core.system.store import Tx
from core.trade.orders import (
    LONGEST_CALL,
    TIMEOUTS,
    Attempt,
    SupplierCalls,
    get_attempts,
    get_order,
    named,
    side_by_side,
)
from core.trade.refunds.answers import (
    AlarmReason,
    Heard,
    Offers,
    Step,
    after_asking,
    after_release,
    after_sending,
)
from core.trade.refunds.decisions import COST_RETURNED
from core.trade.refunds.moves import move_refund, note_refund
from core.trade.refunds.notices import AlarmRefund
from core.trade.refunds.peer import Peer
from core.trade.refunds.refunds import Refunds
from core.trade.refunds.rows import LockedRefund, Refund, get_refund, lock_refund, read_refund

_LOG = structlog.get_logger(__name__)

# Longer than asking, and sending again, may take, and as long again for all the rest; who died
# with a claim is followed by the next.
LEASE: Final = 4 * LONGEST_CALL
_SAID_CHARS: Final = 300

Operation = Literal["refund", "refund_query"]


class RefundDispatch:
    """Has suppliers give back what `Refunds` reserved, and books how that ended."""

    def __init__(
        self,
        system: System,
        ledger: Ledger,
        parties: Parties,
        supplier_calls: SupplierCalls,
        refunds: Refunds,
        alarms: Alarms,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._ledger = ledger
        self._suppliers = parties.suppliers
        self._calls = parties.calls
        self._supplier_calls = supplier_calls
        self._refunds = refunds
        self._alarms = alarms

    async def begin(self, merchant_id: UUID, refund_id: UUID) -> Refund:
        """Ask the supplier to give a refund's money back, now; the refund as it stands then.

        One that was begun is left to the timetable: nothing is sent twice by saying it twice.
        Refusals: record_not_found.
        """
        refund = await get_refund(self._store, merchant_id, refund_id)
        if refund.state == "created":
            await self._send(await self._peer(refund), refund)
        return await get_refund(self._store, merchant_id, refund_id)

    async def takes_refunds(self, attempt: Attempt) -> bool:
        """Whether the attempt's supplier gives money back by itself, when it is asked."""
        return "refund" in (await self._suppliers.connector(attempt.document_id)).operations

    async def follow_due(self, batch: int) -> int:
        """See to refunds whose time has come; how many there were. For the timetable."""

        async def claim(count: int) -> list[Refund]:
            now = self._clock.now()
            rows = await self._store.fetch(_CLAIM, now, now + LEASE, count)
            return [read_refund(row) for row in rows]

        return await side_by_side(batch, claim, self._follow)

    async def _follow(self, refund: Refund) -> None:
        peer = await self._peer(refund)
        if refund.state == "created":
            await self._send(peer, refund)
            return
        crashed = refund.state == "sent"
        if crashed:  # the process died, or still waits: what became of the call is not known
            await self._take(peer, refund, "refund", Heard("unknown", "no answer was kept"))
            refund = await get_refund(self._store, refund.merchant_id, refund.id)
            if refund.state != "unknown":
                return
        offers = peer.offers(refund, self._clock.now())
        if offers.resends(refund) and (crashed or not offers.query):
            await self._send(peer, refund)
        elif offers.query:
            heard = await self._call(peer, refund, "refund_query")
            await self._take(peer, refund, "refund_query", heard)
        elif not crashed:  # an answer that came late had it looked at again: that ends as well
            await self._take(peer, refund, "refund_query", Heard("unknown", refund.said))

    async def _send(self, peer: Peer, seen: Refund) -> None:
        """Send one that is as it was seen: the mark is committed first, then it is called."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            locked = await lock_refund(tx, seen.merchant_id, seen.id)
            refund = locked.refund
            if (refund.state, refund.sends) != (seen.state, seen.sends):
                return  # somebody else sent it, or it ended
            if not peer.offers(refund, now).refund:
                await self._move(tx, locked, Step("hand", refund.asked, tell="manual"), "", now)
                return
            sent = await move_refund(
                tx,
                self._ids,
                refund,
                "send",
                at=now,
                facts={"supplier_no": peer.supplier.supplier_no},
                changes={
                    "sends": refund.sends + 1,
                    "sent_again": refund.sent_again or refund.state == "unknown",
                    "ask_at": now + LEASE,
                    "not_found_at": None,
                },
            )
        await self._take(peer, sent, "refund", await self._call(peer, sent, "refund"))

    async def _call(self, peer: Peer, refund: Refund, operation: Operation) -> Heard:
        connector, supplier = peer.connector, peer.supplier
        facts = peer.facts_of(refund)

        def build(*, now: datetime, nonce: str, resources: Mapping[str, str]) -> HttpRequest:
            try:
                return connector.build(
                    operation,
                    facts,
                    supplier.credentials,
                    now=now,
                    nonce=nonce,
                    resources=resources,
                )
            except Bug as bug:
                _LOG.exception("refund not built", sent_no=refund.sent_no)
                raise NeverSent(str(bug)) from bug

        about = CallAbout(refund.merchant_id, refund.attempt_no, refund.refund_no)
        try:
            answer = await self._calls.send(
                supplier, connector, operation, build, timeouts=TIMEOUTS, about=about
            )
        except NeverSent as error:
            return Heard("never_sent", error.why)
        except MayHaveHappened as error:
            return Heard("unknown", error.why)
        now = self._clock.now()
        return Heard.of(
            connector.read_refund(operation, answer, facts, supplier.credentials, now=now)
        )

    async def _take(self, peer: Peer, seen: Refund, operation: Operation, heard: Heard) -> None:
        """Decide by how the refund stands now, and book it: in one transaction.

        seen: the refund when it was called about.
        """

        async def work(tx: Tx, day: BusinessDay) -> Refund | None:
            locked = await lock_refund(tx, seen.merchant_id, seen.id)
            refund, now = locked.refund, self._clock.now()
            known = replace(
                refund, upstream_refund_no=heard.upstream_refund_no or refund.upstream_refund_no
            )
            offers = peer.offers(known, now)
            if refund.ended:
                return await self._take_of_ended(tx, locked, heard, offers, seen)
            if operation == "refund":
                step = after_sending(refund, heard, offers)
            elif refund.sends != seen.sends and heard.state != "succeeded":
                return None  # it was sent again meanwhile: this is about the call before
            else:
                step = after_asking(refund, heard, offers, now)
            changes: dict[str, object] = {
                "said": heard.said[:_SAID_CHARS],
                "upstream_refund_no": known.upstream_refund_no,
            }
            match step.move:
                case "settle":
                    await self._refunds.settle_locked(
                        tx, day, locked, cost_returned=COST_RETURNED, changes=changes
                    )
                case "release":
                    why = heard.said or "the supplier refused the refund"
                    await self._refunds.release_locked(tx, day, locked, why, changes=changes)
                case "send":
                    return refund
                case _:
                    await self._move(tx, locked, step, heard.said, now, changes)
            return None

        again = await self._ledger.in_open_day(seen.merchant_id, work)
        _LOG.info(
            "refund answered",
            sent_no=seen.sent_no,
            operation=operation,
            state=heard.state,
            said=heard.said[:_SAID_CHARS],
        )
        if again is not None and again.ended:
            await self._settle_late(again, heard)
        elif again is not None:
            await self._send(peer, again)

    async def _take_of_ended(
        self, tx: Tx, locked: LockedRefund, heard: Heard, offers: Offers, seen: Refund
    ) -> Refund | None:
        """What comes after the end. Returns the refund where it failed and has succeeded. One that
        succeeded cannot fail: that contradicts, is told at once, and books nothing."""
        refund = locked.refund
        if refund.state == "failed" and heard.state == "succeeded":
            return refund
        if seen.ended and refund.state == "failed":
            wait = after_release(refund) if offers.query else None
            ask_at = None if wait is None else self._clock.now() + wait
            await note_refund(tx, refund, {"asked": refund.asked + 1, "ask_at": ask_at})
            return None
        if (refund.state, heard.state) == ("succeeded", "failed") and locked.order.mode == "live":
            await self._sound(tx, locked, "contradicts", heard.said)
        _LOG.warning("answer to a refund that ended", sent_no=refund.sent_no, heard=heard)
        return None

    async def _settle_late(self, refund: Refund, heard: Heard) -> None:
        """Book what the supplier gave back after all, and tell staff at once."""

        async def told(tx: Tx, locked: LockedRefund) -> None:
            if locked.order.mode == "live":
                why: AlarmReason = "late_disputed" if locked.order.disputed else "late"
                await self._sound(tx, locked, why, heard.said)

        changes: dict[str, object] = {"said": heard.said[:_SAID_CHARS]}
        if heard.upstream_refund_no:
            changes["upstream_refund_no"] = heard.upstream_refund_no
        await self._refunds.settle_late(
            refund.merchant_id, refund.id, cost_returned=COST_RETURNED, changes=changes, told=told
        )

    async def _move(
        self,
        tx: Tx,
        locked: LockedRefund,
        step: Step,
        said: str,
        now: datetime,
        heard: dict[str, object] | None = None,
    ) -> None:
        """A step that ends nothing. Staff are told once, and of a test's refund not at all."""
        refund = locked.refund
        changes: dict[str, object] = {
            **(heard or {}),
            "asked": step.asked,
            "ask_at": now + step.ask_in if step.ask_in is not None else None,
            "not_found_at": step.not_found_at,
        }
        if step.tell and refund.told_at is None:
            changes["told_at"] = now
            if locked.order.mode == "live":
                await self._sound(tx, locked, step.tell, said)
        if not step.move:
            await note_refund(tx, refund, changes)
            return
        await move_refund(
            tx,
            self._ids,
            refund,
            step.move,
            at=now,
            facts={"said": said[:_SAID_CHARS]},
            changes=changes,
        )

    async def _sound(self, tx: Tx, locked: LockedRefund, why: AlarmReason, said: str) -> None:
        refund = locked.refund
        trouble = AlarmRefund(
            merchant_id=refund.merchant_id,
            refund_id=refund.id,
            why=why,
            order_no=refund.order_no,
            refund_no=refund.refund_no,
            sent_no=refund.sent_no,
            supplier_no=locked.attempt.supplier_no,
            minor=refund.amount.minor,
            currency=refund.amount.currency,
            said=said[:_SAID_CHARS],
        )
        await self._alarms.sound(tx, trouble, str(refund.id))

    async def _peer(self, refund: Refund) -> Peer:
        """Whom a refund is asked of: by the document that its attempt was made with."""
        order = await get_order(self._store, refund.merchant_id, refund.order_id)
        attempts = await get_attempts(self._store, refund.merchant_id, refund.order_id)
        attempt = named(attempts, refund.attempt_no)
        connector = await self._suppliers.connector(attempt.document_id)
        supplier = await self._suppliers.by_id(attempt.supplier_id)
        facts = await self._supplier_calls.facts(order, attempt)
        return Peer(order, facts, supplier, connector)


# Whether a refund may have to be seen to, for the look at all queues. $1: now.
REFUNDS_DUE: Final = "EXISTS (SELECT FROM refund WHERE ask_at <= $1)"
_CLAIM: Final = """
UPDATE refund r SET ask_at = $2 FROM (
    SELECT merchant_id, id FROM refund WHERE ask_at <= $1
    ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED
) due
WHERE r.merchant_id = due.merchant_id AND r.id = due.id
RETURNING r.*
"""
