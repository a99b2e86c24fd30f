"""Merchants are let in by one person and pass their review by another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import time
from uuid import UUID

import pytest

from core.accounts.vouchers import Advance, Cause
from core.kernel.clock import DayCut
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import REVIEW_FACTS, Dossier, Merchant, NewMerchant, ReviewFacts
from core.people.actors import Actor
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SPRUCE_STAFF,
    Desk,
    refused,
)

FACTS = ReviewFacts("Spruce Tea Ltd", "91310000MA1K", "tea", "https://spruce.example", "Mei, +86 1")
NEW = NewMerchant("M2001", "云杉", "USD", DayCut(time(6), "Europe/Berlin"), FACTS)


async def in_private(desk: Desk, user_id: int = ADMIN) -> Actor:
    return await desk.runtime.people.access.actor(user_id, "somebody", user_id, private=True)


async def opened(desk: Desk, new: NewMerchant = NEW) -> Merchant:
    return await desk.runtime.accounts.admission.open(await in_private(desk), new)


async def dossier(desk: Desk, merchant: Merchant) -> Dossier:
    return await desk.runtime.parties.merchants.dossier(merchant.id)


async def asked_review(desk: Desk, merchant: Merchant, by: int = ADMIN) -> UUID:
    await desk.runtime.accounts.admission.ask_review(await in_private(desk, by), merchant, 1)
    return (await desk.runtime.people.approvals.cards.waiting())[-1].id


async def trail(desk: Desk, merchant: Merchant) -> list[str]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT action FROM audit WHERE merchant_id = $1 ORDER BY at, id", merchant.id
    )
    return [row["action"] for row in rows]


async def test_a_merchant_is_opened_with_its_first_day_and_not_reviewed(desk: Desk) -> None:
    merchants = desk.runtime.parties.merchants
    assert await merchants.next_no() == "M1003"
    merchant = await opened(desk)
    found = await dossier(desk, merchant)
    assert (found.merchant, found.facts) == (merchant, FACTS)
    assert (merchant.state, merchant.reviewed, merchant.currency) == ("open", False, "USD")
    assert merchant.day_cut == DayCut(time(6), "Europe/Berlin")
    assert (
        await desk.runtime.system.store.fetchval(
            "SELECT count(*) FROM business_day WHERE holder_id = $1", merchant.id
        )
        == 1
    )
    assert await merchants.next_no() == "M2002"
    with pytest.raises(Refusal) as error:
        await opened(desk)
    assert refused(error.value) == "merchant_exists"
    assert await trail(desk, merchant) == ["open_merchant"]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        (replace(NEW, merchant_no="X1"), "merchant_no"),
        (replace(NEW, merchant_no="M1234567890"), "merchant_no"),
        (replace(NEW, name=" "), "name"),
        *((replace(NEW, facts=replace(FACTS, **{name: "x" * (most + 1)})), name)
          for name, most in REVIEW_FACTS.items()),
        (replace(NEW, facts=replace(FACTS, site="a\nb")), "site"),
    ],
)  # fmt: skip
async def test_what_is_wrong_opens_nothing(desk: Desk, wrong: NewMerchant, param: str) -> None:
    before = len(await desk.runtime.parties.merchants.everybody())
    with pytest.raises(Refusal) as error:
        await opened(desk, wrong)
    assert (refused(error.value), error.value.param) == ("field_invalid", param)
    assert len(await desk.runtime.parties.merchants.everybody()) == before


async def test_two_who_open_at_once_get_two_numbers(desk: Desk) -> None:
    tries = [opened(desk), opened(desk)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    merchants = [one for one in found if isinstance(one, Merchant)]
    assert len(merchants) == 1
    assert [refused(one) for one in found if isinstance(one, BaseException)] == ["merchant_exists"]


@pytest.mark.parametrize("user_id", [FINANCE, OPERATOR, SPRUCE_STAFF])
async def test_it_takes_the_right(desk: Desk, user_id: int) -> None:
    actor, verbs = await in_private(desk, user_id), desk.runtime.accounts.admission
    for deed in (
        verbs.open(actor, NEW), verbs.amend(actor, desk.merchant, "name", "x"),
        verbs.suspend(actor, desk.merchant, "why"), verbs.resume(actor, desk.merchant),
        verbs.archive(actor, desk.merchant), verbs.ask_review(actor, desk.merchant, 1),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await deed
        assert refused(error.value) == "not_permitted"
    group = await desk.actor(ADMIN, CHAT)
    with pytest.raises(Refusal) as error:
        await verbs.suspend(group, desk.merchant, "why")
    assert refused(error.value) == "staff_only"


async def test_a_second_person_passes_the_review(desk: Desk) -> None:
    merchant = await opened(desk)
    approval = await asked_review(desk, merchant)
    approvals = desk.runtime.people.approvals
    own = await desk.actor(ADMIN, OPS_CHAT)
    with pytest.raises(Refusal) as error:
        await approvals.decide(own, approval, yes=True)
    assert refused(error.value) == "second_person_needed"
    no_right = await desk.actor(FINANCE, OPS_CHAT)
    with pytest.raises(Refusal) as error:
        await approvals.decide(no_right, approval, yes=True)
    assert refused(error.value) == "not_permitted"
    assert not (await dossier(desk, merchant)).merchant.reviewed
    other = await desk.actor(OWNER, OPS_CHAT)
    await approvals.decide(other, approval, yes=True)
    found = await dossier(desk, merchant)
    assert found.merchant.reviewed
    assert (found.changed, found.reviewed_by_name) == (False, other.name)
    assert (await desk.runtime.supply.market.now()).merchants[merchant.id] == found.merchant
    await approvals.decide(other, approval, yes=True)
    assert await trail(desk, merchant) == ["open_merchant", "ask_review", "pass_review"]
    with pytest.raises(Refusal) as error:
        await asked_review(desk, merchant)
    assert refused(error.value) == "merchant_reviewed"


async def test_a_review_is_about_the_facts_as_they_were_asked(desk: Desk) -> None:
    merchant = await opened(desk)
    approval = await asked_review(desk, merchant)
    verbs, actor = desk.runtime.accounts.admission, await in_private(desk)
    await verbs.amend(actor, merchant, "site", "https://other.example")
    with pytest.raises(Refusal) as error:
        await desk.runtime.people.approvals.decide(
            await desk.actor(OWNER, OPS_CHAT), approval, yes=True
        )
    assert refused(error.value) == "review_outdated"
    assert not (await dossier(desk, merchant)).merchant.reviewed
    await verbs.amend(actor, merchant, "site", FACTS.site)
    await desk.runtime.people.approvals.decide(
        await desk.actor(OWNER, OPS_CHAT), approval, yes=True
    )
    assert (await dossier(desk, merchant)).merchant.reviewed


async def test_what_changes_after_the_review_is_told_and_can_be_reviewed_again(desk: Desk) -> None:
    merchant = await opened(desk)
    verbs, actor, owner = (
        desk.runtime.accounts.admission, await in_private(desk), await desk.actor(OWNER, OPS_CHAT)
    )  # fmt: skip
    decide = desk.runtime.people.approvals.decide
    await verbs.amend(actor, merchant, "contact", "Li")
    await decide(owner, await asked_review(desk, merchant), yes=True)
    await desk.said(OPS_CHAT)
    after = await verbs.amend(actor, merchant, "name", "Other")
    assert after.changed
    assert after.merchant.reviewed
    (say,) = await desk.said(OPS_CHAT)
    assert (say.screen, say.facts["field"], say.facts["after"]) == (
        "merchant_amended", "name", "Other",
    )  # fmt: skip
    assert (await verbs.amend(actor, merchant, "name", " Other ")) == after
    assert await desk.said(OPS_CHAT) == [], "nothing changed"
    await decide(owner, await asked_review(desk, merchant), yes=True)
    assert not (await dossier(desk, merchant)).changed


async def test_facts_that_nobody_said_are_named(desk: Desk) -> None:
    merchant = await opened(desk, replace(NEW, facts=replace(FACTS, site="", contact="")))
    with pytest.raises(Refusal) as error:
        await asked_review(desk, merchant)
    assert refused(error.value) == "merchant_facts_missing"
    assert error.value.facts["lacking"] == "site, contact"


async def test_suspended_resumed_archived(desk: Desk) -> None:
    verbs, actor, merchant = (
        desk.runtime.accounts.admission, await in_private(desk), desk.merchant
    )  # fmt: skip

    async def standing() -> str:
        try:
            (await desk.runtime.supply.market.now()).app_by_key(desk.app.key_id)
        except Refusal as refusal:
            return refusal.code
        return ""

    with pytest.raises(Refusal) as error:
        await verbs.suspend(actor, merchant, " ")
    assert refused(error.value) == "reason_missing"
    with pytest.raises(Refusal) as error:
        await verbs.archive(actor, merchant)
    assert refused(error.value) == "merchant_not_suspended"
    assert await standing() == ""
    await verbs.suspend(actor, merchant, "contract ended")
    await verbs.suspend(actor, merchant, "again")
    assert await standing() == "merchant_suspended"
    cause = Cause(CHAT, 4711, 1)
    finance = await desk.actor(FINANCE)
    await desk.runtime.accounts.prepayments.record(
        finance, merchant, Advance(Money(500, "CNY"), ""), cause
    )
    with pytest.raises(Refusal) as error:
        await verbs.archive(actor, merchant)
    assert refused(error.value) == "merchant_not_settled"
    await desk.runtime.accounts.prepayments.record(
        finance, merchant, Advance(Money(-500, "CNY"), ""), replace(cause, message_id=4712)
    )
    assert (await verbs.archive(actor, merchant)).state == "archived"
    assert await standing() == "merchant_archived"
    for deed in (
        verbs.suspend(actor, merchant, "why"), verbs.amend(actor, merchant, "name", "x"),
        verbs.ask_review(actor, merchant, 1),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await deed
        assert refused(error.value) == "merchant_archived"
    await verbs.resume(actor, merchant)
    assert await standing() == ""
    actions = [one for one in await trail(desk, merchant) if one.endswith("_merchant")]
    assert actions == ["suspend_merchant", "archive_merchant", "resume_merchant"]


async def test_they_are_found_by_number_name_and_state_in_pages(desk: Desk) -> None:
    merchants = desk.runtime.parties.merchants
    for n in range(9):
        await opened(desk, replace(NEW, merchant_no=f"M30{n:02d}", name=f"Shop 100%_{n}"))
    found = await merchants.search("", "", 1)
    assert (found.page, found.pages, found.total, len(found.merchants)) == (1, 2, 11, 8)
    last = await merchants.search("", "", 99)
    assert (last.page, [one.merchant_no for one in last.merchants]) == (
        2, ["M3006", "M3007", "M3008"],
    )  # fmt: skip
    assert (await merchants.search("m3004", "", 1)).merchants[0].name == "Shop 100%_4"
    assert (await merchants.search("0%_", "", 1)).total == 9, "signs of LIKE mean nothing"
    assert (await merchants.search("SPRUCE TEA LTD", "", 1)).total == 9
    assert (await merchants.search("nobody", "", 1)).merchants == ()
    await desk.runtime.accounts.admission.suspend(
        await in_private(desk), desk.merchant, "contract ended"
    )
    assert [one.id for one in (await merchants.search("", "suspended", 1)).merchants] == [
        desk.merchant.id
    ]
