"""What is earned on an order: rates beside costs, and who is asked where a rate is below cost."""

from __future__ import annotations

from core.supply.margins.loss_approvals import Check, LossApprovals, LossQuestion
from core.supply.margins.losses import Loss, losses
from core.supply.margins.margins import Below, Changed, Margins

__all__ = [
    "Below",
    "Changed",
    "Check",
    "Loss",
    "LossApprovals",
    "LossQuestion",
    "Margins",
    "losses",
]
