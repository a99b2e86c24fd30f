"""What is said when channels and products are changed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from core.delivery.outbox import Notice
from core.supply.channel_question import ChannelQuestion
from core.supply.channels import read_hours


@dataclass(frozen=True, slots=True)
class ChannelQuestionNotice(Notice):
    """Whether to add a channel. new: as it would be."""

    approval_id: UUID
    new: ChannelQuestion


@dataclass(frozen=True, slots=True)
class ChannelAdded(Notice):
    """A channel was added, under this number."""

    channel_no: str
    new: ChannelQuestion


@dataclass(frozen=True, slots=True)
class ChannelWaits(Notice):
    """A second person decides whether a channel is added."""

    new: ChannelQuestion


@dataclass(frozen=True, slots=True)
class ChannelDropped(Notice):
    """A channel was not added."""

    supplier_no: str
    name: str


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """What people may set of a channel, as `Terms` has it. hours: as a person writes them."""

    name: str
    supplier_code: str
    amount_list: tuple[int, ...]
    amount_min: int | None
    amount_max: int | None
    hours: str | None
    day_limit_minor: int | None
    day_limit_count: int | None
    weight: int
    priority: int

    def unpack(self) -> dict[str, Any]:
        """The fields of `Terms`, as it has them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "hours": read_hours(self.hours) if self.hours else None}


@dataclass(frozen=True, slots=True)
class ChannelChanged(Notice):
    """A channel's terms, as they were and as they are."""

    channel_no: str
    channel_name: str
    supplier_no: str
    currency: str
    terms_before: ShownTerms
    terms_after: ShownTerms
    actor_name: str


@dataclass(frozen=True, slots=True)
class ChannelTurned(Notice):
    """A channel was switched, archived, restored or resumed. before, after: its states; empty where
    its pause ended."""

    channel_no: str
    channel_name: str
    move: str
    actor_name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSetNotice(Notice):
    """Over which channels a product is sold, by their numbers, as it was and as it is. merchant_no,
    merchant_name: of whom that is for alone, else empty. own: that one has channels of its own."""

    product_code: str
    merchant_no: str
    merchant_name: str
    own_before: bool
    own: bool
    before: tuple[str, ...]
    after: tuple[str, ...]
    actor_name: str


@dataclass(frozen=True, slots=True)
class ProductTurned(Notice):
    """A product was switched on or off, archived or restored. move: on | off | archive | restore.
    merchant_no, merchant_name: as in `ChannelSetNotice`."""

    product_code: str
    move: str
    merchant_no: str
    merchant_name: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class ProductAdded(Notice):
    """A product was added: it is sold once a channel sells it."""

    product_code: str
    name_zh: str
    name_en: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class ProductNames:
    """What a product is called."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class ProductNamed(Notice):
    """A product is called something else, in Chinese and in English."""

    product_code: str
    before: ProductNames
    after: ProductNames
    actor_name: str
