"""Who buys: merchants."""

from __future__ import annotations

import unicodedata
from typing import Final
from uuid import UUID

from core.books import Ledger
from core.kernel.clock import Clock, DayCut
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import Ids
from core.kernel.money import HOME_CURRENCY, need_currency
from core.parties.merchants.apps import Apps
from core.parties.merchants.merchant import Merchant, read_merchant
from core.parties.merchants.offers import Offers
from core.system.store import Store, Tx
from core.system.vault import Vault

NAME_MAX_CHARS: Final = 64
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Merchants:
    """Merchants. apps: through which they speak to us. offers: what they buy, at which rates."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self.apps = Apps(store, vault, clock, ids)
        self.offers = Offers(store, clock, ids, ledger)
        self._store = store
        self._clock = clock
        self._ids = ids
        self._ledger = ledger

    async def open(
        self,
        merchant_no: str,
        name: str,
        *,
        reviewed: bool,
        currency: str = HOME_CURRENCY,
        day_cut: DayCut | None = None,
    ) -> Merchant:
        """Open a merchant and its first business day.

        name: 1 to 64 characters; suppliers see it. reviewed: whether its review is passed, without
        which no live key of it is taken. Refusals: field_invalid, currency_unknown.
        """
        _check_name(name)
        need_currency(currency)
        cut = day_cut or DayCut()
        async with self._store.transaction() as tx:
            await tx.execute("LOCK TABLE merchant IN SHARE ROW EXCLUSIVE MODE")
            tag = await tx.fetchval("SELECT coalesce(max(tag), 0) + 1 FROM merchant")
            merchant_id, now = self._ids.uuid7(), self._clock.now()
            row = await tx.fetchrow(
                _ADD,
                merchant_id,
                merchant_no,
                tag,
                name,
                currency,
                cut.at,
                cut.zone,
                now if reviewed else None,
                now,
            )
            if row is None:
                raise Bug(f"the merchant {merchant_no} was not kept")
            await self._ledger.calendar.open_first(tx, merchant_id, cut)
        return read_merchant(row)

    async def set_day_cut(self, tx: Tx, merchant_id: UUID, cut: DayCut) -> None:
        """When the merchant's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE merchant SET day_cut = $2, zone = $3 WHERE id = $1",
            merchant_id,
            cut.at,
            cut.zone,
        )

    async def by_no(self, merchant_no: str) -> Merchant:
        """Refusals: merchant_not_found."""
        row = await self._store.fetchrow(
            "SELECT * FROM merchant WHERE merchant_no = $1", merchant_no.strip().upper()
        )
        if row is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_no[:20])
        return read_merchant(row)

    async def by_id(self, merchant_id: UUID) -> Merchant:
        """Refusals: merchant_not_found."""
        row = await self._store.fetchrow("SELECT * FROM merchant WHERE id = $1", merchant_id)
        if row is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_id)
        return read_merchant(row)

    async def everybody(self) -> list[Merchant]:
        """All merchants, by number."""
        rows = await self._store.fetch("SELECT * FROM merchant ORDER BY tag")
        return [read_merchant(row) for row in rows]

    async def currencies(self) -> tuple[str, ...]:
        """Those that merchants have, the one of most merchants first; of a desk without any,
        the one in which the first is opened where nobody says another."""
        rows = await self._store.fetch(
            "SELECT currency FROM merchant GROUP BY currency ORDER BY count(*) DESC, currency"
        )
        return tuple(row["currency"] for row in rows) or (HOME_CURRENCY,)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX_CHARS or any(map(_controls, name)):
        raise Refusal(
            "field_invalid",
            param="name",
            expected=f"1 to {NAME_MAX_CHARS} characters, none of them a control character",
        )


def _controls(char: str) -> bool:
    """Whether a character acts on the text instead of being read, such as a line's end."""
    return unicodedata.category(char) in _CONTROLS


_ADD: Final = """
INSERT INTO merchant (id, merchant_no, tag, name, currency, day_cut, zone, reviewed_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *
"""
