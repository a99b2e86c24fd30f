"""What a second person is asked where a change of channels would let orders lose money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from core.supply.channel_question import ChannelQuestion
from core.supply.margins import Below, LossQuestion
from core.supply.notices import ShownTerms


@dataclass(frozen=True, slots=True)
class SetChange:
    """Which channels sell a product. merchant_id: of whom that is for alone; else None, and
    merchant_no and merchant_name are empty."""

    product_code: str
    verb: Literal["add", "remove", "follow"]
    channel_no: str
    merchant_id: UUID | None
    merchant_no: str
    merchant_name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    what: Literal["set"] = "set"


@dataclass(frozen=True, slots=True)
class TermsChange:
    """The terms of a channel, among them which amounts it takes."""

    channel_no: str
    channel_name: str
    supplier_no: str
    currency: str
    terms_before: ShownTerms
    terms_after: ShownTerms
    what: Literal["terms"] = "terms"


@dataclass(frozen=True, slots=True)
class NewChange:
    """A channel that is added, and sells its products at once."""

    new: ChannelQuestion
    what: Literal["new"] = "new"


@dataclass(frozen=True, slots=True)
class ChannelLossQuestion(LossQuestion):
    """Whether to change channels so, though they cost more than merchants pay. below: where."""

    kind: ClassVar[str] = "channel_loss"
    asked_with: ClassVar[str | None] = "channels"
    change: SetChange | TermsChange | NewChange
    below: tuple[Below, ...]
