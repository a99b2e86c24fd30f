"""Whether a rate is below cost, and whether that takes a second person here."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.accounts.margins import Loss, losses
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.people.desk_settings import DeskSettings
from core.supply.channels import Channel
from core.supply.market import Market
from core.system.store import Queries

SECOND: Final = "below_cost_second"  # the setting


class BelowCost:
    """Looks at what a merchant would pay beside what its orders may cost."""

    def __init__(self, market: Market, settings: DeskSettings, *, demo: bool) -> None:
        self._market = market
        self._settings = settings
        self._demo = demo

    async def losses(
        self, merchant: Merchant, product_code: str, tariff: Tariff, at: datetime
    ) -> tuple[Loss, ...]:
        """The channels that its live orders of a product may go to, and that cost more than it
        pays. One that is off counts as well: it may be on tomorrow, which nobody asks about."""
        channels = await self._market.channels(product_code, merchant.id, at)
        return losses(tariff, [one for one in channels if self._sells(one, merchant)])

    async def needs_second(self, found: tuple[Loss, ...], queries: Queries) -> bool:
        """Whether a second person is to see them."""
        return bool(found) and await self._settings.switched_on(SECOND, queries)

    def _sells(self, channel: Channel, merchant: Merchant) -> bool:
        """A sandbox costs nothing, but in a demo."""
        real = self._demo or not channel.supplier_sandbox
        return real and channel.currency == merchant.currency
