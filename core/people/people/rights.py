"""Roles and rights: the one table, as data."""

from __future__ import annotations

from typing import Final

# Every right there is, with what it lets a person do (shown in refusals and docs).
RIGHTS: Final[dict[str, str]] = {
    "bind": "bind groups to merchants",
    "bind_ops": "make a group the ops group",
    "prepay": "record prepayments",
    "payin": "record what suppliers paid in",
    "adjust": "correct what a merchant is owed",
    "set_rate": "set what one USDT is worth in a group",
    "set_credit": "set credit lines",
    "read_money": "read bills, prepayments and balances",
    "read_statistics": "read statistics over all merchants",
    "read_platform": "read the platform's own bill, fees, cost and margin",
    "day_cut": "set when business days begin",
    "price": "set rates and costs, and charge past orders anew",
    "look_up": "look orders up",
    "see_channel": "see channels, suppliers and cost",
    "complete": "complete orders by hand",
    "uncomplete": "reverse a wrong completion",
    "resolve": "decide what becomes of money in suspense",
    "refund": "refund orders",
    "renotify": "send a notification again",
    "channels": "change channels, and which of them sell what",
    "suppliers": "open suppliers, set their credentials, put them live or off",
    "documents": "propose and withdraw connector documents",
    "approve_document": "approve or reject connector documents of somebody else",
}

_SUPPORT: Final = frozenset({"look_up", "read_money", "see_channel"})
_OPERATOR: Final = _SUPPORT | {"bind", "prepay", "complete", "renotify", "read_statistics"}
_MONEY: Final = frozenset({"prepay", "payin", "adjust", "set_rate", "set_credit"})
_PLATFORM: Final = frozenset({"read_statistics", "read_platform"})
_FINANCE: Final = _SUPPORT | _MONEY | _PLATFORM | {"renotify", "resolve", "refund", "uncomplete"}
_SUPPLIERS: Final = frozenset({"channels", "suppliers", "documents", "approve_document"})
_ADMIN: Final = _OPERATOR | _FINANCE | _SUPPLIERS | {"bind_ops", "day_cut", "price"}

ROLES: Final[dict[str, frozenset[str]]] = {
    "owner": _ADMIN,
    "admin": _ADMIN,
    "finance": _FINANCE,
    "operator": _OPERATOR,
    "support": _SUPPORT,
    # people of the other side: only in their own group, only about what is bound there
    "merchant_staff": frozenset({"look_up", "read_money"}),
    "supplier_staff": frozenset({"look_up", "read_money"}),
}
