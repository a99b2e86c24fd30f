"""Documents: what is proposed is sound, what is approved was approved by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from bot.world import DOCUMENTS
from core.connectors import DocumentFaults
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import ALONE_AFTER, LAST_AFTER
from core.runtime import Runtime
from core.supply.onboarding import Documents
from tests.conftest import Servers
from tests.core.supply.onboarding.support import (
    ELSEWHERE,
    FORGERY_BELIEVED,
    NO_CALLBACK,
    PASSWORD,
    TEXT,
    alone,
    approved,
    changed,
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
    facts,
    owner,
    refused,
)


async def rows(runtime: Runtime) -> int:
    return int(await runtime.system.store.fetchval("SELECT count(*) FROM connector_document"))


async def test_a_text_becomes_the_next_version_and_waits_for_a_second_person(
    runtime: Runtime,
) -> None:
    documents = runtime.supply.documents
    await facts(runtime, OPS_CHAT)
    admin, boss = await staff(runtime, ADMIN), await staff(runtime, OWNER)
    before = len(await trail(runtime))
    second = await documents.propose(admin, ELSEWHERE, note="  answers in another word ")
    assert (str(second), second.state, second.note) == (
        "sandbox_md5 v2", "proposed", "answers in another word",
    )  # fmt: skip
    assert (second.proposed_by, second.proposed_by_name) == (ADMIN, "陈立")
    assert await documents.text(second) == ELSEWHERE
    (told,) = await facts(runtime, OPS_CHAT)
    assert isinstance(told, Say)
    assert (told.screen, told.facts["version"], told.facts["alone"]) == ("alarm_document", 2, False)

    with pytest.raises(Refusal) as error:
        await documents.approve(admin, second)
    assert refused(error.value) == "second_person_needed"
    assert await documents.propose(boss, ELSEWHERE) == second, "the same text is the same version"
    done = await documents.approve(boss, second)
    assert (done.state, done.decided_by_name, done.alone) == ("approved", "林悦", False)
    assert await documents.by_no("sandbox_md5", 2) == await documents.by_id(second.id) == done
    assert await documents.propose(admin, ELSEWHERE) == done
    third = await documents.propose(admin, numbered(3))
    assert third.version == 3
    assert [d.version for d in await documents.all("sandbox_md5")] == [3, 2, 1]
    assert [d.version for d in await documents.all("epay")] == []
    assert (await trail(runtime))[before:] == [
        "propose_document", "approve_document", "propose_document",
    ]  # fmt: skip
    for document in (second, done):  # as it was seen, and as it is: it is approved already
        with pytest.raises(Refusal) as error:
            await documents.approve(boss, document)
        assert refused(error.value) == "document_state"
    assert await facts(runtime, OPS_CHAT) != []


async def test_what_does_not_keep_its_word_is_not_kept_and_every_fault_is_said(
    runtime: Runtime,
) -> None:
    admin = await staff(runtime, ADMIN)
    before = await rows(runtime)
    untried = TEXT[: TEXT.index("    - verify: callback")]
    for text, faults in (
        ("", 1), ("x: [", 1), ("\ud800", 1), ("a\x00b", 1), ("connector: Bad", 3),
        (changed(("sent: mch_id", "sent: MCH"), ("pay: http", "pay: ftp")), 3),
        (FORGERY_BELIEVED, 2), (NO_CALLBACK, 1), (untried, 2), (TEXT + "#" * 65_536, 1),
    ):  # fmt: skip
        with pytest.raises(DocumentFaults) as error:
            await runtime.supply.documents.propose(admin, text)
        assert len(error.value.faults) >= faults, (text[:40], error.value.faults)
    for note in ("n" * 501, "a\nb", "\u202e"):
        with pytest.raises(Refusal) as refusal:
            await runtime.supply.documents.propose(admin, ELSEWHERE, note=note)
        assert refused(refusal.value) == "field_invalid"
    assert await rows(runtime) == before


async def test_only_those_with_the_right_where_staff_alone_reads(runtime: Runtime) -> None:
    documents, before = runtime.supply.documents, await rows(runtime)
    document = await documents.propose(await staff(runtime, ADMIN), ELSEWHERE)
    verbs: tuple[Callable[[Actor], Awaitable[object]], ...] = (
        lambda a: documents.propose(a, TEXT),
        lambda a: documents.propose_from_library(a, "epay"),
        lambda a: documents.approve(a, document),
        lambda a: documents.reject(a, document, "no"),
        lambda a: documents.withdraw(a, document, "no"),
    )
    for user_id in (FINANCE, OPERATOR, 42):
        actor = await staff(runtime, user_id)
        for verb in verbs:
            with pytest.raises(Refusal) as error:
                await verb(actor)
            assert refused(error.value) == "not_permitted"
    group = await runtime.people.access.actor(OWNER, "", CHAT, private=False)
    with pytest.raises(Refusal) as error:
        await documents.approve(group, document)
    assert refused(error.value) == "record_not_found", "a merchant's people read along"
    hidden = await runtime.people.access.actor(1087968824, "", OPS_CHAT, private=False)
    with pytest.raises(Refusal) as error:
        await documents.approve(hidden, document)
    assert refused(error.value) == "anonymous_admin"
    assert (await documents.by_id(document.id)).state == "proposed"
    assert await rows(runtime) == before + 1


async def test_two_at_once_decide_once_and_count_without_gaps(runtime: Runtime) -> None:
    documents = runtime.supply.documents
    admin, boss = await staff(runtime, ADMIN), await staff(runtime, OWNER)
    await runtime.people.people.employ(FINANCE, "周敏", "admin")
    third = await staff(runtime, FINANCE)
    made = await asyncio.gather(
        *(documents.propose(admin, text) for text in (numbered(1), ELSEWHERE, numbered(1)))
    )
    assert sorted(d.version for d in made) in ([2, 2, 3], [2, 3, 3])
    assert made[0] == made[2]
    document = made[0]
    results = await asyncio.gather(
        documents.approve(boss, document), documents.approve(third, document),
        documents.reject(boss, document, "wrong"), documents.withdraw(admin, document, "wrong"),
        return_exceptions=True,
    )  # fmt: skip
    won = [r for r in results if not isinstance(r, BaseException)]
    codes = [refused(r) for r in results if isinstance(r, BaseException)]
    # What is approved can still be withdrawn, so that two may win: one after the other.
    assert [d.state for d in won] in (
        [["approved"], ["rejected"], ["withdrawn"], ["approved", "withdrawn"]]
    )
    assert set(codes) == {"document_state"}
    assert (await trail(runtime)).count("approve_document") == (won[0].state == "approved")


async def test_alone_at_the_desk_approval_waits_takes_a_factor_and_is_told(
    runtime: Runtime, clock: SetClock
) -> None:
    documents = runtime.supply.documents
    await runtime.people.people.employ(ADMIN, "陈立", "operator")
    clock.advance(LAST_AFTER.total_seconds())
    boss = await staff(runtime, OWNER)
    await runtime.people.factors.set_password(boss, PASSWORD)
    await facts(runtime, OPS_CHAT)
    document = await documents.propose(boss, ELSEWHERE)
    clock.advance(86_400)  # how long it was there is no matter
    for _ in range(2):
        assert (await documents.approve(boss, document)).state == "proposed"
    (asked,) = await runtime.people.approvals.cards.waiting()
    assert await alone(runtime, boss, asked.id) == "approval_waits"
    clock.advance(ALONE_AFTER.total_seconds())
    assert await alone(runtime, boss, asked.id, proven=False) == "factor_needed"
    assert (await documents.by_id(document.id)).state == "proposed"
    assert await alone(runtime, boss, asked.id) == ""
    done = await documents.by_id(document.id)
    assert (done.state, done.alone) == ("approved", True)
    told = [f.screen for f in await facts(runtime, OPS_CHAT) if isinstance(f, Say)]
    assert told == ["alarm_document", "approved_alone"]

    other = await documents.propose(boss, numbered(2))
    clock.advance(86_400)
    await runtime.people.people.employ(ADMIN, "陈立", "admin")  # now there is a second person
    with pytest.raises(Refusal) as error:
        await documents.approve(boss, other)
    assert refused(error.value) == "second_person_needed"


async def test_rejected_and_withdrawn_are_for_ever_but_the_text_may_come_again(
    runtime: Runtime,
) -> None:
    documents = runtime.supply.documents
    admin, boss = await staff(runtime, ADMIN), await staff(runtime, OWNER)
    second = await documents.propose(admin, ELSEWHERE)
    for why, code in (
        ("", "reason_missing"),
        (" ", "reason_missing"),
        ("x" * 501, "field_invalid"),
    ):
        for verb in (documents.reject, documents.withdraw):
            with pytest.raises(Refusal) as error:
                await verb(boss, second, why)
            assert refused(error.value) == code
    rejected = await documents.reject(boss, second, "the refund is signed otherwise")
    assert (rejected.state, rejected.why) == ("rejected", "the refund is signed otherwise")
    for verb in (documents.reject, documents.withdraw):
        with pytest.raises(Refusal) as error:
            await verb(boss, second, "again")
        assert refused(error.value) == "document_state"
        assert error.value.facts["document_state"] == "rejected"
    again = await documents.propose(admin, ELSEWHERE)
    assert (again.version, again.state) == (3, "proposed")
    assert (await documents.withdraw(admin, again, "a slip")).state == "withdrawn"
    fourth = await approved(runtime, ELSEWHERE)
    assert fourth.version == 4
    assert (await documents.withdraw(admin, fourth, "it is over")).state == "withdrawn"
    first = await documents.by_no("sandbox_md5", 1)
    with pytest.raises(Refusal) as error:
        await documents.withdraw(admin, first, "it is over")
    assert refused(error.value) == "document_in_use"
    assert error.value.facts["suppliers"] == "S01, S02"
    for missing in (documents.by_id(UUID(int=7)), documents.by_no("sandbox_md5", 99),
                    documents.by_no("'", 1), documents.by_no("epay", 2**40)):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await missing
        assert refused(error.value) == "document_not_found"


async def test_who_approves_sees_what_changes(runtime: Runtime) -> None:
    documents, admin = runtime.supply.documents, await staff(runtime, ADMIN)
    document = await documents.propose(admin, numbered(2))
    shown = (await documents.diff(document)).text.splitlines()
    assert shown[:2] == ["--- sandbox_md5 v1", "+++ sandbox_md5 v2"]
    lines = [line for line in shown[2:] if line[0] in "+-"]
    assert lines == [
        "-name: Sandbox supplier (MD5 form)", "+name: Sandbox supplier 2 (MD5 form)",
    ]  # fmt: skip
    long = await documents.propose(admin, TEXT + "#\n" * 1000 + f"# {'x' * 3000}\n")
    shown = (await documents.diff(long)).text.splitlines()
    assert len(shown) == 401
    assert shown[-1].startswith("… ")
    assert max(map(len, shown)) <= 500
    first = await documents.propose_from_library(admin, "epay")
    changes = await documents.diff(first)
    assert changes.former == ""
    assert changes.text.splitlines()[:2] == ["--- nothing", "+++ epay v1"]


async def test_the_library_comes_in_by_the_same_door(runtime: Runtime) -> None:
    documents, admin = runtime.supply.documents, await staff(runtime, ADMIN)
    assert set(documents.library()) == {path.stem for path in DOCUMENTS.glob("*.yaml")}
    for code in documents.library():
        document = await documents.propose_from_library(admin, code)
        assert document.code == code
    for code in ("", "../core/errors", "README", "nothing", "a" * 500):
        with pytest.raises(Refusal) as error:
            await documents.propose_from_library(admin, code)
        assert refused(error.value) == "document_not_found"


async def test_the_desk_cannot_change_a_text_nor_approve_its_authors_own(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    document = await runtime.supply.documents.propose(await staff(runtime, ADMIN), ELSEWHERE)
    for sql in (
        "UPDATE connector_document SET body = ''", "UPDATE connector_document SET version = 9",
        "DELETE FROM connector_document", "UPDATE supplier_document SET seq = 9",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.system.store.execute(sql)
    own = (
        "UPDATE connector_document SET state = 'approved', decided_by = proposed_by,"
        " decided_at = now() WHERE id = $1"
    )
    async with owner(servers, database) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(own, document.id)


async def test_a_desk_without_a_library_has_none(runtime: Runtime, tmp_path: Path) -> None:
    documents = Documents(runtime.system, runtime.delivery, runtime.people, tmp_path)
    assert documents.library() == ()
    (tmp_path / "odd.yaml").write_text("connector: odd", encoding="utf-8")
    with pytest.raises(DocumentFaults):
        await documents.propose_from_library(await staff(runtime, ADMIN), "odd")
