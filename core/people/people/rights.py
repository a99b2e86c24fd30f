"""Roles and rights: the one table, as data."""

from __future__ import annotations

from collections.abc import Iterable
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
    "chase": "have suppliers asked about orders",
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
    "merchants": "open merchants and their apps, give and take keys",
    "review": "pass a merchant's review",
    "products": "make products",
    "test_order": "make test orders",
    "appoint": "let people of a merchant or a supplier speak in its group",
    "list_groups": "list groups, and say what they are told",
    "broadcast": "send broadcasts to groups",
    "watch": "see how the desk is, its settings and its trail",
    "people": "hire people, and say what each may do",
    "settings": "change the settings of the desk",
}

_SUPPORT: Final = frozenset({"look_up", "chase", "read_money", "see_channel"})
_OPERATOR: Final = _SUPPORT | {
    "bind", "prepay", "complete", "renotify", "read_statistics", "test_order",
}  # fmt: skip
_MONEY: Final = frozenset({"prepay", "payin", "adjust", "set_rate", "set_credit"})
_PLATFORM: Final = frozenset({"read_statistics", "read_platform"})
_FINANCE: Final = _SUPPORT | _MONEY | _PLATFORM | {"renotify", "resolve", "refund", "uncomplete"}
_SUPPLIERS: Final = frozenset({"channels", "suppliers", "documents", "approve_document"})
_OPENING: Final = frozenset(
    {"merchants", "review", "products", "appoint", "list_groups", "broadcast", "watch"}
)
_ADMIN: Final = _OPERATOR | _FINANCE | _SUPPLIERS | _OPENING | {"bind_ops", "day_cut", "price"}
# Whoever has one of these moves money, says yes to what others ask, or could let others do so: two
# people give it. Every right that a second person's yes takes is among them.
RIGHTS_GIVEN_BY_TWO: Final = frozenset(
    _MONEY
    | {"complete", "uncomplete", "resolve", "refund", "price"}
    | {"suppliers", "documents", "approve_document", "merchants", "review", "appoint"}
    | {"people", "settings"}
)

ROLES: Final[dict[str, frozenset[str]]] = {
    "owner": _ADMIN | {"people", "settings"},
    "admin": _ADMIN,
    "finance": _FINANCE,
    "operator": _OPERATOR,
    "support": _SUPPORT,
    # people of the other side: only in their own group, only about what is bound there
    "merchant_staff": frozenset({"look_up", "chase", "read_money"}),
    "supplier_staff": frozenset({"look_up", "read_money"}),
}
# Of our own people, the one who may do most first.
STAFF_ROLES: Final = ("owner", "admin", "finance", "operator", "support")


def rights_of(role: str | None, allowed: Iterable[str], denied: Iterable[str]) -> frozenset[str]:
    """What somebody may do: by role, with what that person is allowed besides and denied. Nothing
    without a role."""
    if role is None:
        return frozenset()
    return (ROLES[role] | frozenset(allowed)) - frozenset(denied)
