"""Second factors: enrolled once, a code counts once, five wrong answers lock."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.alarms import Alarm
from core.people.factors import LOCK_AFTER, PERIOD_S, Factors, code_at
from tests.core.support import ADMIN, OPERATOR, OWNER, Desk, SetClock, alarms

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
