"""Lines of money, adjustments, credit lines and USDT rates."""

from __future__ import annotations

from typing import Final

from core.accounts.credit import CreditQuestion
from core.accounts.voucher_approvals import AdjustmentQuestion, PrepaymentQuestion
from handlers.kit.topic import Topic
from handlers.money import adjustments, buttons, prepayments
from handlers.money.screens import VIEWS
from handlers.money.words import COMMANDS, hear

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "money",
    routes=(prepayments.add_routes, adjustments.add_routes),
    commands=COMMANDS,
    hears=hear,
    views=VIEWS,
    asks=(PrepaymentQuestion, AdjustmentQuestion, CreditQuestion),
    buttons=buttons.read,
)
