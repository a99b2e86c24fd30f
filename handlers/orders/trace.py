"""What became of an order at suppliers: why it went where it went, every call about it, and what
came back that was not believed.

For staff among themselves: who asks has the right to see channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.books import Ledger
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.reports.district import Reports
from core.reports.exports import Paper
from core.system.retention import SUPPLIER_CALLS
from core.trade.callbacks import RefusedCallback
from core.trade.district import Trade
from core.trade.orders import Order
from handlers.kit.chat import Chat
from handlers.orders.screens import CallLine, OrderLog, OrderWhy, RefusedCallbacksNotice, WhyLine

# More calls than these are in the file alone.
SHOWN_CALLS: Final = 12


async def tell_why(chat: Chat, order: Order, trade: Trade) -> None:
    """Each attempt with its channel, and why it was none of the others."""
    lines: list[WhyLine] = []
    for attempt in await trade.lookups.attempts(order):
        lines.append(
            WhyLine(
                seq=attempt.seq,
                channel_no=attempt.channel_no,
                supplier_no=attempt.supplier_no,
                state=attempt.state,
                said=attempt.said,
            )
        )
        lines += [WhyLine(reason=str(reason)) for reason in attempt.reasons]
    product_code = order.terms.product_code if order.terms else ""
    await chat.say(OrderWhy(order.order_no, product_code, tuple(lines)))


async def tell_calls(
    chat: Chat, order: Order, now: datetime, trade: Trade, reports: Reports, ledger: Ledger
) -> None:
    """The calls in short, and in full as a file; then the callbacks that were refused."""
    log = await reports.exports.calls(order.merchant_id, order.id)
    if log.calls:
        day = Days.one(order.created_day)
        paper = Paper("calls", "m", order.merchant_id, day, order_id=order.id)
        await reports.exports.ask(chat.actor, [paper], reply_to=chat.message_id)
    lines = tuple(
        CallLine(
            at=call.at,
            operation=call.operation,
            status=call.status or 0,
            outcome=call.outcome,
            why=call.why,
            took_ms=call.took_ms,
        )
        for call in log.calls[-SHOWN_CALLS:]
    )
    earlier = max(0, len(log.calls) - SHOWN_CALLS)
    # An order that is older may have had calls that are not there any more.
    kept_days = SUPPLIER_CALLS.days if now - order.created_at > SUPPLIER_CALLS else 0
    await chat.say(OrderLog(log.order_no, log.zone, earlier, kept_days, lines))
    refused = await trade.refused_callbacks.of_attempts(
        order.merchant_id, [attempt.attempt_no for attempt in await trade.lookups.attempts(order)]
    )
    if refused:
        await tell_refused(chat, refused, ledger, order_no=order.order_no)


async def tell_refused(
    chat: Chat,
    refused: Sequence[RefusedCallback],
    ledger: Ledger,
    *,
    order_no: str = "",
    supplier_no: str = "",
) -> None:
    """Callbacks that were refused: when, from where, why, and what they say. order_no,
    supplier_no: whose they are."""
    zone = (await ledger.calendar.cut_of(HOUSE)).zone
    await chat.say(RefusedCallbacksNotice(order_no, supplier_no, zone, tuple(refused)))
