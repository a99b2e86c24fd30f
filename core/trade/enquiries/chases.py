"""Enquiries that nobody answers: the supplier is reminded, and ops is told at last."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.delivery.outbox import Say
from core.people.groups import Groups
from core.system.district import System
from core.system.store import Tx
from core.trade.enquiries import rows
from core.trade.enquiries.enquiries import Enquiries
from core.trade.enquiries.model import KEEPER, Enquiry, read_enquiry
from core.trade.enquiries.notices import EnquiryUnanswered

# Reminded so often in vain, a supplier is left to ops.
MAX_CHASES: Final = 2
# What was asked so long ago is forgotten; a reply to it goes nowhere.
KEPT: Final = timedelta(days=30)
# $1: now. Whether a supplier is to be reminded.
ENQUIRIES_DUE: Final = "EXISTS (SELECT FROM enquiry WHERE chase_at <= $1)"


class Chases:
    """Looks after what waits for its answer."""

    def __init__(self, system: System, groups: Groups, enquiries: Enquiries) -> None:
        self._store = system.store
        self._clock = system.clock
        self._groups = groups
        self._enquiries = enquiries

    async def chase_due(self, most: int) -> int:
        """Remind suppliers of what they did not answer in time, or tell ops where that was in vain;
        how many enquiries those are."""
        async with self._store.transaction() as tx:
            found = await tx.fetch(_DUE, self._clock.now(), most)
            for row in found:
                await self._chase(tx, read_enquiry(row))
        return len(found)

    async def forget_old(self) -> int:
        """Drop what was asked long ago; how many."""
        return await self._store.execute(
            "DELETE FROM enquiry WHERE asked_at < $1", self._clock.now() - KEPT
        )

    async def _chase(self, tx: Tx, enquiry: Enquiry) -> None:
        """In the groups that are not quiet; where all of them are, once the first is so no more."""
        now = self._clock.now()
        loud, over_at = await rows.hear(tx, enquiry.supplier_id, now)
        if not loud and over_at is None:
            # Its groups were taken off meanwhile: nobody there hears anything, or failed to answer.
            await self._enquiries.tell_unbound(tx, enquiry)
            await rows.change(tx, enquiry.id, {"chase_at": None, "escalated_at": None})
            return
        if enquiry.chases >= MAX_CHASES:
            await self._escalate(tx, enquiry)
            return
        if not loud:
            await rows.change(tx, enquiry.id, {"chase_at": over_at})
            return
        chase_at = now + await self._enquiries.wait(tx)
        await rows.change(tx, enquiry.id, {"chases": enquiry.chases + 1, "chase_at": chase_at})
        await self._enquiries.remind(tx, enquiry, loud)

    async def _escalate(self, tx: Tx, enquiry: Enquiry) -> None:
        now = self._clock.now()
        numbers = await rows.numbers(tx, enquiry)
        if numbers is not None:
            unanswered = EnquiryUnanswered(
                enquiry.id,
                numbers["order_no"],
                enquiry.attempt_no,
                numbers["merchant_no"],
                numbers["supplier_no"],
                int((now - enquiry.asked_at).total_seconds() // 60),
                enquiry.chases,
            )
            ref = f"passed:{enquiry.id}:escalated:{now.isoformat()}"
            told = Say(unanswered, remember="copy", keeper=KEEPER, ref=ref)
            await self._groups.tell_ops(tx, told)
        await rows.change(tx, enquiry.id, {"escalated_at": now, "chase_at": None})


_DUE: Final = """
SELECT * FROM enquiry WHERE chase_at <= $1 ORDER BY chase_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
