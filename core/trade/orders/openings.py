"""Opening an order: decided by what is known, then written at once with its first attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.books import BusinessDay
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.parties.merchants import App
from core.system.pool import POOL_WAIT_S
from core.system.store import LOCK_WAIT_S
from core.trade.booking_tools import TradeBooks
from core.trade.orders.decisions import OpenOrder
from core.trade.orders.drafts import Draft, Step, accepted_draft, new_attempt, new_order, sent_draft
from core.trade.orders.moves import FIRST_LOOK
from core.trade.orders.new_orders import NewOrders, Written
from core.trade.orders.placements import CREDIT_LINE_REACHED, KeyTurn, Placement, Placements
from core.trade.orders.supplier_calls import LONGEST_CALL, SupplierCalls

# From the instant at which an attempt says that it is sent: its write waits for a connection, and
# for its merchant's day. One that waited longer is not sent any more.
LONGEST_WAIT: Final = timedelta(seconds=POOL_WAIT_S + LOCK_WAIT_S + 2.0)
# An attempt that is asked about is not still being sent.
FIRST_QUESTION: Final = LONGEST_WAIT + LONGEST_CALL + timedelta(seconds=2)
_TRIES: Final = 5


class Openings:
    """Decides what a new order is, and writes it.

    What is decided by may be over when it is written: the write looks at it again, and what is
    found to be otherwise is decided anew.
    """

    def __init__(
        self,
        clock: Clock,
        books: TradeBooks,
        placements: Placements,
        supplier_calls: SupplierCalls,
        new_orders: NewOrders,
    ) -> None:
        self._clock = clock
        self._ids = books.ids
        self._open_days = books.ledger.open_days
        self._market = books.market
        self._placements = placements
        self._supplier_calls = supplier_calls
        self._new_orders = new_orders

    async def open(
        self, app: App, wanted: OpenOrder, key_turn: KeyTurn, *, request_id: str
    ) -> Draft | None:
        """The new order as it is written now: pending, where the supplier needs no call of ours;
        else with an attempt that is sent, so that a crash from now on is known to be a doubt.
        None: another order has the number. app: as its call found it; what counts is how it stands
        when the order is written. Refusals: as of `Creation.open`. Raises TimeoutError where what
        it is decided by changes faster than it is written: a later call may do better."""
        for _ in range(_TRIES):
            market = await self._market.now()
            app = market.app_by_key(app.key_id)
            day = await self._open_days.now(app.merchant.id)
            attempt_no = self._ids.number("attempt", app.mode, app.merchant.tag, at=day.at)
            draft, written = None, None
            try:
                place = await self._placements.take(market, app, wanted, key_turn, day, attempt_no)
                if isinstance(place, Placement):
                    draft = await self._draft(
                        place, wanted, day, key_turn, attempt_no, request_id=request_id
                    )
                    written = await self._new_orders.write(draft, key_turn.former)
                else:
                    written = Written(place)
            finally:
                if written is not None and written.said == "opened":
                    self._placements.kept(attempt_no)
                else:
                    await self._placements.given_back(app.merchant.id, attempt_no)
            match written.said:
                case "opened":
                    return draft
                case "taken":
                    return None
                case "credit":
                    raise Refusal(CREDIT_LINE_REACHED)
                case "stale":
                    await self._market.reload()
                case "day":
                    self._open_days.seen(app.merchant.id, written.open_day)
        raise TimeoutError(
            f"an order of {app.merchant.merchant_no} was decided in vain {_TRIES} times"
        )

    async def _draft(
        self,
        place: Placement,
        wanted: OpenOrder,
        day: BusinessDay,
        key_turn: KeyTurn,
        attempt_no: str,
        *,
        request_id: str,
    ) -> Draft:
        app = place.app
        order = new_order(
            app,
            wanted,
            place.terms,
            order_id=self._ids.uuid7(day.at),
            order_no=self._ids.number("order", app.mode, app.merchant.tag, at=day.at),
            attempt_no=attempt_no,
            created_day=day.day,
        )
        # Nothing of an order is before it: what is rolled up lies behind them both.
        now = max(self._clock.now(), order.created_at)
        attempt = new_attempt(
            order, place.channel, attempt_no, seq=1, at=now, reasons=place.reasons
        )
        draft = sent_draft(
            order,
            attempt,
            app,
            Step(now, now + FIRST_QUESTION),
            key_turn=key_turn.number,
            market_version=place.market.version,
            request_id=request_id,
            asker=wanted.asker,
        )
        pay = await self._supplier_calls.handed_over(draft.order, draft.attempt)
        if pay is None:
            return draft
        return accepted_draft(draft, pay, Step(now, now + FIRST_LOOK), request_id=request_id)
