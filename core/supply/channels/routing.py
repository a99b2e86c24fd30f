"""Which channel takes an order now: read, chosen, taken, and noted how it went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import structlog

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.alarms import Alarms
from core.supply.channels.choice import Channel, Choice, Used, choose, why_full, why_paused
from core.supply.channels.limits import Limits
from core.supply.channels.pauses import PROBE, Pauses
from core.system.district import System

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a channel is wanted for. mode: live | test. merchant_id: None where only the product's
    own set is asked about. channel_id: the one channel that is asked about, whatever sells the
    product, and though it is not offered to payers; None: those that sell the product."""

    merchant_id: UUID | None
    mode: str
    product_code: str
    amount: Money
    channel_id: UUID | None = None


# Of a merchant's product, or (no merchant) of the product, now; or the one that is named.
ChannelsOf = Callable[[str, UUID | None, datetime, UUID | None], Awaitable[list[Channel]]]


class Routing:
    """Chooses channels, and notes how that went. What is noted serves the orders that come: where
    it cannot be, that is logged, and the order it is about goes on.

    channels: those that a wish may go to, now. In a demo every supplier is a
    sandbox, so live orders go to them too. draw: a number in [0, 1) per call.

    More than seven verbs: one for each moment of an order that changes what its channel may take.
    """

    def __init__(
        self, system: System, channels: ChannelsOf, draw: Callable[[], float], alarms: Alarms
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._channels = channels
        self._draw = draw
        self._demo = system.demo
        self._limits = Limits(system.store, system.link)
        self._pauses = Pauses(system.store, system.clock, alarms)

    async def choose(self, wish: Wish, attempt_no: str, *, tried: Collection[UUID] = ()) -> Choice:
        """Rank, and take room on the first that has some (none: the attempt has no channel).
        tried: channels that are not to be tried again. See `take`."""
        choice = await self.rank(wish)
        choice = replace(choice, ranked=tuple(c for c in choice.ranked if c.id not in tried))
        return await self.take(choice, wish, attempt_no)

    async def rank(self, wish: Wish) -> Choice:
        """The channels that may take it, in the order in which they are tried; nothing is taken."""
        return await self._rank(wish, self._draw)

    async def take(self, choice: Choice, wish: Wish, attempt_no: str) -> Choice:
        """Take room for an attempt on the first channel that has some: the choice from there on.

        Not inside a transaction. The attempt is `kept` once it is written, else `given_back`.
        """
        while choice.ranked:
            full = await self._limits.take(choice.ranked, wish.amount.minor, attempt_no)
            choice = choice.without(*full)
            if not choice.ranked or await self._pauses.probe(choice.ranked[0], attempt_no):
                break
            # Another order tries whether it works again.
            await self._limits.give_back(attempt_no)
            choice = choice.without(why_paused(choice.ranked[0], self._clock.now() + PROBE))
        return choice

    async def explain(self, wish: Wish) -> Choice:
        """How an order would be routed now, with every reason; nothing is taken. Among equals the
        heavier come first. Refusals: product_not_found."""
        known = "SELECT EXISTS (SELECT FROM product WHERE code = $1)"
        if not await self._store.fetchval(known, wish.product_code):
            raise Refusal("product_not_found", product=wish.product_code[:40])
        choice = await self._rank(wish, lambda: 0.5)
        used = await self._limits.used(choice.ranked)
        reasons = [
            why_full(channel, used[channel.channel_no], wish.amount.minor)
            for channel in choice.ranked
            if channel.channel_no in used
        ]
        return choice.without(*(reason for reason in reasons if reason is not None))

    async def used(self, channels: Collection[Channel]) -> dict[str, Used]:
        """channel number -> what it took in its supplier's open day; of those with limits."""
        return await self._limits.used(list(channels))

    async def limits_changed(self, channel: Channel) -> None:
        """Count anew what the channel took today."""
        await self._limits.forget(channel.id, channel.today)

    def kept(self, attempt_no: str) -> None:
        """The attempt is written: its room is its own."""
        self._limits.keep(attempt_no)

    async def given_back(self, merchant_id: UUID, attempt_no: str) -> None:
        """The attempt was not written, or nobody knows."""
        with _noting("given back", attempt_no):
            await self._pauses.drop(attempt_no)
        if self._limits.has_taken(attempt_no):
            await self.recount(merchant_id, attempt_no)

    async def recount(self, merchant_id: UUID, attempt_no: str) -> None:
        """An attempt ended, or was paid after all: it takes room as the database says. Harmless
        when it is said again."""
        with _noting("recounted", attempt_no):
            await self._limits.recount(merchant_id, attempt_no)

    async def accepted(self, channel_id: UUID, attempt_no: str) -> None:
        """A supplier accepted a create."""
        with _noting("accepted", attempt_no):
            await self._pauses.accepted(channel_id, attempt_no)

    async def failed(
        self, channel_id: UUID, day: date, attempt_no: str, said: str, *, refused: bool
    ) -> None:
        """A create was refused, or the answer was no clear one. day: the attempt's channel_day.
        refused: by the supplier's own word."""
        with _noting("failed", attempt_no):
            await self._pauses.failed(channel_id, day, attempt_no, said, refused=refused)

    async def _rank(self, wish: Wish, draw: Callable[[], float]) -> Choice:
        now = self._clock.now()
        return choose(
            await self._channels(wish.product_code, wish.merchant_id, now, wish.channel_id),
            wish.amount,
            now=now,
            by_name=wish.channel_id is not None,
            sandbox_allowed=wish.mode == "test" or self._demo,
            real_allowed=wish.mode == "live",
            draw=draw,
        )


@contextmanager
def _noting(what: str, attempt_no: str) -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 (an order does not fail because of what is noted about it)
        _LOG.exception("routing not noted", what=what, attempt_no=attempt_no)
