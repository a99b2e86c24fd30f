"""What became of an order at suppliers: why it went where it went, every call about it, and what
came back that was not believed.

For staff among themselves: who asks has the right to see channels.
"""

from __future__ import annotations

from typing import Final

from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.people.actors import Actor
from core.reports.exports import Paper
from core.runtime import Runtime
from core.system.retention import SUPPLIER_CALLS
from core.trade.callbacks import SIGNED, RefusedCallback
from core.trade.orders import Order, get_attempts
from handlers.kit.context import say

# More calls than these are in the file alone.
SHOWN_CALLS: Final = 12


async def tell_why(runtime: Runtime, actor: Actor, order: Order, reply_to: int) -> None:
    """Each attempt with its channel, and why it was none of the others."""
    lines: list[dict[str, object]] = []
    for attempt in await get_attempts(runtime.system.store, order.merchant_id, order.id):
        lines.append(
            {
                "seq": attempt.seq,
                "channel_no": attempt.channel_no,
                "supplier_no": attempt.supplier_no,
                "state": attempt.state,
                "said": attempt.said,
                "reason": "",
            }
        )
        lines += [{"seq": 0, "reason": str(reason)} for reason in attempt.reasons]
    product_code = order.terms.product_code if order.terms else ""
    facts = {"order_no": order.order_no, "product_code": product_code, "lines": lines}
    await say(runtime, actor, "order_why", facts, reply_to)


async def tell_calls(runtime: Runtime, actor: Actor, order: Order, reply_to: int) -> None:
    """The calls in short, and in full as a file; then the callbacks that were refused."""
    log = await runtime.reports.exports.calls(order.merchant_id, order.id)
    age = runtime.system.clock.now() - order.created_at
    if log.calls:
        paper = Paper(
            "calls", "m", order.merchant_id, Days.one(order.created_day), order_id=order.id
        )
        await runtime.reports.exports.ask(actor, [paper], reply_to=reply_to)
    facts = {
        "order_no": log.order_no,
        "zone": log.zone,
        "earlier": max(0, len(log.calls) - SHOWN_CALLS),
        # An order that is older may have had calls that are not there any more.
        "kept_days": SUPPLIER_CALLS.days if age > SUPPLIER_CALLS else 0,
        "lines": [
            {
                "at": call.at.isoformat(),
                "operation": call.operation,
                "status": call.status or 0,
                "outcome": call.outcome,
                "why": call.why,
                "took_ms": call.took_ms,
            }
            for call in log.calls[-SHOWN_CALLS:]
        ],
    }
    await say(runtime, actor, "order_log", facts, reply_to)
    attempts = await get_attempts(runtime.system.store, order.merchant_id, order.id)
    refused = await runtime.trade.refused_callbacks.of_attempts(
        order.merchant_id, [attempt.attempt_no for attempt in attempts]
    )
    if refused:
        await tell_refused(runtime, actor, refused, reply_to, order_no=order.order_no)


async def tell_refused(
    runtime: Runtime,
    actor: Actor,
    refused: list[RefusedCallback],
    reply_to: int,
    *,
    order_no: str = "",
    supplier_no: str = "",
) -> None:
    """Callbacks that were refused: when, from where, why, and what they say. order_no,
    supplier_no: whose they are."""
    facts = {
        "order_no": order_no,
        "supplier_no": supplier_no,
        "zone": (await runtime.ledger.calendar.cut_of(HOUSE)).zone,
        "lines": [
            {
                "at": one.at.isoformat(),
                "supplier_no": one.supplier_no,
                "address": one.address,
                "reason": one.reason,
                "why": one.why,
                "signed": one.reason in SIGNED,
                "said": one.said,
            }
            for one in refused
        ],
    }
    await say(runtime, actor, "refused_callbacks", facts, reply_to)
