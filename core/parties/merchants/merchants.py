"""Who buys: merchants."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, replace
from typing import Final
from uuid import UUID

from core.books import Ledger
from core.kernel.clock import Clock, DayCut
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.kernel.money import HOME_CURRENCY, need_currency
from core.parties.lines import line
from core.parties.merchants.apps import Apps
from core.parties.merchants.merchant import (
    REVIEW_FACTS,
    Dossier,
    Merchant,
    NewMerchant,
    ReviewFacts,
    read_dossier,
    read_merchant,
)
from core.parties.merchants.offers import Offers
from core.system.store import Queries, Store, Tx
from core.system.vault import Vault

NAME_MAX_CHARS: Final = 64
_NUMBER: Final = re.compile(r"M[0-9]{1,9}", re.ASCII)
_FIRST_NO: Final = 1001
PAGE_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A page of merchants. total: of all pages."""

    page: int
    pages: int
    total: int
    merchants: tuple[Merchant, ...]


class Merchants:
    """Merchants, as rows: whoever writes here has asked for the right before
    (`core.accounts.onboarding.admission`). apps: through which they speak to us. offers: what they
    buy, at which rates.

    More than seven verbs: one for each way to find a merchant, and one for each part of its row.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self.apps = Apps(store, vault, clock, ids)
        self.offers = Offers(store, clock, ids, ledger)
        self._store = store
        self._clock = clock
        self._ids = ids
        self._ledger = ledger

    # ── writing ──────────────────────────────────────────────────────────────────────────────────
    async def open(
        self,
        merchant_no: str,
        name: str,
        *,
        reviewed: bool,
        currency: str = HOME_CURRENCY,
        day_cut: DayCut | None = None,
    ) -> Merchant:
        """Open a merchant as `add` does. reviewed: whether its review is passed, without which no
        live key of it is taken."""
        new = NewMerchant(merchant_no, name, currency, day_cut or DayCut())
        async with self._store.transaction() as tx:
            merchant = await self.add(tx, new)
            if reviewed:
                await tx.execute(
                    "UPDATE merchant SET reviewed_at = $2 WHERE id = $1",
                    merchant.id,
                    self._clock.now(),
                )
        return replace(merchant, reviewed=reviewed)

    async def add(self, tx: Tx, new: NewMerchant) -> Merchant:
        """Open a merchant that is not reviewed, and its first business day.

        Refusals: field_invalid, currency_unknown, merchant_exists.
        """
        new = check_merchant(new)
        await tx.execute("LOCK TABLE merchant IN SHARE ROW EXCLUSIVE MODE")
        tag = await tx.fetchval("SELECT coalesce(max(tag), 0) + 1 FROM merchant")
        row = await tx.fetchrow(
            _ADD,
            self._ids.uuid7(),
            new.merchant_no,
            tag,
            new.name,
            new.currency,
            new.day_cut.at,
            new.day_cut.zone,
            *astuple(new.facts),
            self._clock.now(),
        )
        if row is None:
            raise Refusal("merchant_exists", merchant_no=new.merchant_no)
        await self._ledger.calendar.open_first(tx, row["id"], new.day_cut)
        return read_merchant(row)

    async def amend(self, tx: Tx, merchant_id: UUID, name: str, facts: ReviewFacts) -> None:
        """Who it is, from now on: checked, as in `check_merchant`."""
        await tx.execute(_AMEND, merchant_id, name, *astuple(facts))

    async def set_state(self, tx: Tx, merchant_id: UUID, state: str) -> None:
        """state: open | suspended | archived."""
        await tx.execute("UPDATE merchant SET state = $2 WHERE id = $1", merchant_id, state)

    async def pass_review(self, tx: Tx, dossier: Dossier, user_id: int, name: str) -> None:
        """It passed its review as it is in this dossier. user_id, name: whose word that is."""
        await tx.execute(
            _REVIEWED, dossier.merchant.id, self._clock.now(), user_id, name, dossier.digest
        )

    async def set_day_cut(self, tx: Tx, merchant_id: UUID, cut: DayCut) -> None:
        """When the merchant's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE merchant SET day_cut = $2, zone = $3 WHERE id = $1",
            merchant_id,
            cut.at,
            cut.zone,
        )

    # ── reading ──────────────────────────────────────────────────────────────────────────────────
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
        return (await self.dossier(merchant_id)).merchant

    async def dossier(self, merchant_id: UUID, tx: Tx | None = None) -> Dossier:
        """A merchant with what its review looks at. tx: where one is open, in which it is held
        then. Refusals: merchant_not_found."""
        queries: Queries = self._store if tx is None else tx
        row = await queries.fetchrow(_BY_ID if tx is None else _HOLD, merchant_id)
        if row is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_id)
        return read_dossier(row)

    async def everybody(self) -> list[Merchant]:
        """All merchants, by number."""
        rows = await self._store.fetch("SELECT * FROM merchant ORDER BY tag")
        return [read_merchant(row) for row in rows]

    async def search(self, words: str, state: str, page: int) -> Found:
        """A page of merchants, by their opening; one behind the last is the last.

        words: in the number or a name of it, whatever their letters' case; empty for all. state:
        empty for all.
        """
        wanted = words.strip(), state
        total = await self._store.fetchval(f"SELECT count(*) {_FOUND}", *wanted)
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(max(page, 1), pages)
        rows = await self._store.fetch(
            f"SELECT * {_FOUND} ORDER BY tag LIMIT {PAGE_SIZE} OFFSET $3",
            *wanted,
            (page - 1) * PAGE_SIZE,
        )
        return Found(page, pages, total, tuple(map(read_merchant, rows)))

    async def next_no(self) -> str:
        """The number after the highest there is."""
        highest = await self._store.fetchval(
            "SELECT max(substr(merchant_no, 2)::bigint) FROM merchant"
        )
        return f"M{_FIRST_NO if highest is None else highest + 1}"

    async def currencies(self) -> tuple[str, ...]:
        """Those that merchants have, the one of most merchants first; of a desk without any,
        the one in which the first is opened where nobody says another."""
        rows = await self._store.fetch(
            "SELECT currency FROM merchant GROUP BY currency ORDER BY count(*) DESC, currency"
        )
        return tuple(row["currency"] for row in rows) or (HOME_CURRENCY,)

    async def booked_currencies(self) -> tuple[str, ...]:
        """Those of the platform's books: those that merchants have, then those in which money was
        handed out to them beside these."""
        own = await self.currencies()
        rows = await self._store.fetch(
            "SELECT DISTINCT currency FROM balance WHERE account = 'paid_out' ORDER BY currency"
        )
        return own + tuple(row["currency"] for row in rows if row["currency"] not in own)


def check_merchant(new: NewMerchant) -> NewMerchant:
    """As it is opened. Refusals: field_invalid, currency_unknown."""
    need_currency(new.currency)
    number = new.merchant_no.strip().upper()
    if not _NUMBER.fullmatch(number):
        raise Refusal("field_invalid", param="merchant_no", expected="M and 1 to 9 digits")
    facts = {
        param: line(param, getattr(new.facts, param), most, least=0)
        for param, most in REVIEW_FACTS.items()
    }
    return replace(
        new, merchant_no=number, name=merchant_line("name", new.name), facts=ReviewFacts(**facts)
    )


def merchant_line(param: str, text: str) -> str:
    """What somebody wrote as a merchant's name, or as one of REVIEW_FACTS. Refusals:
    field_invalid."""
    return line(param, text, REVIEW_FACTS.get(param, NAME_MAX_CHARS))


_FACTS: Final = ", ".join(REVIEW_FACTS)
_ADD: Final = f"""
INSERT INTO merchant (id, merchant_no, tag, name, currency, day_cut, zone, {_FACTS}, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (merchant_no) DO NOTHING RETURNING *
"""  # noqa: S608 (our own)
_AMEND: Final = f"""
UPDATE merchant SET (name, {_FACTS}) = ($2, $3, $4, $5, $6, $7) WHERE id = $1
"""  # noqa: S608 (our own)
_REVIEWED: Final = """
UPDATE merchant SET reviewed_at = $2, reviewed_by = $3, reviewed_by_name = $4, reviewed_digest = $5
WHERE id = $1
"""
_BY_ID: Final = "SELECT * FROM merchant WHERE id = $1"
_HOLD: Final = "SELECT * FROM merchant WHERE id = $1 FOR NO KEY UPDATE"
_FOUND: Final = """
FROM merchant
WHERE ($1 = '' OR strpos(lower(merchant_no || ' ' || name || ' ' || legal_name), lower($1)) > 0)
  AND ($2 = '' OR state = $2)
"""
