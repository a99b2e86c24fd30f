"""Second factors: enrolled once, a code counts once, five wrong answers lock."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.alarms import Alarm
from core.people.factors import LOCK_AFTER, PERIOD_S, Factors, code_at
from tests.core.support import ADMIN, OPERATOR, OPS_CHAT, OWNER, Desk, SetClock, alarms

QUESTION = uuid4()
PASSWORD = "correct horse battery"


def factors(desk: Desk) -> Factors:
    return desk.runtime.people.factors


async def private(desk: Desk, user_id: int = OPERATOR) -> Actor:
    return await desk.runtime.people.access.actor(user_id, "somebody", user_id, private=True)


async def enrol(desk: Desk, user_id: int = OPERATOR) -> str:
    """The secret of a new app. Its first code is used up."""
    actor = await private(desk, user_id)
    secret = (await factors(desk).begin_totp(actor, "Paydesk")).secret
    await factors(desk).finish_totp(actor, code_at(secret, desk.clock.now()))
    desk.clock.advance(PERIOD_S)
    return secret


async def refusal(desk: Desk, answer: str, user_id: int = OPERATOR) -> str:
    """Why an answer proves nothing; empty where it does."""
    try:
        await factors(desk).prove(await private(desk, user_id), answer, QUESTION)
    except Refusal as refused:
        return refused.code
    return ""


async def test_an_app_counts_after_its_first_code(desk: Desk, clock: SetClock) -> None:
    actor = await private(desk)
    assert await refusal(desk, "123456") == "factor_missing"
    enrolment = await factors(desk).begin_totp(actor, "Paydesk")
    assert enrolment.uri.startswith("otpauth://totp/Paydesk:")
    assert enrolment.secret in enrolment.uri
    assert enrolment.secret not in repr(enrolment)
    assert not await factors(desk).enrolled(OPERATOR)
    again = await factors(desk).begin_totp(actor, "Paydesk")
    assert again.secret != enrolment.secret, "the first one was never used"
    with pytest.raises(Refusal, match="not right"):
        await factors(desk).finish_totp(actor, code_at(enrolment.secret, clock.now()))
    await factors(desk).finish_totp(actor, code_at(again.secret, clock.now()))
    assert await factors(desk).enrolled(OPERATOR)
    with pytest.raises(Refusal, match="one already"):
        await factors(desk).begin_totp(actor, "Paydesk")
    assert await refusal(desk, code_at(again.secret, clock.now())) == "code_used"


async def test_a_code_proves_once_and_for_its_question(desk: Desk, clock: SetClock) -> None:
    secret = await enrol(desk)
    actor = await private(desk)
    code = code_at(secret, clock.now())
    proof = await factors(desk).prove(actor, f" {code} ", QUESTION)
    assert (proof.user_id, proof.approval_id, proof.kind) == (OPERATOR, QUESTION, "totp")
    assert await refusal(desk, code) == "code_used"
    clock.advance(PERIOD_S)
    assert await refusal(desk, code) == "code_used", "the period before is behind it"
    assert await refusal(desk, code_at(secret, clock.now())) == ""
    assert await refusal(desk, code_at(secret, clock.now()), ADMIN) == "factor_missing"


async def test_of_twins_one_proves(desk: Desk, clock: SetClock) -> None:
    code = code_at(await enrol(desk), clock.now())
    codes = await asyncio.gather(*(refusal(desk, code) for _ in range(4)))
    assert sorted(codes) == ["", *["code_used"] * 3]


async def test_a_phone_may_be_a_period_off(desk: Desk, clock: SetClock) -> None:
    secret = await enrol(desk)
    clock.advance(10 * PERIOD_S)
    now = clock.now()
    for off, refused in ((-2, "factor_wrong"), (2, "factor_wrong"), (-1, ""), (1, "")):
        with clock.behind(0):
            code = code_at(secret, now.fromtimestamp(now.timestamp() + off * PERIOD_S, now.tzinfo))
        assert await refusal(desk, code) == refused, off


async def test_a_password_is_a_factor_of_its_own(desk: Desk) -> None:
    actor = await private(desk)
    for weak in ("short", "1234567890123", "x" * 129):
        with pytest.raises(Refusal, match="at least 10"):
            await factors(desk).set_password(actor, weak)
    await factors(desk).set_password(actor, PASSWORD)
    with pytest.raises(Refusal, match="one already"):
        await factors(desk).set_password(actor, PASSWORD + "!")
    assert await refusal(desk, PASSWORD) == ""
    assert await refusal(desk, PASSWORD) == "", "a password may be said again"
    assert await refusal(desk, PASSWORD.upper()) == "factor_wrong"
    assert await refusal(desk, "123456") == "factor_wrong", "there is no app"
    kept = await desk.runtime.system.store.fetchval("SELECT password_hash FROM factor")
    assert kept.startswith("$argon2id$")


async def prove_enrolled(desk: Desk, question: UUID, answer: str) -> str:
    """What it is refused with that a factor counts; empty: nothing."""
    actor = await private(desk)
    try:
        proof = await factors(desk).prove(actor, answer, question)
        await desk.runtime.people.approvals.decide(actor, question, yes=True, proof=proof)
    except Refusal as refused:
        return refused.code
    return ""


async def test_whoever_has_an_app_proves_a_password_with_it(desk: Desk, clock: SetClock) -> None:
    """Else whoever holds the person's chat account would replace what they have."""
    secret, enrolments = await enrol(desk), desk.runtime.people.enrolments
    question = await enrolments.set_password(await private(desk), PASSWORD)
    assert question is not None
    assert await refusal(desk, PASSWORD) == "factor_wrong", "it does not count yet"
    with pytest.raises(Refusal, match="code or completion password"):
        await desk.runtime.people.approvals.decide(await private(desk), question, yes=True)
    assert await prove_enrolled(desk, question, PASSWORD) == "factor_wrong", "not by itself"
    newer = await enrolments.set_password(await private(desk), PASSWORD + "!")
    assert newer is not None
    code = code_at(secret, clock.now())
    assert await prove_enrolled(desk, question, code) == "confirmation_expired", "of another one"
    clock.advance(PERIOD_S)
    assert await prove_enrolled(desk, newer, code_at(secret, clock.now())) == ""
    assert await refusal(desk, PASSWORD) == "factor_wrong"
    assert await refusal(desk, PASSWORD + "!") == ""


async def test_whoever_has_a_password_proves_an_app_with_it(desk: Desk, clock: SetClock) -> None:
    enrolments = desk.runtime.people.enrolments
    assert await enrolments.set_password(await private(desk), PASSWORD) is None
    secret = (await enrolments.begin_totp(await private(desk), "Paydesk")).secret
    question = await enrolments.finish_totp(await private(desk), code_at(secret, clock.now()))
    assert question is not None
    clock.advance(PERIOD_S)
    assert await refusal(desk, code_at(secret, clock.now())) == "factor_wrong"
    assert await prove_enrolled(desk, question, code_at(secret, clock.now())) == "factor_wrong"
    assert await prove_enrolled(desk, question, PASSWORD) == ""
    clock.advance(PERIOD_S)
    assert await refusal(desk, code_at(secret, clock.now())) == ""


async def test_of_two_that_are_enrolled_at_once_one_proves_the_other(desk: Desk) -> None:
    actor, enrolments = await private(desk), desk.runtime.people.enrolments
    secret = (await enrolments.begin_totp(actor, "Paydesk")).secret
    asked = await asyncio.gather(
        enrolments.finish_totp(actor, code_at(secret, desk.clock.now())),
        enrolments.set_password(actor, PASSWORD),
    )
    assert len([one for one in asked if one is None]) == 1
    assert len([one for one in await factors(desk).of(OPERATOR) if one.enrolled_at]) == 1


async def test_ops_is_told_of_each_factor_that_counts(desk: Desk) -> None:
    secret, enrolments = await enrol(desk), desk.runtime.people.enrolments
    told = [say for say in await desk.said(OPS_CHAT) if say.screen == "factor_added"]
    assert [(say.facts["user_id"], say.facts["kind"]) for say in told] == [(OPERATOR, "totp")]
    question = await enrolments.set_password(await private(desk), PASSWORD)
    assert question is not None
    assert await prove_enrolled(desk, question, code_at(secret, desk.clock.now())) == ""
    told = [say for say in await desk.said(OPS_CHAT) if say.screen == "factor_added"]
    assert [say.facts["kind"] for say in told][-1] == "password"


async def test_five_wrong_answers_lock_for_a_quarter_of_an_hour(
    desk: Desk, clock: SetClock
) -> None:
    secret = await enrol(desk)
    for left in range(LOCK_AFTER - 1, 0, -1):
        with pytest.raises(Refusal, match=f"left: {left}"):
            await factors(desk).prove(await private(desk), "wrong", QUESTION)
    assert await refusal(desk, "wrong") == "factor_locked"
    assert await refusal(desk, code_at(secret, clock.now())) == "factor_locked", "right, but late"
    (alarm,) = [one for one in await sounded(desk) if one.kind == "factor"]
    assert (alarm.facts["user_id"], alarm.facts["tries"]) == (OPERATOR, LOCK_AFTER)
    clock.advance(15 * 60 - 1)
    assert await refusal(desk, code_at(secret, clock.now())) == "factor_locked"
    clock.advance(1)
    assert await refusal(desk, "wrong") == "factor_wrong", "it begins anew"
    assert await refusal(desk, code_at(secret, clock.now())) == ""
    assert await refusal(desk, "wrong") == "factor_wrong"
    with pytest.raises(Refusal, match="left: 3"):
        await factors(desk).prove(await private(desk), "wrong", QUESTION)


async def test_a_code_that_is_said_again_and_again_locks_and_alarms(
    desk: Desk, clock: SetClock
) -> None:
    code = code_at(await enrol(desk), clock.now())
    assert await refusal(desk, code) == ""
    codes = [await refusal(desk, code) for _ in range(LOCK_AFTER)]
    assert codes == ["code_used"] * (LOCK_AFTER - 1) + ["factor_locked"]
    assert [one.kind for one in await sounded(desk)] == ["factor"]


async def test_many_at_once_are_no_more_than_five(desk: Desk) -> None:
    await enrol(desk)
    codes = await asyncio.gather(*(refusal(desk, "wrong") for _ in range(20)))
    assert codes.count("factor_wrong") == LOCK_AFTER - 1
    assert codes.count("factor_locked") == 20 - LOCK_AFTER + 1


async def test_what_two_owners_take_away_is_gone(desk: Desk, clock: SetClock) -> None:
    secret = await enrol(desk)
    owner = await private(desk, OWNER)
    async with desk.runtime.system.store.transaction() as tx:
        assert await factors(desk).take_away(tx, owner, OPERATOR)
        assert not await factors(desk).take_away(tx, owner, OPERATOR)
    assert await refusal(desk, code_at(secret, clock.now())) == "factor_missing"
    await enrol(desk)


async def test_a_secret_is_kept_sealed_and_told_to_no_trail(desk: Desk) -> None:
    secret = await enrol(desk)
    await factors(desk).set_password(await private(desk), PASSWORD)
    store = desk.runtime.system.store
    for table in ("factor", "factor_lock", "audit", "outbox", "alarm"):
        for row in await store.fetch(f"SELECT t::text AS said FROM {table} t"):
            assert secret not in row["said"]
            assert PASSWORD not in row["said"]
            assert secret.encode().hex() not in row["said"]


async def sounded(desk: Desk) -> list[Alarm]:
    return await alarms(desk.runtime)
