"""What may be chosen for a test order, step by step, and what a choice means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, MAX_MINOR, Money
from core.parties.district import Parties
from core.parties.merchants import App, Merchant
from core.supply.channels import Channel, takes_amount
from core.supply.district import Supply
from core.system.district import System
from core.trade.trials.questions import BY_ROUTING, Step, TrialQuestion

PAGE_SIZE: Final = 8
_UNITS: Final = (1, 10, 100)  # what is offered where channels take it
_AMOUNTS: Final = 6
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class TrialOption:
    """Something that may be chosen. value: what its button carries. name: as people know it; of a
    product in Chinese and in English, of an app its mode, of an amount and of routing's choice
    none."""

    value: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """A page of what may be chosen now."""

    options: tuple[TrialOption, ...]
    page: int
    pages: int


class TrialChoices:
    """Merchants that are open, their apps, what they may buy, channels, and amounts."""

    def __init__(self, system: System, parties: Parties, supply: Supply) -> None:
        self._clock = system.clock
        self._demo = system.demo
        self._merchants = parties.merchants
        self._channels = supply.channels
        self._market = supply.market

    async def of(self, told: TrialQuestion, page: int) -> TrialOptions:
        """What may be chosen at the step at which it is; a page behind the last is the last."""
        found = await self._options(told)
        pages = max(1, -(-len(found) // PAGE_SIZE))
        page = min(max(1, page), pages)
        return TrialOptions(tuple(found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), page, pages)

    async def take(self, told: TrialQuestion, step: Step, value: str) -> TrialQuestion:
        """The same with one thing more.

        Refusals: merchant_not_found, merchant_suspended, app_not_found, product_unknown,
        channel_not_found, trial_amount.
        """
        match step:
            case "merchant":
                merchant = await self._merchants.by_no(value)
                if merchant.state != "open":
                    raise Refusal("merchant_suspended", merchant_no=merchant.merchant_no)
                return replace(
                    told,
                    merchant_no=merchant.merchant_no,
                    merchant_name=merchant.name,
                    currency=merchant.currency,
                )
            case "app":
                app = await self._app(told.merchant_no, value)
                return replace(told, key_id=app.key_id, mode=app.mode)
            case "product":
                merchant = await self._merchants.by_no(told.merchant_no)
                if value not in await self._merchants.offers.of(merchant):
                    raise Refusal("product_unknown", product=value[:_SHOWN_CHARS])
                return replace(told, product_code=value)
            case "channel":
                if value == BY_ROUTING:
                    return replace(told, channel_no=value)
                return replace(told, channel_no=(await self._channels.by_no(value)).channel_no)
            case "amount":
                minor = int(value) if value.isdecimal() else 0
                if not 0 < minor <= MAX_MINOR:
                    raise Refusal("trial_amount")
                return replace(told, minor=minor)
            case "confirm":
                return told

    async def told(
        self, merchant_no: str, product_code: str, minor: int, channel_no: str, mode: str
    ) -> TrialQuestion:
        """A test order that was told in one line. channel_no: empty for routing's choice. mode:
        live | test; empty for the one that fits: live where a channel of a real supplier is named,
        else test, and what the merchant has where it has no such app.

        Refusals: as of `take`.
        """
        told = await self.take(TrialQuestion(), "merchant", merchant_no)
        told = await self.take(told, "product", product_code)
        told = await self.take(told, "channel", channel_no or BY_ROUTING)
        apps = await self._apps(told.merchant_no)
        wanted = mode or await self._mode_for(told.channel_no)
        fit = [app for app in apps if app.mode == wanted] or ([] if mode else apps)
        if not fit:
            raise Refusal("app_not_found", merchant_no=told.merchant_no)
        told = replace(told, key_id=fit[0].key_id, mode=fit[0].mode)
        return await self.take(told, "amount", str(minor))

    async def app(self, told: TrialQuestion) -> App:
        """The app of a test order. Refusals: app_not_found (withdrawn meanwhile)."""
        return await self._app(told.merchant_no, told.key_id)

    async def only_channel(self, told: TrialQuestion) -> Channel | None:
        """The channel that is named. Refusals: channel_not_found."""
        if told.channel_no in ("", BY_ROUTING):
            return None
        return await self._channels.by_no(told.channel_no)

    # ── what is offered ──────────────────────────────────────────────────────────────────────────
    async def _options(self, told: TrialQuestion) -> Sequence[TrialOption]:
        match told.step:
            case "merchant":
                everybody = await self._merchants.everybody()
                return [TrialOption(m.merchant_no, m.name) for m in everybody if m.state == "open"]
            case "app":
                return [TrialOption(a.key_id, a.mode) for a in await self._apps(told.merchant_no)]
            case "product":
                return await self._products(told)
            case "channel":
                named = await self._nameable(told)
                return [
                    TrialOption(BY_ROUTING),
                    *(TrialOption(c.channel_no, c.name) for c in named),
                ]
            case "amount":
                channel = await self.only_channel(told)
                channels = [channel] if channel is not None else await self._sold(told)
                amounts = amounts_for(channels, told.currency)
                return [TrialOption(str(minor)) for minor in amounts]
            case "confirm":
                return []

    async def _products(self, told: TrialQuestion) -> list[TrialOption]:
        merchant = await self._merchants.by_no(told.merchant_no)
        products = (await self._market.now()).products
        return [
            TrialOption(code, f"{products[code].name_zh} | {products[code].name_en}")
            for code in await self._merchants.offers.of(merchant)
            if code in products
        ]

    async def _nameable(self, told: TrialQuestion) -> list[Channel]:
        """The channels that may take orders of this app in its currency, offered or not."""
        return [
            channel
            for channel in await self._channels.all()
            if channel.currency == told.currency
            and channel.state != "archived"
            and channel.supplier_state == "live"
            and (self._demo or channel.supplier_sandbox == (told.mode == "test"))
        ]

    async def _sold(self, told: TrialQuestion) -> list[Channel]:
        """The channels over which the merchant buys the product."""
        merchant = await self._merchants.by_no(told.merchant_no)
        now = self._clock.now()
        return [
            channel
            for channel in await self._market.channels(told.product_code, merchant.id, now)
            if channel.state == "on" and channel.currency == told.currency
        ]

    async def _mode_for(self, channel_no: str) -> str:
        if channel_no == BY_ROUTING:
            return "test"
        channel = await self._channels.by_no(channel_no)
        return "test" if channel.supplier_sandbox else "live"

    async def _apps(self, merchant_no: str) -> list[App]:
        merchant: Merchant = await self._merchants.by_no(merchant_no)
        return await self._merchants.apps.of(merchant)

    async def _app(self, merchant_no: str, key_id: str) -> App:
        for app in await self._apps(merchant_no):
            if app.key_id == key_id:
                return app
        raise Refusal("app_not_found", merchant_no=merchant_no)


def amounts_for(channels: Iterable[Channel], currency: str) -> tuple[int, ...]:
    """A few small amounts, in smallest units, that one of these channels takes."""
    channels, unit = list(channels), int(10 ** EXPONENTS[currency])
    wanted = {unit * units for units in _UNITS}
    for channel in channels:
        wanted |= {*channel.amount_list, channel.amount_min or unit}
    taken = [
        minor
        for minor in sorted(wanted)
        if any(takes_amount(channel, Money(minor, currency)) for channel in channels)
    ]
    return tuple(taken[:_AMOUNTS])
