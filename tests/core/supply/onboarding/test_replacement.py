"""Credentials: what one person alone replaces counts for nothing until a second one confirms it,
and no document that one person wrote lets an address be elsewhere."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlencode

from core.connectors import Callback
from core.delivery.outbox import Say
from core.parties.suppliers import Supplier
from core.people.approvals import ALONE_AFTER, LAST_AFTER
from core.runtime import Runtime
from core.trade.orders import Opened
from handlers.screens import render_say
from tests.core.supply.onboarding.support import (
    CREDENTIALS,
    MORE_CREDENTIALS,
    PASSWORD,
    PINNED,
    PINNED_ELSEWHERE,
    alone,
    approved,
    changed,
    new_supplier,
    no,
    numbered,
    staff,
    trail,
)
from tests.core.support import ADMIN, OPS_CHAT, OWNER, Desk, SetClock, facts


async def live(runtime: Runtime, text: str, number: int = 7) -> Supplier:
    """A supplier that is live by a document of this text."""
    boss, document = await staff(runtime), await approved(runtime, text)
    supplier = await runtime.supply.onboarding.open(boss, new_supplier(document, number))
    supplier = await runtime.supply.onboarding.set_credentials(boss, supplier, CREDENTIALS)
    return await runtime.supply.onboarding.go_live(boss, supplier)


async def told(runtime: Runtime) -> list[Say]:
    """What the ops group heard of credentials since."""
    said = [fact for fact in await facts(runtime, OPS_CHAT) if isinstance(fact, Say)]
    return [say for say in said if say.screen == "alarm_credentials"]


def forged(supplier: Supplier, opened: Opened, key: str) -> Callback:
    """That an order is paid, by somebody who knows a key."""
    assert opened.attempt is not None
    said = {
        "mch_id": supplier.credentials["mch_id"], "out_trade_no": opened.attempt.attempt_no,
        "trade_no": "X1", "amount": "100.00", "paid_amount": "100.00", "status": "SUCCESS",
        "paid_at": "1767323100", "nonce": "c1",
    }  # fmt: skip
    text = "&".join(f"{name}={said[name]}" for name in sorted(said)) + f"&key={key}"
    said["sign"] = hashlib.md5(text.encode()).hexdigest().upper()  # noqa: S324 (theirs)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return Callback("POST", "", headers, urlencode(said).encode(), "::1")


async def test_who_replaces_a_key_forges_nothing_and_everybody_hears_of_it(desk: Desk) -> None:
    runtime = desk.runtime
    boss, admin = await staff(runtime, OWNER), await staff(runtime, ADMIN)
    opened, honest = await desk.open(10_000), await desk.open(10_000)
    before = await runtime.parties.suppliers.by_no("S01")
    await facts(runtime, OPS_CHAT)
    after = await runtime.supply.onboarding.set_credentials(admin, before, {"key": "mine"})
    assert after == await runtime.parties.suppliers.by_no("S01")
    assert (after.state, after.credentials) == ("off", before.credentials)
    assert "mine" not in repr(after)
    (say,) = await told(runtime)
    assert (say.facts["supplier_no"], say.facts["names"]) == ("S01", ["key"])
    assert (say.facts["alone"], say.facts["confirmed"]) == (False, False)
    assert say.facts["actor_name"] == admin.name
    for language in ("en", "zh"):
        assert "mine" not in render_say(say, language).html

    assert opened.attempt is not None
    callback = forged(before, opened, "mine")
    answer = await runtime.trade.callbacks.receive(
        opened.attempt.attempt_no, callback, request_id="x"
    )
    assert answer.status == 400
    await runtime.trade.callbacks.act_due(10)
    assert (await desk.order(opened)).state == "pending"
    await desk.pay(honest)  # by the key that counts
    assert (await desk.order(honest)).state == "paid"
    other = await desk.open(10_000)
    assert other.attempt is not None
    assert other.attempt.supplier_no == "S02"

    await no(runtime.supply.onboarding.go_live(admin, after), "second_person_needed")
    assert await runtime.parties.suppliers.by_no("S01") == after
    confirmed = await runtime.supply.onboarding.go_live(boss, after)
    assert confirmed == await runtime.parties.suppliers.by_no("S01")
    assert confirmed.credentials == {**before.credentials, "key": "mine"}
    assert (confirmed.state, confirmed.waiting) == ("live", None)
    assert await told(runtime) == []
    kept = await runtime.system.store.fetch(
        "SELECT actor, action, facts FROM audit ORDER BY at, id"
    )
    assert [row["action"] for row in kept[-2:]] == ["set_credentials", "supplier_live"]
    assert kept[-2]["facts"]["waiting"] == kept[-1]["facts"]["confirmed"] == ["key"]
    assert '"mine"' not in json.dumps([row["facts"] for row in kept])
    await desk.sound()


async def test_what_waits_is_one_persons_and_off_is_no_way_round(runtime: Runtime) -> None:
    vetting = runtime.supply.onboarding
    boss, admin = await staff(runtime, OWNER), await staff(runtime, ADMIN)
    supplier = await vetting.open(
        boss, new_supplier(await runtime.supply.documents.by_no("sandbox_md5", 1))
    )
    wrong = await vetting.set_credentials(boss, supplier, {**CREDENTIALS, "key": "mistyped"})
    right = await vetting.set_credentials(boss, wrong, CREDENTIALS)
    assert (right.credentials, right.waiting) == (CREDENTIALS, None), "it was never live"
    await facts(runtime, OPS_CHAT)
    now = await vetting.go_live(boss, right)

    v2 = await approved(runtime, MORE_CREDENTIALS)
    now = await vetting.set_credentials(admin, now, {"app_id": "7"}, document=v2)
    assert (now.state, now.credentials["app_id"], now.waiting) == ("live", "7", None)
    assert await told(runtime) == [], "what was not set replaces nothing"

    now = await vetting.switch_off(admin, now, "to replace its key")
    now = await vetting.set_credentials(admin, now, {"key": "a", "terminal": "8"}, document=v2)
    assert now.credentials == {**CREDENTIALS, "app_id": "7", "terminal": "8"}
    assert now.waiting is not None
    now = await vetting.set_credentials(admin, now, {"mch_id": "1"})
    assert now.waiting is not None
    assert now.waiting.credentials == {"key": "a", "mch_id": "1"}
    assert [say.facts["names"] for say in await told(runtime)] == [["key"], ["key", "mch_id"]]
    await no(vetting.go_live(admin, now), "second_person_needed")

    now = await vetting.set_credentials(boss, now, {"key": "b"})  # so what the admin set is over
    assert now.waiting is not None
    assert (now.waiting.by, now.waiting.credentials) == (OWNER, {"key": "b"})
    await no(vetting.go_live(boss, now), "second_person_needed")
    steps = len(await trail(runtime))
    assert await vetting.set_credentials(admin, now, {"key": "b"}) == now
    assert len(await trail(runtime)) == steps
    now = await vetting.set_credentials(boss, now, {"key": CREDENTIALS["key"]})
    assert (now.waiting, now.state) == (None, "off")
    now = await vetting.go_live(boss, now)  # it is what it was
    assert now.credentials == {**CREDENTIALS, "app_id": "7", "terminal": "8"}


async def test_alone_at_the_desk_it_waits_and_is_told_twice(
    runtime: Runtime, clock: SetClock
) -> None:
    vetting, boss = runtime.supply.onboarding, await staff(runtime)
    supplier = await live(runtime, numbered(1))
    await runtime.people.people.employ(ADMIN, "陈立", "operator")
    clock.advance(LAST_AFTER.total_seconds())
    await runtime.people.factors.set_password(boss, PASSWORD)
    await facts(runtime, OPS_CHAT)
    supplier = await vetting.set_credentials(boss, supplier, {"key": "new"})
    assert (await vetting.go_live(boss, supplier)).state == "off"
    (asked,) = await runtime.people.approvals.cards.waiting()
    assert await alone(runtime, boss, asked.id) == "approval_waits"
    clock.advance(ALONE_AFTER.total_seconds())
    assert await alone(runtime, boss, asked.id, proven=False) == "factor_needed"
    assert await alone(runtime, boss, asked.id) == ""
    supplier = await runtime.parties.suppliers.by_no(supplier.supplier_no)
    assert (supplier.state, supplier.credentials["key"]) == ("live", "new")
    heard = [(say.facts["alone"], say.facts["confirmed"]) for say in await told(runtime)]
    assert heard == [(True, False), (True, True)]


async def test_no_document_of_ones_own_lets_the_address_be_elsewhere(runtime: Runtime) -> None:
    vetting, documents = runtime.supply.onboarding, runtime.supply.documents
    boss, admin = await staff(runtime), await staff(runtime, ADMIN)
    supplier = await live(runtime, PINNED)
    evil = {"base_url": "http://127.0.0.2:1029"}
    mine = await documents.propose(boss, changed(("connector: sandbox_md5", "connector: mine")))
    loose = await documents.propose(boss, numbered(1))
    strict = await documents.propose(boss, PINNED_ELSEWHERE)
    over = await documents.reject(boss, await documents.propose(admin, numbered(2)), "no")
    steps = len(await trail(runtime))
    for document, code in (
        (None, "field_invalid"), (mine, "document_of_other"), (loose, "field_invalid"),
        (strict, "field_invalid"), (over, "document_state"),
    ):  # fmt: skip
        await no(vetting.set_credentials(boss, supplier, evil, document=document), code)
    both = {"base_url": "http://127.0.0.1:1030"}
    await no(vetting.set_credentials(boss, supplier, both, document=strict), "field_invalid")
    assert len(await trail(runtime)) == steps
    assert await runtime.parties.suppliers.by_no("S07") == supplier
    moved = await vetting.set_credentials(boss, supplier, both, document=loose)
    assert moved.waiting is not None
    assert moved.waiting.credentials == both


async def test_an_address_that_a_version_does_not_allow_is_missing(runtime: Runtime) -> None:
    vetting, boss = runtime.supply.onboarding, await staff(runtime)
    supplier = await live(runtime, numbered(1))
    tight = await approved(runtime, PINNED_ELSEWHERE)
    refusal = await no(vetting.switch(boss, supplier, tight), "credentials_missing")
    assert refusal.facts["missing"] == "credentials.base_url"
    at_home = await vetting.switch(boss, supplier, await approved(runtime, PINNED))
    fresh = await vetting.open(boss, new_supplier(tight, 8))
    await no(vetting.set_credentials(boss, fresh, CREDENTIALS), "field_invalid")
    await runtime.parties.suppliers.set_credentials(runtime.system.store, at_home.id, {
        **CREDENTIALS, "base_url": "http://127.0.0.2:1029",
    })  # fmt: skip
    astray = await vetting.switch_off(boss, at_home, "where is it?")
    assert await vetting.missing(astray) == ("credentials.base_url",)
    await no(vetting.go_live(boss, astray), "supplier_not_ready")
    astray = await vetting.roll_back(boss, astray)
    assert await vetting.missing(astray) == ()
