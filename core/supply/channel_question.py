"""The question whether a channel is to be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.kernel.tariff import Tariff
from core.people.approvals import Question
from core.supply.channels import NewChannel, read_hours


@dataclass(frozen=True, slots=True)
class ChannelQuestion(Question):
    """A channel as it would be. hours: as a person writes them."""

    kind: ClassVar[str] = "channel"
    supplier_no: str
    supplier_name: str
    currency: str
    cost: Tariff
    products: tuple[str, ...]
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
    actor_name: str


def new_channel(question: ChannelQuestion) -> NewChannel:
    """The channel of a question. Everything in it was read before."""
    return NewChannel(
        channel_no=None,
        name=question.name,
        supplier_code=question.supplier_code,
        cost=question.cost,
        products=question.products,
        currency=question.currency,
        amount_list=question.amount_list,
        amount_min=question.amount_min,
        amount_max=question.amount_max,
        hours=read_hours(question.hours) if question.hours else None,
        day_limit_minor=question.day_limit_minor,
        day_limit_count=question.day_limit_count,
        weight=question.weight,
        priority=question.priority,
    )
