"""A fresh order and a fresh attempt, as they are going to be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.connectors import Pay
from core.kernel.errors import Bug
from core.kernel.ids import month_of, read_number, uuid7_time
from core.parties.merchants import App
from core.supply.channels import Channel, Reason
from core.trade.orders.decisions import OpenOrder
from core.trade.orders.lifecycle import attempt_after, order_after
from core.trade.orders.rows import Attempt, Order, Terms


@dataclass(frozen=True, slots=True)
class Move:
    """A row of a history. state_from: None where it begins. actor: of an order's move; the moves
    of attempts have none."""

    name: str
    state_from: str | None
    state_to: str
    at: datetime
    facts: dict[str, Any]
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is going to be written with its first attempt, and the moves that brought both
    so far. key_turn: of its number, see `Key`. market_version: of the snapshot that it was decided
    by. line_minor: the credit line that holds for it; None: none does."""

    order: Order
    attempt: Attempt
    key_turn: int
    market_version: int
    line_minor: int | None
    order_moves: tuple[Move, ...]
    attempt_moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """When an attempt made a move, and when its supplier is asked about it after that."""

    at: datetime
    ask_at: datetime


def sent_draft(
    order: Order,
    attempt: Attempt,
    app: App,
    step: Step,
    *,
    key_turn: int,
    market_version: int,
    request_id: str,
    asker: str = "",
) -> Draft:
    """An order whose attempt is on its way to the supplier. order, attempt: as they were made.
    asker: as in `OpenOrder`."""
    opened = Move(
        "open", None, order.state, order.created_at, {"request_id": request_id},
        actor=asker or f"api:{app.key_id}",
    )  # fmt: skip
    reasons = {"reasons": [reason.pack() for reason in attempt.reasons]}
    created = Move("create", None, attempt.state, attempt.created_at, reasons)
    send = _move(attempt_after, attempt.state, "send", step.at, {})
    return Draft(
        order=order,
        attempt=replace(attempt, state=send.state_to, sent_at=step.at, ask_at=step.ask_at),
        key_turn=key_turn,
        market_version=market_version,
        line_minor=line_minor_of(app),
        order_moves=(opened,),
        attempt_moves=(created, send),
    )


def accepted_draft(draft: Draft, pay: Pay, step: Step, *, request_id: str) -> Draft:
    """The same after a supplier that needs no call: the payer takes `pay` there."""
    order, attempt = draft.order, draft.attempt
    facts = {"upstream_no": None, "request_id": request_id}
    actor = f"supplier:{attempt.supplier_no}"
    pends = _move(order_after, order.state, "accept", step.at, facts, actor)
    accept = _move(attempt_after, attempt.state, "accept", step.at, facts)
    return Draft(
        order=replace(order, state=pends.state_to, version=order.version + 1),
        attempt=replace(attempt, state=accept.state_to, pay=pay, ask_at=step.ask_at),
        key_turn=draft.key_turn,
        market_version=draft.market_version,
        line_minor=draft.line_minor,
        order_moves=(*draft.order_moves, pends),
        attempt_moves=(*draft.attempt_moves, accept),
    )


def line_minor_of(app: App) -> int | None:
    """The credit line that holds for an app's orders: nothing is advanced for test orders."""
    return app.merchant.credit_line_minor if app.mode == "live" else None


def _move(
    after: Callable[[str, str], str | None],
    state: str,
    move: str,
    at: datetime,
    facts: dict[str, Any],
    actor: str = "",
) -> Move:
    next_state = after(state, move)
    if next_state is None:
        raise Bug(f"no {move} of what is {state}")
    return Move(move, state, next_state, at, facts, actor)


def new_order(
    app: App,
    wanted: OpenOrder,
    terms: Terms,
    *,
    order_id: UUID,
    order_no: str,
    attempt_no: str,
    created_day: date,
) -> Order:
    """A fresh order in its first state; nothing is written. order_id: it says when. attempt_no: its
    first attempt's, which is live."""
    created_at = uuid7_time(order_id)
    return Order(
        merchant_id=app.merchant.id,
        id=order_id,
        created_at=created_at,
        order_no=order_no,
        app_id=app.id,
        mode=app.mode,
        merchant_order_no=wanted.merchant_order_no,
        terms=terms,
        amount=wanted.amount,
        subject=wanted.subject,
        notify_url=wanted.notify_url,
        return_url=wanted.return_url,
        client_ip=wanted.client_ip,
        payer_id=wanted.payer_id,
        metadata=dict(wanted.metadata),
        state="created",
        version=1,
        live_attempt_no=attempt_no,
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
        only_channel_id=wanted.only_channel_id,
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
    Bug where its number does not say the order's month, in which it is looked for."""
    facts = read_number(attempt_no)
    if facts is None or facts.month != month_of(order.created_at):
        raise Bug(f"{attempt_no} is no number of the month of {order.order_no}")
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
