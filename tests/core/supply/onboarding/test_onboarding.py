"""Suppliers: nothing is live that has not passed every gate, and every verb refuses what is bad."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from core.delivery.outbox import Say
from core.kernel.errors import Bug, Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.onboarding import Document
from tests.conftest import Servers
from tests.core.supply.onboarding.support import (
    CREDENTIALS,
    ELSEWHERE,
    MORE_CREDENTIALS,
    approved,
    changed,
    new_supplier,
    no,
    numbered,
    staff,
    trail,
)
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SetClock,
    build_runtime,
    facts,
    owner,
    refused,
    set_setting,
)


async def first(runtime: Runtime) -> Document:
    return await runtime.supply.documents.by_no("sandbox_md5", 1)


async def opened(runtime: Runtime, number: int = 7, **changes: Any) -> Supplier:
    """A supplier that lacks nothing to be live."""
    boss = await staff(runtime)
    supplier = await runtime.supply.onboarding.open(
        boss, new_supplier(await first(runtime), number, **changes)
    )
    return await runtime.supply.onboarding.set_credentials(boss, supplier, CREDENTIALS)


async def test_from_a_draft_to_live_and_off(runtime: Runtime, clock: SetClock) -> None:
    vetting, boss, document = runtime.supply.onboarding, await staff(runtime), await first(runtime)
    before = len(await trail(runtime))
    bare = new_supplier(
        document, legal_name="", licence_no="", licence_expires_on=None, settles_to=None,
        supplier_no=" s07 ",
    )  # fmt: skip
    supplier = await vetting.open(boss, bare)
    assert (supplier.supplier_no, supplier.state, supplier.credential_names) == ("S07", "off", ())
    await runtime.reports.bills.open_day(supplier.id)  # it has books
    refusal = await no(vetting.go_live(boss, supplier), "supplier_not_ready")
    lacking = (
        "legal_name", "licence_no", "licence_expires_on", "settles_to",
        "credentials.base_url", "credentials.mch_id", "credentials.key",
    )  # fmt: skip
    assert refusal.facts["missing"] == ", ".join(lacking)
    assert await vetting.missing(supplier) == lacking
    supplier = await vetting.set_credentials(boss, supplier, {"mch_id": " 880001\n"})
    supplier = await vetting.set_credentials(
        boss, supplier, {"key": CREDENTIALS["key"], "base_url": "http://127.0.0.1:1029/"}
    )
    assert supplier.credentials == CREDENTIALS
    assert supplier.credential_names == ("base_url", "key", "mch_id")
    assert CREDENTIALS["key"] not in repr(supplier)
    today = clock.now().astimezone(ZoneInfo(supplier.day_cut.zone)).date()
    supplier = await vetting.amend(
        boss, supplier, legal_name=" Gulf Pay W.L.L. ", licence_no="SANDBOX-0077",
        licence_expires_on=today, settles_to="merchant",
    )  # fmt: skip
    assert await vetting.missing(supplier) == (), "a licence's last day counts"
    yesterday = today - timedelta(days=1)
    supplier = await vetting.amend(boss, supplier, licence_expires_on=yesterday)
    assert await vetting.missing(supplier) == ("licence_over",)
    await no(vetting.go_live(boss, supplier), "supplier_not_ready")
    supplier = await vetting.amend(boss, supplier, licence_expires_on=today + timedelta(days=9))
    assert await vetting.amend(boss, supplier) == supplier
    live = await vetting.go_live(boss, supplier)
    assert live == await runtime.parties.suppliers.by_no("S07")
    assert (live.state, live.legal_name) == ("live", "Gulf Pay W.L.L.")
    await no(vetting.go_live(boss, live), "supplier_live_already")
    await no(vetting.go_live(boss, supplier), "supplier_live_already")
    refusal = await no(
        vetting.amend(boss, live, licence_expires_on=yesterday), "supplier_not_ready"
    )
    assert refusal.facts["missing"] == "licence_over"
    await no(vetting.switch_off(boss, live, " "), "reason_missing")
    off = await vetting.switch_off(boss, live, "its contract ends")
    assert off == await runtime.parties.suppliers.by_id(live.id)
    await no(vetting.switch_off(boss, live, "again"), "supplier_off_already")
    assert (await trail(runtime))[before:] == [
        "open_supplier", "set_credentials", "set_credentials", *["amend_supplier"] * 3,
        "supplier_live", "supplier_off",
    ]  # fmt: skip
    kept = await runtime.system.store.fetch("SELECT actor, chat_id, facts FROM audit ORDER BY at")
    assert CREDENTIALS["key"] not in json.dumps([row["facts"] for row in kept])
    assert {row["actor"] for row in kept[before:]} == {f"telegram:{OWNER}"}
    assert kept[before + 1]["facts"]["names"] == ["mch_id"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"supplier_no": "S1"}, "field_invalid"), ({"supplier_no": "M1001"}, "field_invalid"),
        ({"supplier_no": "S01'; --"}, "field_invalid"), ({"name": ""}, "field_invalid"),
        ({"supplier_no": "S" + "1" * 10}, "field_invalid"), ({"name": " \u3000"}, "field_invalid"),
        ({"name": "n" * 65}, "field_invalid"), ({"name": "a\nb"}, "field_invalid"),
        ({"name": "a\x00"}, "field_invalid"), ({"name": "\ud800"}, "field_invalid"),
        ({"legal_name": "\u202eltd"}, "field_invalid"),
        ({"legal_name": "l" * 201}, "field_invalid"),
        ({"licence_no": "l" * 101}, "field_invalid"), ({"settles_to": "us"}, "field_invalid"),
        ({"settles_to": ""}, "field_invalid"), ({"currency": "ABC"}, "currency_unknown"),
        ({"currency": "cny"}, "currency_unknown"), ({"sandbox": False}, "supplier_not_for_desk"),
        ({"supplier_no": "S01"}, "supplier_exists"),
    ],
)  # fmt: skip
async def test_a_supplier_that_is_badly_described_is_not_opened(
    runtime: Runtime, changes: dict[str, Any], code: str
) -> None:
    before = await everything(runtime)
    new = new_supplier(await first(runtime), **changes)
    await no(runtime.supply.onboarding.open(await staff(runtime), new), code)
    assert await everything(runtime) == before


async def everything(runtime: Runtime) -> list[object]:
    """What a refusal leaves alone."""
    tables = ("supplier", "supplier_document", "business_day", "audit", "outbox")
    return [
        [
            dict(row)
            for row in await runtime.system.store.fetch(f"SELECT * FROM {table} t ORDER BY t::text")
        ]
        for table in tables
    ]


async def test_what_is_bad_is_refused_and_nothing_is_written(runtime: Runtime) -> None:
    vetting, documents, boss = (
        runtime.supply.onboarding,
        runtime.supply.documents,
        await staff(runtime),
    )
    admin = await staff(runtime, ADMIN)
    supplier = await opened(runtime)
    proposed = await documents.propose(admin, ELSEWHERE)
    rejected = await documents.reject(boss, await documents.propose(admin, numbered(1)), "no")
    hungry = await approved(runtime, MORE_CREDENTIALS)
    gone = await documents.withdraw(admin, await approved(runtime, numbered(2)), "no")
    before = await everything(runtime)
    many = "x" * 8193
    verbs: tuple[tuple[Callable[[], Awaitable[object]], str], ...] = (
        (lambda: vetting.open(boss, new_supplier(rejected, 8)), "document_state"),
        (lambda: vetting.open(boss, new_supplier(gone, 8)), "document_state"),
        (lambda: vetting.switch(boss, supplier, proposed), "document_state"),
        (lambda: vetting.switch(boss, supplier, rejected), "document_state"),
        (lambda: vetting.switch(boss, supplier, gone), "document_state"),
        (lambda: vetting.switch(boss, supplier, hungry), "credentials_missing"),
        (lambda: vetting.roll_back(boss, supplier), "nothing_to_roll_back"),
        (lambda: vetting.amend(boss, supplier, legal_name=" "), "field_invalid"),
        (lambda: vetting.amend(boss, supplier, licence_no=""), "field_invalid"),
        (lambda: vetting.amend(boss, supplier, settles_to="payer"), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"app_id": "7"}), "credential_unknown"),
        (lambda: vetting.set_credentials(boss, supplier, {"": "7"}), "credential_unknown"),
        (lambda: vetting.set_credentials(boss, supplier, {"key": " "}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"key": many}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"key": "a\x00"}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"key": "\ud800"}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"base_url": "ftp://x"}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {"base_url": "x"}), "field_invalid"),
        (lambda: vetting.set_credentials(boss, supplier, {}, document=gone), "document_state"),
        (lambda: vetting.set_credentials(boss, supplier, CREDENTIALS), "nothing"),
    )  # fmt: skip
    for verb, code in verbs:
        if code == "nothing":
            assert await verb() == supplier
        else:
            await no(verb(), code)
        assert await everything(runtime) == before
    refusal = await no(vetting.switch(boss, supplier, hungry), "credentials_missing")
    assert refusal.facts["missing"] == "credentials.app_id, credentials.terminal"
    with pytest.raises(Bug):
        await vetting.go_live(boss, replace(supplier, id=UUID(int=7)))
    assert await everything(runtime) == before


async def test_only_those_with_the_right_where_staff_alone_reads(runtime: Runtime) -> None:
    vetting, document = runtime.supply.onboarding, await first(runtime)
    supplier = await opened(runtime)
    before = await everything(runtime)
    people = [(await staff(runtime, who), "not_permitted") for who in (FINANCE, OPERATOR, 42)]
    people.append(
        (await runtime.people.access.actor(OWNER, "", CHAT, private=False), "record_not_found")
    )
    verbs: tuple[Callable[[Actor], Awaitable[object]], ...] = (
        lambda a: vetting.open(a, new_supplier(document, 8)),
        lambda a: vetting.amend(a, supplier, name="x"),
        lambda a: vetting.set_credentials(a, supplier, {"key": "x"}),
        lambda a: vetting.go_live(a, supplier),
        lambda a: vetting.switch_off(a, supplier, "no"),
        lambda a: vetting.switch(a, supplier, document),
        lambda a: vetting.roll_back(a, supplier),
    )
    for actor, code in people:
        for verb in verbs:
            await no(verb(actor), code)
    assert await everything(runtime) == before


async def test_switched_to_another_version_and_back(runtime: Runtime) -> None:
    vetting, documents, boss = (
        runtime.supply.onboarding,
        runtime.supply.documents,
        await staff(runtime),
    )
    v1 = await first(runtime)
    supplier = await vetting.go_live(boss, await opened(runtime))
    v2 = await approved(runtime, MORE_CREDENTIALS)
    v3 = await approved(runtime, ELSEWHERE)
    await no(vetting.switch(boss, supplier, v1), "document_used_already")
    supplier = await vetting.set_credentials(
        boss, supplier, {"app_id": "7", "terminal": "8"}, document=v2
    )
    assert set(CREDENTIALS) < set(supplier.credential_names), "what is there stays"
    on_2 = await vetting.switch(boss, supplier, v2)
    assert on_2 == await runtime.parties.suppliers.by_no("S07")
    await no(vetting.switch(boss, supplier, v3), "supplier_changed")
    await no(vetting.roll_back(boss, supplier), "supplier_changed")
    on_3 = await vetting.switch(boss, on_2, v3)
    await facts(runtime, OPS_CHAT)
    back = await vetting.roll_back(boss, on_3)
    assert (back.document_id, back.state) == (v2.id, "live")
    (told,) = await facts(runtime, OPS_CHAT)
    assert isinstance(told, Say)
    assert (told.screen, told.facts["before"], told.facts["after"]) == (
        "alarm_rolled_back", "sandbox_md5 v3", "sandbox_md5 v2",
    )  # fmt: skip
    await no(vetting.roll_back(boss, on_3), "supplier_changed")  # said twice, done once
    back = await vetting.roll_back(boss, back)
    assert back.document_id == v1.id
    await no(vetting.roll_back(boss, back), "nothing_to_roll_back")
    assert [(use.document_id, use.how) for use in await vetting.uses(back)] == [
        (v1.id, "opened"), (v2.id, "switched"), (v3.id, "switched"), (v2.id, "rolled_back"),
        (v1.id, "rolled_back"),
    ]  # fmt: skip
    again = await vetting.switch(boss, back, v2)
    for known in ("S01", "S02"):
        await vetting.switch_off(boss, await runtime.parties.suppliers.by_no(known), "over")
    await documents.withdraw(boss, v1, "it is over there")
    refusal = await no(vetting.roll_back(boss, again), "document_state")
    assert refusal.facts["document_state"] == "withdrawn"
    assert (await trail(runtime))[-5:] == [
        "roll_back", "switch_document", "supplier_off", "supplier_off", "withdraw_document",
    ]  # fmt: skip


async def test_a_document_must_be_approved_and_sound_when_its_supplier_goes_live(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    vetting, documents, boss = (
        runtime.supply.onboarding,
        runtime.supply.documents,
        await staff(runtime),
    )
    draft = await documents.propose(await staff(runtime, ADMIN), numbered(2))
    supplier = await vetting.open(boss, new_supplier(draft))
    supplier = await vetting.set_credentials(boss, supplier, CREDENTIALS)
    assert await vetting.missing(supplier) == ("document_approved",)
    await no(vetting.go_live(boss, supplier), "supplier_not_ready")
    await documents.approve(boss, draft)
    assert await vetting.missing(supplier) == ()
    other = await documents.propose(await staff(runtime, ADMIN), numbered(3))
    async with owner(servers, database) as connection:  # an engine that reads it otherwise
        for document, body in ((draft, "connector: nothing"), (other, numbered(3) + "x: [")):
            await connection.execute(
                "UPDATE connector_document SET body = $2 WHERE id = $1", document.id, body
            )
    later = await build_runtime(servers, database, SetClock())
    try:
        assert await later.supply.onboarding.missing(supplier) == ("document_sound",)
        await no(later.supply.onboarding.go_live(boss, supplier), "supplier_not_ready")
        await no(later.supply.documents.approve(boss, other), "document_unsound")
        await no(
            later.supply.onboarding.set_credentials(boss, supplier, {"key": "x"}),
            "document_unsound",
        )
        first_one = await later.parties.suppliers.by_no("S01")
        await no(later.supply.onboarding.switch(boss, first_one, draft), "document_unsound")
    finally:
        await later.close()


async def test_many_at_once_do_it_once(runtime: Runtime) -> None:
    vetting, boss, document = runtime.supply.onboarding, await staff(runtime), await first(runtime)

    async def once(doings: list[Awaitable[Supplier]], code: str) -> Supplier:
        results = await asyncio.gather(*doings, return_exceptions=True)
        (won,) = [r for r in results if isinstance(r, Supplier)]
        assert {refused(r) for r in results if isinstance(r, BaseException)} == {code}
        return won

    supplier = await once(
        [vetting.open(boss, new_supplier(document)) for _ in range(4)], "supplier_exists"
    )
    await asyncio.gather(
        *(vetting.set_credentials(boss, supplier, {n: v}) for n, v in CREDENTIALS.items())
    )
    supplier = await runtime.parties.suppliers.by_no("S07")
    assert supplier.credentials == CREDENTIALS, "none is lost"
    live = await once([vetting.go_live(boss, supplier) for _ in range(4)], "supplier_live_already")
    versions = [await approved(runtime, numbered(n)) for n in (2, 3, 4)]
    on = await once([vetting.switch(boss, live, v) for v in versions], "supplier_changed")
    back = await once([vetting.roll_back(boss, on) for _ in range(4)], "supplier_changed")
    assert back.document_id == document.id
    await once([vetting.switch_off(boss, back, "no") for _ in range(4)], "supplier_off_already")


async def test_withdrawn_and_switched_to_at_once_is_one_of_them(runtime: Runtime) -> None:
    vetting, boss = runtime.supply.onboarding, await staff(runtime)
    supplier = await vetting.go_live(boss, await opened(runtime))
    for number in range(6):
        document = await approved(runtime, numbered(number))
        switched, withdrawn = await asyncio.gather(
            vetting.switch(boss, supplier, document),
            runtime.supply.documents.withdraw(boss, document, "no"),
            return_exceptions=True,
        )
        if isinstance(switched, Supplier):
            assert isinstance(withdrawn, Refusal)
            assert withdrawn.code == "document_in_use"
            supplier = switched
        else:
            assert isinstance(switched, Refusal)
            assert switched.code == "document_state"
            assert isinstance(withdrawn, Document)


async def test_a_real_supplier_takes_no_sandbox_document(
    servers: Servers, empty_database: str
) -> None:
    runtime = await build_runtime(servers, empty_database, SetClock())
    try:
        await runtime.people.people.employ(OWNER, "Ada", "owner")
        await runtime.people.people.employ(ADMIN, "Ben", "admin")
        boss = await staff(runtime)
        sandbox = await approved(runtime, numbered(1))
        new = new_supplier(sandbox, sandbox=False)
        await no(runtime.supply.onboarding.open(boss, new), "document_sandbox_only")
        real = await approved(runtime, changed(("sandbox_only: true", "sandbox_only: false")))
        tests = await runtime.supply.onboarding.open(
            boss, new_supplier(sandbox, 8)
        )  # for test apps
        assert tests.sandbox
        tests = await runtime.supply.onboarding.set_credentials(boss, tests, CREDENTIALS)
        assert (await runtime.supply.onboarding.go_live(boss, tests)).sandbox
        await set_setting(runtime, "live_second", value=False)
        supplier = await runtime.supply.onboarding.open(boss, new_supplier(real, sandbox=False))
        supplier = await runtime.supply.onboarding.set_credentials(boss, supplier, CREDENTIALS)
        supplier = await runtime.supply.onboarding.go_live(boss, supplier)
        await no(runtime.supply.onboarding.switch(boss, supplier, sandbox), "document_sandbox_only")
    finally:
        await runtime.close()


async def test_the_database_puts_nobody_live_who_lacks_the_law(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    await runtime.supply.onboarding.open(
        await staff(runtime), new_supplier(await first(runtime), legal_name="")
    )
    async with owner(servers, database) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE supplier SET state = 'live'")
