"""A test order as far as somebody told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

from core.people.approvals import Question

Step = Literal["merchant", "app", "product", "channel", "amount", "confirm"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
# In the place of a channel's number: the one that routing chooses.
BY_ROUTING: Final = "any"


@dataclass(frozen=True, slots=True)
class TrialQuestion(Question):
    """What a test order shall be. Empty, or 0: not told yet. key_id, mode: of the app. currency:
    the merchant's. channel_no: BY_ROUTING for the one that routing chooses. minor: in smallest
    units."""

    kind: ClassVar[str] = "trial"
    merchant_no: str = ""
    merchant_name: str = ""
    currency: str = ""
    key_id: str = ""
    mode: str = ""
    product_code: str = ""
    channel_no: str = ""
    minor: int = 0

    @property
    def step(self) -> Step:
        """What is to be told next; `confirm` where all is told."""
        told = (self.merchant_no, self.key_id, self.product_code, self.channel_no, self.minor)
        return next((step for step, said in zip(STEPS, told, strict=False) if not said), "confirm")
