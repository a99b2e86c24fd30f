"""Products: the payment methods that the platform sells."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Final

from core.delivery.audit import Audit
from core.kernel.errors import Refusal
from core.supply.channels.changes import SCRIPT, Also, By, nothing_else, record
from core.supply.channels.terms import NEXT
from core.system.store import Store, Tx

MAX_NAME_CHARS: Final = 40
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
# The numbers of merchants, suppliers and channels: in a command such a word is no product.
_NUMBER: Final = re.compile(r"[msc][0-9]+", re.ASCII)
_SHOWN_CHARS: Final = 40

# What can be wrong with a product; the catalogues translate each.
PRODUCT_FAULTS: Final[dict[str, str]] = {
    "code": (
        "a code has 2 to 32 small letters, digits and _, begins with a letter, and is not like"
        " a number of ours"
    ),
    "product_name": "a name has 1 to 40 characters",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A payment method as the platform sells it. state: on | off | archived."""

    code: str
    name_zh: str
    name_en: str
    state: str = "on"


def check_product(product: Product) -> None:
    """Refusals: product_invalid."""
    if not _CODE.fullmatch(product.code) or _NUMBER.fullmatch(product.code):
        raise _fault("code", product.code)
    for name in (product.name_zh, product.name_en):
        if not 1 <= len(name) <= MAX_NAME_CHARS or name != name.strip() or not name.isprintable():
            raise _fault("product_name", name)


def _fault(fault: str, text: str) -> Refusal:
    return Refusal(
        "product_invalid", product_fault=PRODUCT_FAULTS[fault], text=text[:_SHOWN_CHARS] or "…"
    )


class Products:
    """What merchants can buy. Every change is in the trail; `also` is written with it."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    async def add(self, product: Product, by: By = SCRIPT, *, also: Also = nothing_else) -> None:
        """Add a product that merchants can buy, switched on. Refusals: product_invalid,
        product_exists."""
        check_product(product)
        async with self._store.transaction() as tx:
            added = await tx.execute(_ADD, product.code, product.name_zh, product.name_en)
            if not added:
                raise Refusal("product_exists", product=product.code)
            facts = {"product_code": product.code, "after": _names(product)}
            await record(self._audit, tx, "product_added", by, facts, also)

    async def all(self) -> dict[str, Product]:
        """Every product by code, also what is off or archived. The market knows what is on."""
        rows = await self._store.fetch(
            "SELECT code, name_zh, name_en, state FROM product ORDER BY code"
        )
        return {row["code"]: Product(**dict(row)) for row in rows}

    async def name(
        self, code: str, name_zh: str, name_en: str, by: By, *, also: Also = nothing_else
    ) -> None:
        """Call a product something else. The same again changes and writes nothing. Refusals:
        product_not_found, product_invalid."""
        async with self._store.transaction() as tx:
            before = await _hold(tx, code)
            after = Product(before.code, name_zh, name_en, before.state)
            check_product(after)
            if after == before:
                return
            await tx.execute(
                "UPDATE product SET name_zh = $2, name_en = $3 WHERE code = $1",
                code,
                name_zh,
                name_en,
            )
            facts = {"product_code": code, "before": _names(before), "after": _names(after)}
            await record(self._audit, tx, "product_named", by, facts, also)

    async def turn(self, code: str, move: str, by: By, *, also: Also = nothing_else) -> None:
        """Switch a product on or off for everybody, archive or restore it; orders that are there
        go on. move: on | off | archive | restore.

        What is archived cannot be bought, keeps its code and its past, and comes back switched
        off. The same again changes and writes nothing. Refusals: product_not_found,
        product_state.
        """
        async with self._store.transaction() as tx:
            before = (await _hold(tx, code)).state
            after = NEXT.get((before, move))
            if after is None:
                if before == _AFTER[move]:
                    return
                raise Refusal("product_state", product=code, channel_state=before)
            await tx.execute("UPDATE product SET state = $2 WHERE code = $1", code, after)
            facts = {"product_code": code, "before": before, "after": after}
            await record(self._audit, tx, "product_turned", by, facts, also)


async def _hold(tx: Tx, code: str) -> Product:
    """Refusals: product_not_found."""
    row = await tx.fetchrow(
        "SELECT code, name_zh, name_en, state FROM product WHERE code = $1 FOR UPDATE", code
    )
    if row is None:
        raise Refusal("product_not_found", product=code[:_SHOWN_CHARS])
    return Product(**dict(row))


def _names(product: Product) -> dict[str, str]:
    names = asdict(product)
    return {name: names[name] for name in ("name_zh", "name_en")}


# How a product stands after a move.
_AFTER: Final = {move: after for (_, move), after in NEXT.items()}
_ADD: Final = """
INSERT INTO product (code, name_zh, name_en) VALUES ($1, $2, $3) ON CONFLICT (code) DO NOTHING
"""
