"""From nothing to the first paid order: which steps of opening a desk are done, by what is true."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

from core.people.actors import Actor
from core.system.store import Store

Name = Literal[
    "ops_group", "colleagues", "factor", "product", "supplier", "channel", "merchant", "group",
    "test_order",
]  # fmt: skip
# One alone could not lose a telephone, nor be asked by anybody.
OWNERS_WANTED: Final = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is of each. owners: people with that role. factors: of whoever asks. products:
    that are on. suppliers: that are live. channels: that are on at such a supplier, and sell a
    product that is on. apps: open ones of open merchants, in any mode. groups: bound to a merchant.
    orders: whether any was paid and booked."""

    ops_groups: int
    owners: int
    factors: int
    products: int
    suppliers: int
    channels: int
    apps: int
    groups: int
    orders: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the list. count: how many there are of what it wants."""

    name: Name
    done: bool
    count: int


def steps(facts: Facts) -> tuple[Step, ...]:
    """The steps in their order. Pure."""
    wanted: tuple[tuple[Name, int, int], ...] = (
        ("ops_group", facts.ops_groups, 1),
        ("colleagues", facts.owners, OWNERS_WANTED),
        ("factor", facts.factors, 1),
        ("product", facts.products, 1),
        ("supplier", facts.suppliers, 1),
        ("channel", facts.channels, 1),
        ("merchant", facts.apps, 1),
        ("group", facts.groups, 1),
        ("test_order", facts.orders, 1),
    )
    return tuple(Step(name, count >= least, count) for name, count, least in wanted)


class Checklist:
    """Reads what is true."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, actor: Actor) -> tuple[Step, ...]:
        """The steps, for an owner among staff. Refusals: those of `Actor.need_among_staff`."""
        actor.need_among_staff("settings")
        (row,) = await self._store.fetch(_FACTS, actor.user_id)
        return steps(Facts(*(row[field.name] for field in fields(Facts))))


_FACTS: Final = """
SELECT
    (SELECT count(*) FROM chat_group WHERE kind = 'ops' AND moved_to IS NULL) AS ops_groups,
    (SELECT count(*) FROM person WHERE role = 'owner') AS owners,
    (SELECT count(*) FROM factor WHERE user_id = $1 AND enrolled_at IS NOT NULL) AS factors,
    (SELECT count(*) FROM product WHERE state = 'on') AS products,
    (SELECT count(*) FROM supplier WHERE state = 'live') AS suppliers,
    (SELECT count(DISTINCT c.id) FROM channel c JOIN supplier s ON s.id = c.supplier_id
        JOIN product_channel pc ON pc.channel_id = c.id JOIN product p ON p.code = pc.product_code
     WHERE c.state = 'on' AND s.state = 'live' AND p.state = 'on') AS channels,
    (SELECT count(*) FROM app a JOIN merchant m ON m.id = a.merchant_id
     WHERE a.state = 'open' AND m.state = 'open') AS apps,
    (SELECT count(DISTINCT chat_id) FROM binding WHERE merchant_id IS NOT NULL) AS groups,
    (SELECT count(*) FROM (
        SELECT FROM ledger_event WHERE kind IN ('order', 'completed') LIMIT 1) paid) AS orders
"""
