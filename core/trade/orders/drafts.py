"""A fresh order and a fresh attempt, as they are going to be written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from core.kernel.ids import month_of, read_number, uuid7_time
from core.kernel.money import Rate
from core.parties.merchants import App
from core.supply.channels import Channel, Reason
from core.trade.orders.decisions import OpenOrder
from core.trade.orders.rows import Attempt, Order, Terms


class OtherMonth(Exception):
    """An attempt has a number of another month than its order, which is created at `at`."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"its order is created at {at}")
        self.at = at


def new_order(
    app: App,
    wanted: OpenOrder,
    *,
    order_id: UUID,
    order_no: str,
    created_day: date,
    rate: Rate,
    tariff_id: UUID,
) -> Order:
    """A fresh order in its first state; nothing is written. order_id: it says when."""
    created_at = uuid7_time(order_id)
    return Order(
        merchant_id=app.merchant.id,
        id=order_id,
        created_at=created_at,
        order_no=order_no,
        app_id=app.id,
        mode=app.mode,
        merchant_order_no=wanted.merchant_order_no,
        terms=Terms(wanted.product, rate, tariff_id, rate.of(wanted.amount.minor)),
        amount=wanted.amount,
        subject=wanted.subject,
        notify_url=wanted.notify_url,
        return_url=wanted.return_url,
        client_ip=wanted.client_ip,
        payer_id=wanted.payer_id,
        metadata=dict(wanted.metadata),
        state="created",
        version=1,
        live_attempt_no=None,
        cost_minor=None,
        paid_attempt_no=None,
        paid_how=None,
        paid_late=False,
        supplier_open=False,
        disputed=False,
        created_day=created_day,
        expires_at=created_at + timedelta(seconds=wanted.expires_in_s),
        paid_at=None,
        paid_day=None,
    )


def new_attempt(
    order: Order,
    channel: Channel,
    attempt_no: str,
    *,
    seq: int,
    at: datetime,
    reasons: tuple[Reason, ...],
) -> Attempt:
    """A fresh attempt in its first state; nothing is written. reasons: why not on others. Raises
    OtherMonth where its number does not say the order's month, in which it is looked for."""
    facts = read_number(attempt_no)
    if facts is None or facts.month != month_of(order.created_at):
        raise OtherMonth(order.created_at)
    return Attempt(
        merchant_id=order.merchant_id,
        attempt_no=attempt_no,
        order_id=order.id,
        seq=seq,
        supplier_id=channel.supplier_id,
        supplier_no=channel.supplier_no,
        channel_id=channel.id,
        channel_no=channel.channel_no,
        channel_day=channel.today,
        document_id=channel.document_id,
        supplier_code=channel.supplier_code,
        amount=order.amount,
        cost=channel.cost,
        state="created",
        upstream_no=None,
        pay=None,
        said="",
        created_at=at,
        sent_at=None,
        asked=0,
        not_found_at=None,
        reasons=reasons,
    )
