"""Whatever people do in whatever order: what is live has passed every gate."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from core.connectors import DocumentFaults, check, load
from core.kernel.errors import Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from tests.core.supply.onboarding.support import (
    CREDENTIALS,
    ELSEWHERE,
    FORGERY_BELIEVED,
    MORE_CREDENTIALS,
    NO_CALLBACK,
    PINNED,
    PINNED_ELSEWHERE,
    TEXT,
    new_supplier,
    numbered,
    staff,
)
from tests.core.support import ADMIN, OWNER, SetClock
from tests.sizes import size

STEPS = 50
TEXTS = (
    TEXT,
    ELSEWHERE,
    MORE_CREDENTIALS,
    FORGERY_BELIEVED,
    NO_CALLBACK,
    PINNED,
    PINNED_ELSEWHERE,
    numbered(1),
)
VALUES: tuple[dict[str, str], ...] = (
    {},
    CREDENTIALS,
    {"base_url": "http://pay.example"},
    {"base_url": "http://127.0.0.2:1029"},
    {"key": "another"},
    {"app_id": "7"},
    {"terminal": "8"},
    {"key": ""},
    {"nothing": "x"},
)
LAWFUL: tuple[dict[str, str], ...] = (
    {}, {"legal_name": "Gulf Pay W.L.L."}, {"licence_no": "L1"}, {"settles_to": "merchant"},
    {"settles_to": "us"}, {"legal_name": ""},
)  # fmt: skip


async def lawless(runtime: Runtime) -> list[str]:
    """What is live and should not be."""
    found = []
    for row in await runtime.system.store.fetch(
        "SELECT s.*, d.state AS approved, d.body, d.proposed_by, d.decided_by, d.alone,"
        " (SELECT document_id FROM supplier_document u WHERE u.supplier_id = s.id"
        "  ORDER BY seq DESC LIMIT 1) AS used"
        " FROM supplier s JOIN connector_document d ON d.id = s.document_id"
    ):
        if row["used"] != row["document_id"]:
            found.append(f"{row['supplier_no']} uses another version than its history says")
        if row["state"] != "live":
            continue
        supplier = await runtime.parties.suppliers.by_id(row["id"])
        connector = load(row["body"])
        lawful = {
            "approved": row["approved"] == "approved",
            "by two": row["alone"] or row["proposed_by"] != row["decided_by"],
            "fixtures": not check(connector) and "callback" in connector.operations,
            "credentials": set(connector.credential_names) <= set(supplier.credentials),
            "at its servers": not connector.servers
            or urlsplit(supplier.credentials["base_url"]).hostname in connector.servers,
            "confirmed": supplier.waiting is None,
            "named": all((row["legal_name"], row["licence_no"], row["settles_to"])),
            "licensed": row["licence_expires_on"] is not None,
        }
        found += [f"{row['supplier_no']}: {name}" for name, holds in lawful.items() if not holds]
    return found


@pytest.mark.parametrize("seed", range(size(2, 20)))
async def test_whatever_order_the_verbs_come_in(
    runtime: Runtime, clock: SetClock, seed: int
) -> None:
    dice = random.Random(seed)
    vetting, documents = runtime.supply.onboarding, runtime.supply.documents
    actors = [await staff(runtime, who) for who in (OWNER, ADMIN)]
    numbers = iter(range(10, 100))
    went_live = done = 0

    def who() -> Actor:
        return dice.choice(actors)

    async def supplier() -> Supplier:
        known = await runtime.parties.suppliers.all()
        return dice.choice(known)

    async def document() -> Document:
        return dice.choice(await documents.all())

    async def open_one() -> None:
        bare = {} if dice.random() < 0.5 else {"legal_name": "", "settles_to": None}
        new = new_supplier(await document(), next(numbers), **bare)
        await vetting.open(who(), new)

    async def set_some() -> None:
        other = dice.choice([None, await document()])
        values = dice.choice(VALUES)
        await vetting.set_credentials(who(), await supplier(), values, document=other)

    async def amend() -> None:
        today = clock.now().date()
        expires_on = dice.choice([None, today + timedelta(days=dice.randint(-2, 40))])
        await vetting.amend(
            who(), await supplier(), licence_expires_on=expires_on,
            **dice.choice(LAWFUL),
        )  # fmt: skip

    async def go_live() -> None:
        nonlocal went_live
        await vetting.go_live(who(), await supplier())
        went_live += 1

    verbs: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: documents.propose(who(), dice.choice(TEXTS)), open_one, set_some, set_some, amend,
        go_live, go_live,
    )  # fmt: skip

    async def decide() -> None:
        verb = dice.choice((documents.approve, documents.approve, None, None))
        if verb is not None:
            await verb(who(), await document())
        else:
            other = dice.choice((documents.reject, documents.withdraw))
            await other(who(), await document(), "no")

    async def turn() -> None:
        verb = dice.choice(("switch", "switch", "roll_back", "switch_off"))
        match verb:
            case "switch":
                await vetting.switch(who(), await supplier(), await document())
            case "roll_back":
                await vetting.roll_back(who(), await supplier())
            case _:
                await vetting.switch_off(who(), await supplier(), "no")

    for _ in range(STEPS):
        try:
            await dice.choice((*verbs, decide, decide, decide, turn, turn))()
            done += 1
        except (Refusal, DocumentFaults):
            pass
        clock.advance(dice.choice((1, 3600)))
        assert await lawless(runtime) == []
    assert done > STEPS // 4
    assert went_live >= 1
