"""Products: the payment methods that the platform sells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.delivery.audit import Audit
from core.kernel.errors import Refusal
from core.supply.channels.changes import Also, By, nothing_else, record
from core.system.store import Store

_SHOWN_CHARS: Final = 20


@dataclass(frozen=True, slots=True)
class Product:
    """A payment method as the platform sells it. state: on | off."""

    code: str
    name_zh: str
    name_en: str
    state: str = "on"


class Products:
    """What merchants can buy. Every change is in the trail; `also` is written with it."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    async def add(self, product: Product) -> None:
        """Add a product that merchants can buy."""
        await self._store.execute(
            "INSERT INTO product (code, name_zh, name_en) VALUES ($1, $2, $3)",
            product.code,
            product.name_zh,
            product.name_en,
        )

    async def all(self) -> dict[str, Product]:
        """Every product, those that are off as well, by code. The market knows what is on."""
        rows = await self._store.fetch(
            "SELECT code, name_zh, name_en, state FROM product ORDER BY code"
        )
        return {row["code"]: Product(**dict(row)) for row in rows}

    async def turn(self, code: str, state: str, by: By, *, also: Also = nothing_else) -> None:
        """Switch a product on or off for everybody; orders that are there go on. state: on | off.
        The same again changes and writes nothing. Refusals: product_not_found."""
        async with self._store.transaction() as tx:
            before = await tx.fetchval("SELECT state FROM product WHERE code = $1 FOR UPDATE", code)
            if before is None:
                raise Refusal("product_not_found", product=code[:_SHOWN_CHARS])
            if before == state:
                return
            await tx.execute("UPDATE product SET state = $2 WHERE code = $1", code, state)
            facts = {"product_code": code, "before": before, "after": state}
            await record(self._audit, tx, "product_turned", by, facts, also)
