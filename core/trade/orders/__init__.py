"""Orders: opened, sent to suppliers, followed up, settled, completed, ended."""

from __future__ import annotations

from core.trade.orders.asking import ASKING_HANDS
from core.trade.orders.calling import LONGEST_CALL, TIMEOUTS, Addresses, Calling
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
from core.trade.orders.completing import ByHand, Completing, held_minor_of, need_reversible
from core.trade.orders.contradictions import CONTRADICTION, Contradictions, Sighting, together
from core.trade.orders.deciding import OpenOrder, PaymentSeen
from core.trade.orders.finding import Found, OrderKey, find_for, find_meant
from core.trade.orders.following import NOT_FOUND_APART, SENT_AGAIN_FOR, Following
from core.trade.orders.moves import move_order
from core.trade.orders.opening import Opened, Opening
from core.trade.orders.reading import (
    Attempt,
    Order,
    find_attempt,
    find_key,
    find_order,
    get_attempts,
    get_order,
    in_turn,
    lock_order,
    named,
)
from core.trade.orders.settling import Settled, Settling
from core.trade.orders.takings import Taking, takings_of
from core.trade.orders.turns import side_by_side
from core.trade.orders.views import order_view

__all__ = [
    "ASKING_HANDS",
    "CHARGED",
    "CHARGED_RATE",
    "CONTRADICTION",
    "LONGEST_CALL",
    "NOT_FOUND_APART",
    "SENT_AGAIN_FOR",
    "TIMEOUTS",
    "Addresses",
    "Attempt",
    "ByHand",
    "Calling",
    "Charge",
    "Completing",
    "Contradictions",
    "Following",
    "Found",
    "OpenOrder",
    "Opened",
    "Opening",
    "Order",
    "OrderKey",
    "PaymentSeen",
    "Recharge",
    "Settled",
    "Settling",
    "Sighting",
    "Taking",
    "book_recharge",
    "charge_of",
    "find_attempt",
    "find_for",
    "find_key",
    "find_meant",
    "find_order",
    "get_attempts",
    "get_order",
    "held_minor_of",
    "hold_charges",
    "in_turn",
    "lock_order",
    "move_order",
    "named",
    "need_reversible",
    "order_view",
    "side_by_side",
    "takings_of",
    "together",
    "write_charges",
]
