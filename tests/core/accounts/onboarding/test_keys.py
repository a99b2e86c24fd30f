"""Keys of merchants' apps: shown to one person, exchanged while both are valid, taken away."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from core.accounts.onboarding import KeysQuestion
from core.kernel.errors import Refusal
from core.parties.merchants import OVERLAP, AppKeys, KeptApp, NewMerchant
from core.people.actors import Actor
from core.people.approvals import ALONE_AFTER
from core.people.factors import Proof
from tests.core.accounts.onboarding.test_admission import FACTS, in_private, trail
from tests.core.support import ADMIN, FINANCE, OPS_CHAT, OWNER, Desk, Receiver, refused

PASSWORD = "correct horse battery"


async def proven(desk: Desk, actor: Actor, approval_id: UUID) -> Proof:
    factors = desk.runtime.people.factors
    if not await factors.enrolled(actor.user_id):
        await factors.set_password(actor, PASSWORD)
    return await factors.prove(actor, PASSWORD, approval_id)


async def kept(desk: Desk, app_id: UUID) -> KeptApp:
    return await desk.runtime.parties.merchants.apps.find(app_id)


async def one_is_enough(desk: Desk) -> None:
    owner = await in_private(desk, OWNER)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, owner, "keys_second", False)


async def no_secret_is_written(desk: Desk, *keys: AppKeys) -> None:
    """In none of the rows that people or programs read."""
    store = desk.runtime.system.store
    for table in ("outbox", "audit", "approval", "telegram_update", "app"):
        for row in await store.fetch(f"SELECT t::text AS said FROM {table} t"):
            for one in keys:
                for secret in (one.secret, one.notify_secret):
                    assert secret not in row["said"], table
                    assert secret.removeprefix("whsec_") not in row["said"], table


async def test_a_test_app_has_keys_at_once(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    keys = await verbs.open_test(actor, desk.merchant, " checkout ")
    app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    assert (app.mode, app.secrets, app.notify_secrets) == (
        "test", (keys.secret,), (keys.notify_secret,),
    )  # fmt: skip
    found = await kept(desk, keys.app_id)
    assert (found.name, found.state, found.used_at) == ("checkout", "open", None)
    await no_secret_is_written(desk, keys)
    assert (await trail(desk, desk.merchant))[-1] == "open_app"
    assert keys.secret not in repr(keys)


async def test_old_keys_stay_valid_for_a_while(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    first = await verbs.open_test(actor, desk.merchant, "shop")
    second = await verbs.rotate_test(actor, first.app_id)
    assert second.key_id == first.key_id
    app = (await desk.runtime.supply.market.now()).app_by_key(first.key_id)
    now = desk.clock.now()
    assert app.secrets_at(now) == (second.secret, first.secret)
    assert app.notify_secrets_at(now) == (second.notify_secret, first.notify_secret)
    assert second.old_until is not None
    assert app.secrets_at(second.old_until) == (second.secret,)
    assert app.notify_secrets_at(second.old_until) == (second.notify_secret,)
    third = await verbs.rotate_test(actor, first.app_id)
    with pytest.raises(Refusal) as error:
        await verbs.rotate_test(actor, first.app_id)
    assert refused(error.value) == "keys_rotated_often"
    app = (await kept(desk, first.app_id)).app
    assert app.secrets_at(desk.clock.now()) == (third.secret, second.secret, first.secret)
    desk.clock.advance(OVERLAP.total_seconds() + 1)
    fourth = await verbs.rotate_test(actor, first.app_id)
    app = (await kept(desk, first.app_id)).app
    assert app.secrets == (fourth.secret, third.secret), "what was over is forgotten"
    await no_secret_is_written(desk, first, second, third, fourth)


async def test_old_keys_are_ended_at_once(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    first = await verbs.open_test(actor, desk.merchant, "shop")
    second = await verbs.rotate_test(actor, first.app_id)
    for _ in range(2):
        found = await verbs.end_old(actor, first.app_id)
        assert (found.app.secrets, found.app.old_until) == ((second.secret,), None)
        assert found.app.notify_secrets == (second.notify_secret,)
    assert (await trail(desk, desk.merchant)).count("end_old_keys") == 1


async def test_live_keys_need_another_person_and_the_askers_factor(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    approvals = desk.runtime.people.approvals
    before = (await kept(desk, desk.app.id)).app
    with pytest.raises(Refusal) as error:
        await verbs.rotate_test(actor, desk.app.id)
    assert refused(error.value) == "factor_needed"
    with pytest.raises(Refusal) as error:
        await verbs.ask_live(actor, desk.merchant, 1, app_id=desk.app.id)
    assert refused(error.value) == "factor_missing"
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    assert await verbs.ask_live(actor, desk.merchant, 1, app_id=desk.app.id) is None
    assert await verbs.ask_live(actor, desk.merchant, 1, app_id=desk.app.id) is None
    (card,) = await approvals.cards.waiting()
    own = await proven(desk, actor, card.id)
    for who, proof in ((await desk.actor(ADMIN, OPS_CHAT), None), (actor, own)):
        with pytest.raises(Refusal) as error:
            await approvals.decide(who, card.id, yes=True, proof=proof)
        assert refused(error.value) == "second_person_needed"
    with pytest.raises(Refusal) as error:
        await verbs.take(actor, card.id, own)
    assert refused(error.value) == "confirmation_expired", "it is another question"
    await approvals.decide(await desk.actor(OWNER, OPS_CHAT), card.id, yes=True)
    assert (await kept(desk, desk.app.id)).app == before, "nothing is made before it is shown"
    (ready,) = [say for say in await desk.said(ADMIN) if say.screen == "keys_ready"]
    approval_id = UUID(ready.facts["approval_id"])
    owner = await in_private(desk, OWNER)
    with pytest.raises(Refusal) as error:
        await verbs.take(owner, approval_id, await proven(desk, owner, approval_id))
    assert refused(error.value) == "confirmation_foreign"
    with pytest.raises(Refusal) as error:
        await verbs.take(actor, approval_id, own)
    assert refused(error.value) == "factor_needed", "a proof is for one question"
    proof = await proven(desk, actor, approval_id)
    keys = await verbs.take(actor, approval_id, proof)
    app = (await kept(desk, desk.app.id)).app
    assert app.secrets == (keys.secret, *before.secrets)
    with pytest.raises(Refusal) as error:
        await verbs.take(actor, approval_id, proof)
    assert refused(error.value) == "confirmation_expired", "once"
    assert (await kept(desk, desk.app.id)).app == app
    await no_secret_is_written(desk, keys)


@pytest.mark.parametrize("when", ["asked", "approved"])
async def test_keys_are_for_the_merchant_as_it_was_when_they_were_asked_for(
    desk: Desk, when: str
) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    approvals, admission = desk.runtime.people.approvals, desk.runtime.accounts.admission
    owner = await desk.actor(OWNER, OPS_CHAT)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    await verbs.ask_live(actor, desk.merchant, 1, app_id=desk.app.id)
    (card,) = await approvals.cards.waiting()
    if when == "approved":
        await approvals.decide(owner, card.id, yes=True)
    await admission.amend(actor, desk.merchant, "legal_name", "Somebody Else Ltd")
    before = (await kept(desk, desk.app.id)).app
    if when == "asked":
        step: Awaitable[object] = approvals.decide(owner, card.id, yes=True)
    else:
        (ready,) = [say for say in await desk.said(ADMIN) if say.screen == "keys_ready"]
        approval_id = UUID(ready.facts["approval_id"])
        step = verbs.take(actor, approval_id, await proven(desk, actor, approval_id))
    with pytest.raises(Refusal) as error:
        await step
    assert refused(error.value) == "keys_outdated"
    assert (await kept(desk, desk.app.id)).app == before


async def test_the_card_says_that_the_review_is_of_other_facts(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    approvals, admission = desk.runtime.people.approvals, desk.runtime.accounts.admission
    merchant = await admission.open(actor, NewMerchant("M2001", "new", facts=FACTS))
    await admission.ask_review(actor, merchant, 1)
    (review,) = await approvals.cards.waiting()
    await approvals.decide(await desk.actor(OWNER, OPS_CHAT), review.id, yes=True)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    for message_id, changed in ((2, False), (3, True)):
        await verbs.ask_live(actor, merchant, message_id, name="till")
        question = (await approvals.cards.waiting())[-1].question
        assert isinstance(question, KeysQuestion)
        assert question.review_changed is changed
        await admission.amend(actor, merchant, "legal_name", "Somebody Else Ltd")


async def test_where_one_is_enough_a_factor_opens_a_live_app(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    await one_is_enough(desk)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    approval_id = await verbs.ask_live(actor, desk.merchant, 1, name="till")
    assert approval_id is not None
    keys = await verbs.take(actor, approval_id, await proven(desk, actor, approval_id))
    app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    assert (app.mode, app.merchant.id) == ("live", desk.merchant.id)
    assert (await kept(desk, keys.app_id)).name == "till"


async def test_who_is_alone_waits_and_proves_it(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    approvals = desk.runtime.people.approvals
    await desk.runtime.system.store.execute(
        "UPDATE person SET role = 'support' WHERE role IS NOT NULL AND user_id <> $1", ADMIN
    )
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    await verbs.ask_live(actor, desk.merchant, 1, app_id=desk.app.id)
    (card,) = await approvals.cards.waiting()
    with pytest.raises(Refusal) as error:
        await approvals.decide(actor, card.id, yes=True, proof=await proven(desk, actor, card.id))
    assert refused(error.value) == "approval_waits"
    desk.clock.advance(ALONE_AFTER.total_seconds())
    await approvals.decide(actor, card.id, yes=True, proof=await proven(desk, actor, card.id))
    ready = [say for say in await desk.said(ADMIN) if say.screen == "keys_ready"]
    assert [say.facts["key_id"] for say in ready] == [desk.app.key_id]


async def test_no_live_keys_before_the_review(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    merchant = await desk.runtime.accounts.admission.open(
        actor, NewMerchant("M2001", "new", facts=FACTS)
    )
    with pytest.raises(Refusal) as error:
        await verbs.ask_live(actor, merchant, 1, name="till")
    assert refused(error.value) == "merchant_not_reviewed"
    await verbs.open_test(actor, merchant, "till")


async def test_a_revoked_key_is_unknown_for_ever(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    with pytest.raises(Refusal) as error:
        await verbs.revoke(actor, desk.app.id, "")
    assert refused(error.value) == "reason_missing"
    await verbs.revoke(actor, desk.app.id, "it leaked")
    with pytest.raises(Refusal) as error:
        (await desk.runtime.supply.market.now()).app_by_key(desk.app.key_id)
    assert refused(error.value) == "key_unknown"
    for deed in (
        verbs.revoke(actor, desk.app.id, "again"), verbs.rotate_test(actor, desk.app.id),
        verbs.set_ip_allow(actor, desk.app.id, ""), verbs.end_old(actor, desk.app.id),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await deed
        assert refused(error.value) == "key_unknown"


async def test_what_is_set_of_an_app(desk: Desk) -> None:
    verbs, actor = desk.runtime.accounts.keys, await in_private(desk)
    found = await verbs.set_ip_allow(actor, desk.app.id, "203.0.113.7, 2001:db8::/32 203.0.113.7")
    assert found.app.ip_allow == ("203.0.113.7", "2001:db8::/32")
    found = await verbs.set_notify_url(actor, desk.app.id, "https://shop.example/hear")
    assert found.app.notify_url == "https://shop.example/hear"
    found = await verbs.set_calls_per_s(actor, desk.app.id, 100)
    assert found.app.calls_per_s == 100
    for deed, param in (
        (verbs.set_ip_allow(actor, desk.app.id, "203.0.113.7/24"), "ip"),
        (verbs.set_ip_allow(actor, desk.app.id, "shop.example"), "ip"),
        (verbs.set_ip_allow(actor, desk.app.id, " ".join(f"10.0.0.{n}" for n in range(51))), "ip"),
        (verbs.set_notify_url(actor, desk.app.id, "shop.example"), "notify_url"),
        (verbs.set_calls_per_s(actor, desk.app.id, 0), "calls_per_s"),
    ):
        with pytest.raises(Refusal) as error:
            await deed
        assert (refused(error.value), error.value.param) == ("field_invalid", param)
    after = (await kept(desk, desk.app.id)).app
    assert after == found.app
    assert (await verbs.set_ip_allow(actor, desk.app.id, "")).app.ip_allow == ()
    foreign = await in_private(desk, FINANCE)
    with pytest.raises(Refusal) as error:
        await verbs.set_calls_per_s(foreign, desk.app.id, 1)
    assert refused(error.value) == "not_permitted"


async def test_a_ping_is_signed_with_all_keys_that_are_valid(
    desk: Desk, receiver: Receiver
) -> None:
    verbs, actor, pings = (
        desk.runtime.accounts.keys, await in_private(desk), desk.runtime.accounts.pings
    )  # fmt: skip
    keys = await verbs.open_test(actor, desk.merchant, "shop")
    with pytest.raises(Refusal) as error:
        await pings.send(actor, keys.app_id)
    assert refused(error.value) == "notify_url_missing"
    await verbs.set_notify_url(actor, keys.app_id, receiver.url)
    newer = await verbs.rotate_test(actor, keys.app_id)
    receiver.answers = [(200, {}), (503, {}), (0, {})]
    ping = await pings.send(actor, keys.app_id)
    assert (ping.status, ping.heard, ping.why) == (200, True, "")
    (heard,) = receiver.received
    assert b'"type":"ping"' in heard.body
    for secret in (keys.notify_secret, newer.notify_secret):
        signed = Webhook(secret).sign(
            heard.headers["webhook-id"],
            _instant(heard.headers["webhook-timestamp"]),
            heard.body.decode(),
        )
        assert signed in heard.headers["webhook-signature"].split()
    ping = await pings.send(actor, keys.app_id)
    assert (ping.status, ping.heard) == (503, False)
    ping = await pings.send(actor, keys.app_id)
    assert (ping.status, ping.heard) == (None, False)
    assert ping.why


def _instant(timestamp_s: str) -> datetime:
    return datetime.fromtimestamp(int(timestamp_s), UTC)
