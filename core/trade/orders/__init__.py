"""Orders: created, sent to suppliers, followed up, paid, completed by hand, ended."""

from __future__ import annotations

from core.trade.orders.batches import side_by_side
from core.trade.orders.cards import OrderCard, read_cards
from core.trade.orders.charges import (
    CHARGED,
    CHARGED_RATE,
    Charge,
    Recharge,
    book_recharge,
    charge_of,
    hold_charges,
    write_charges,
)
from core.trade.orders.completion_bookings import Approver, ByHand, OrdersByHand
from core.trade.orders.completion_rows import held_minor_of, need_reversible
from core.trade.orders.contradictions import (
    CONTRADICTION,
    AlarmContradiction,
    Contradictions,
    Sighting,
    together,
)
from core.trade.orders.creation import Creation, Opened
from core.trade.orders.decisions import OpenOrder, PaymentSeen
from core.trade.orders.follow_up import EXPIRY_DUE, NOT_FOUND_APART, SENT_AGAIN_FOR, FollowUp
from core.trade.orders.moves import move_order
from core.trade.orders.near import NearMiss, Slip, find_near
from core.trade.orders.new_orders import NewOrders
from core.trade.orders.notices import (
    AlarmDiscrepancy,
    AlarmShortfall,
    OddPayment,
    ease_suspense,
    sound_suspense,
)
from core.trade.orders.openings import Openings
from core.trade.orders.ordinary_payments import FreshReport, OrdinaryPayments, Report
from core.trade.orders.payments import Payments, Settled
from core.trade.orders.placements import Placements
from core.trade.orders.polls import ASKING_DUE, ASKING_HANDS
from core.trade.orders.rows import (
    Attempt,
    Named,
    Order,
    Terms,
    Waiting,
    find_attempt,
    find_key,
    find_waiting,
    get_attempts,
    get_order,
    in_turn,
    lock_order,
    named,
    standing_of,
    tell_url,
)
from core.trade.orders.search import Found, OrderKey, find_for, find_meant
from core.trade.orders.shown import ShownOrder, ShownOrders, get_shown
from core.trade.orders.supplier_calls import LONGEST_CALL, TIMEOUTS, Addresses, SupplierCalls
from core.trade.orders.takings import Taking, takings_of
from core.trade.orders.views import order_view

__all__ = [
    "ASKING_DUE",
    "ASKING_HANDS",
    "CHARGED",
    "CHARGED_RATE",
    "CONTRADICTION",
    "EXPIRY_DUE",
    "LONGEST_CALL",
    "NOT_FOUND_APART",
    "SENT_AGAIN_FOR",
    "TIMEOUTS",
    "Addresses",
    "AlarmContradiction",
    "AlarmDiscrepancy",
    "AlarmShortfall",
    "Approver",
    "Attempt",
    "ByHand",
    "Charge",
    "Contradictions",
    "Creation",
    "FollowUp",
    "Found",
    "FreshReport",
    "Named",
    "NearMiss",
    "NewOrders",
    "OddPayment",
    "OpenOrder",
    "Opened",
    "Openings",
    "Order",
    "OrderCard",
    "OrderKey",
    "OrdersByHand",
    "OrdinaryPayments",
    "PaymentSeen",
    "Payments",
    "Placements",
    "Recharge",
    "Report",
    "Settled",
    "ShownOrder",
    "ShownOrders",
    "Sighting",
    "Slip",
    "SupplierCalls",
    "Taking",
    "Terms",
    "Waiting",
    "book_recharge",
    "charge_of",
    "ease_suspense",
    "find_attempt",
    "find_for",
    "find_key",
    "find_meant",
    "find_near",
    "find_waiting",
    "get_attempts",
    "get_order",
    "get_shown",
    "held_minor_of",
    "hold_charges",
    "in_turn",
    "lock_order",
    "move_order",
    "named",
    "need_reversible",
    "order_view",
    "read_cards",
    "side_by_side",
    "sound_suspense",
    "standing_of",
    "takings_of",
    "tell_url",
    "together",
    "write_charges",
]
