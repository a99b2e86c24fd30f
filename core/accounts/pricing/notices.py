"""What people are asked and told about rates and costs that are set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from core.delivery.outbox import Notice
from core.kernel.errors import Refusal
from core.kernel.tariff import Tariff, TiersBy
from core.supply.margins import Below, Loss, LossQuestion


@dataclass(frozen=True, slots=True)
class RateSet(Notice):
    """What a merchant pays for a product was set. before, after, later: tariffs in writing; before
    is empty where the product was not open. later: what comes after it; empty where nothing does.
    since, later_since: business days. from_now: since is the open day. approved_by,
    approved_by_name: the second person, where one was needed."""

    merchant_no: str
    merchant_name: str
    product_code: str
    before: str
    after: str
    since: date
    from_now: bool
    later: str
    later_since: date | None
    actor_name: str
    approved_by: int | None = None
    approved_by_name: str = ""


@dataclass(frozen=True, slots=True)
class RateQuestion(LossQuestion):
    """Whether to set a rate that is below what channels cost. before, after: as in `RateSet`; the
    tariff itself is in `tiers_by` and `tiers`. since: a business day; from_now: the open one."""

    kind: ClassVar[str] = "rate"
    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    currency: str
    product_code: str
    before: str
    after: str
    tiers_by: TiersBy
    tiers: tuple[dict[str, int], ...]
    since: date
    from_now: bool
    losses: tuple[Loss, ...]

    @property
    def tariff(self) -> Tariff:
        """What would be set."""
        return Tariff.unpack(self.tiers_by, self.tiers)

    @property
    def outdated(self) -> Refusal:
        return Refusal("rate_changed", merchant_no=self.merchant_no)


@dataclass(frozen=True, slots=True)
class CostSet(Notice):
    """What a supplier charges on a channel was set; as in `RateSet`."""

    channel_no: str
    channel_name: str
    supplier_no: str
    before: str
    after: str
    since: date
    from_now: bool
    later: str
    later_since: date | None
    actor_name: str
    approved_by: int | None = None
    approved_by_name: str = ""


@dataclass(frozen=True, slots=True)
class CostQuestion(LossQuestion):
    """Whether to set a cost that is above what merchants pay. before, after, since, from_now: as in
    `CostSet`; the tariff itself is in `tiers`. below: which rates."""

    kind: ClassVar[str] = "cost"
    channel_no: str
    channel_name: str
    supplier_no: str
    currency: str
    before: str
    after: str
    tiers: tuple[dict[str, int], ...]
    since: date
    from_now: bool
    below: tuple[Below, ...]


@dataclass(frozen=True, slots=True)
class UsdtRateSet(Notice):
    """What one USDT is worth in a group: exact decimal text. before: empty where there was no
    rate."""

    before: str
    after: str
    actor_name: str
