"""A real supplier goes live by two people's word, as it was when that was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.runtime import Runtime
from tests.conftest import Servers
from tests.core.supply.onboarding.support import (
    CREDENTIALS,
    approved,
    changed,
    new_supplier,
    no,
    staff,
)
from tests.core.support import (
    ADMIN,
    FINANCE,
    OPS_CHAT,
    OWNER,
    SetClock,
    build_runtime,
    facts,
    set_setting,
)

NEW_KEY = {"key": "another-key-0123456789"}


@pytest.fixture
async def production(servers: Servers, empty_database: str) -> AsyncIterator[Runtime]:
    """A desk with an ops group, an owner and an admin."""
    runtime = await build_runtime(servers, empty_database, SetClock())
    try:
        for user_id, role in ((OWNER, "owner"), (ADMIN, "admin"), (FINANCE, "finance")):
            await runtime.people.people.employ(user_id, role, role)
        await runtime.people.groups.seen(
            OPS_CHAT, chat_type="supergroup", title="ops", bot_status="administrator"
        )
        async with runtime.system.store.transaction() as tx:
            await runtime.people.groups.bind_ops(tx, OPS_CHAT)
        yield runtime
    finally:
        await runtime.close()


@pytest.fixture
async def supplier(production: Runtime) -> Supplier:
    """One that lacks nothing to be live, set up by the owner."""
    boss, onboarding = await staff(production), production.supply.onboarding
    real = await approved(production, changed(("sandbox_only: true", "sandbox_only: false")))
    supplier = await onboarding.open(boss, new_supplier(real, sandbox=False))
    return await onboarding.set_credentials(boss, supplier, CREDENTIALS)


async def in_ops(runtime: Runtime, user_id: int) -> Actor:
    return await runtime.people.access.actor(user_id, "", OPS_CHAT, private=False)


async def answer(runtime: Runtime, user_id: int, *, yes: bool = True) -> str:
    """Press a button of the newest card; the code of what is refused."""
    asked = await runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'supplier_live' ORDER BY created_at DESC, id DESC"
    )
    actor = await in_ops(runtime, user_id)
    try:
        await runtime.people.approvals.decide(actor, asked, yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


async def state(runtime: Runtime, supplier: Supplier) -> str:
    return (await runtime.parties.suppliers.by_id(supplier.id)).state


async def test_a_real_supplier_goes_live_by_two(production: Runtime, supplier: Supplier) -> None:
    boss, onboarding = await staff(production), production.supply.onboarding
    assert (await onboarding.go_live(boss, supplier)).state == "off"
    await no(onboarding.go_live(boss, supplier), "supplier_live_asked")
    await no(onboarding.go_live(await staff(production, ADMIN), supplier), "supplier_live_asked")
    assert await answer(production, OWNER) == "second_person_needed"
    assert await answer(production, FINANCE) == "not_permitted"
    assert await state(production, supplier) == "off"
    assert await answer(production, ADMIN) == ""
    assert await state(production, supplier) == "live"
    assert await answer(production, ADMIN) == ""
    row = await production.system.store.fetchrow(
        "SELECT actor, facts FROM audit WHERE action = 'supplier_live'"
    )
    assert row is not None
    assert (row["actor"], row["facts"]["approved_by"]) == (f"telegram:{OWNER}", ADMIN)
    await no(onboarding.go_live(boss, supplier), "supplier_live_already")


async def test_nothing_secret_is_in_the_question(production: Runtime, supplier: Supplier) -> None:
    await production.supply.onboarding.go_live(await staff(production), supplier)
    kept = str(await production.system.store.fetch("SELECT facts FROM approval"))
    said = str(await production.system.store.fetch("SELECT facts FROM outbox"))
    for secret in (CREDENTIALS["key"], CREDENTIALS["mch_id"]):
        assert secret not in kept
        assert secret not in said


async def test_a_desk_without_an_ops_group_is_told_to_make_one(
    production: Runtime, supplier: Supplier
) -> None:
    async with production.system.store.transaction() as tx:
        await production.people.groups.unbind(tx, OPS_CHAT)
    await no(production.supply.onboarding.go_live(await staff(production), supplier), "ops_missing")
    assert await state(production, supplier) == "off"


@pytest.mark.parametrize("what", ["credentials", "licence", "off"])
async def test_a_yes_is_for_the_supplier_that_was_seen(
    production: Runtime, supplier: Supplier, what: str
) -> None:
    boss, onboarding = await staff(production), production.supply.onboarding
    await onboarding.go_live(boss, supplier)
    code = "supplier_changed"
    match what:
        case "credentials":
            await onboarding.set_credentials(boss, supplier, NEW_KEY)
        case "licence":
            await onboarding.amend(boss, supplier, licence_expires_on=date(2098, 1, 1))
        case _:
            await onboarding.amend(boss, supplier, licence_expires_on=date(2020, 1, 1))
            code = "supplier_not_ready"
    assert await answer(production, ADMIN) == code
    assert await state(production, supplier) == "off"
    assert await answer(production, ADMIN, yes=False) == ""
    assert await answer(production, ADMIN) == ""
    assert await state(production, supplier) == "off"


async def test_credentials_that_wait_count_from_then_on(
    production: Runtime, supplier: Supplier
) -> None:
    boss, onboarding = await staff(production), production.supply.onboarding
    await onboarding.go_live(boss, supplier)
    assert await answer(production, ADMIN) == ""
    waits = await onboarding.set_credentials(boss, supplier, NEW_KEY)
    assert waits.state == "off"
    assert (await onboarding.go_live(boss, waits)).state == "off"
    assert await answer(production, OWNER) == "second_person_needed"
    assert await answer(production, ADMIN) == ""
    now = await production.parties.suppliers.by_id(supplier.id)
    assert (now.state, now.credentials["key"], now.waiting) == ("live", NEW_KEY["key"], None)


async def test_a_sandbox_and_a_desk_without_the_switch_need_one(
    production: Runtime, supplier: Supplier
) -> None:
    boss, onboarding = await staff(production), production.supply.onboarding
    await set_setting(production, "live_second", value=False)
    assert (await onboarding.go_live(boss, supplier)).state == "live"
    await set_setting(production, "live_second", value=True)
    document = await production.supply.documents.by_id(supplier.document_id)
    tests = await onboarding.open(boss, new_supplier(document, 8))
    tests = await onboarding.set_credentials(boss, tests, CREDENTIALS)
    assert (await onboarding.go_live(boss, tests)).state == "live"
    told = [fact.screen for fact in await facts(production, OPS_CHAT) if isinstance(fact, Say)]
    assert "approved_alone" not in told
