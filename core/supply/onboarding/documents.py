"""Connector documents: proposed by one person, approved by another, never changed."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

import asyncpg

from core.connectors import DocumentFaults
from core.delivery.audit import Action
from core.delivery.district import Delivery
from core.delivery.outbox import Say
from core.kernel.errors import Bug, Refusal
from core.parties.lines import line
from core.people.actors import Actor
from core.people.approvals import Asked, SecondQuestion, others
from core.people.district import People
from core.people.factors import Proof
from core.supply.onboarding import checks
from core.supply.onboarding.gates import load_sound
from core.supply.onboarding.notices import AlarmDocument, DocumentDecided
from core.system.district import System
from core.system.store import Queries, Tx

RIGHT: Final = "documents"
APPROVE_RIGHT: Final = "approve_document"
LISTED: Final = 200
SHOWN_DIFF_LINES: Final = 20  # of what changes, where people are told of a document
_LIBRARY_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
State = Literal["proposed", "approved", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a text changes. former: the version that it is against, as people name it; empty of a
    first one, which is new from end to end. text: the unified form, bounded."""

    former: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a connector document.

    version: 1, 2, 3 … of its code. digest: SHA-256 of its text. note: what changed.
    decided_by_name, why: of who approved, rejected or withdrew it, last. alone: its author
    approved it, for nobody else could.
    """

    id: UUID
    code: str
    version: int
    digest: str
    note: str
    state: State
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime
    decided_by_name: str
    decided_at: datetime | None
    why: str
    alone: bool

    def __str__(self) -> str:
        """How people name it: `epay v2`."""
        return f"{self.code} v{self.version}"


@dataclass(frozen=True, slots=True)
class DocumentQuestion(SecondQuestion):
    """Whether a version counts that its author wants approved, for nobody else could when that was
    asked. digest: of its text. note: what changed."""

    kind: ClassVar[str] = "document"
    right: ClassVar[str] = APPROVE_RIGHT
    document_id: UUID
    document: str
    digest: str
    note: str


class Documents:
    """The versions of every connector document. Only one that keeps its own word is taken, and
    only an approved one is used by a live supplier.

    library: the folder of the documents that come with the desk.

    More than seven verbs: one for each move of a version, and what people read before they decide.
    """

    def __init__(self, system: System, delivery: Delivery, people: People, library: Path) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._outbox = delivery.outbox
        self._audit = delivery.audit
        self._people = people.people
        self._groups = people.groups
        self._approvals = people.approvals
        self._library = library

    # ── reading ──────────────────────────────────────────────────────────────────────────────────
    async def all(self, code: str | None = None) -> list[Document]:
        """The newest LISTED versions, of one connector or of all, newest first."""
        rows = await self._store.fetch(
            f"SELECT {_COLUMNS} FROM connector_document WHERE code = coalesce($1, code)"  # noqa: S608 (our own words)
            " ORDER BY proposed_at DESC, version DESC LIMIT $2",
            code,
            LISTED,
        )
        return [_document(row) for row in rows]

    async def by_id(self, document_id: UUID) -> Document:
        """Refusals: document_not_found."""
        return await read_document(self._store, document_id)

    async def by_no(self, code: str, version: int) -> Document:
        """Refusals: document_not_found."""
        row = None
        if 0 < version < 2**31 and _LIBRARY_CODE.fullmatch(code):
            row = await self._store.fetchrow(
                f"SELECT {_COLUMNS} FROM connector_document WHERE code = $1 AND version = $2",  # noqa: S608 (our own words)
                code,
                version,
            )
        if row is None:
            raise Refusal("document_not_found", document=f"{code[:40]} v{version}")
        return _document(row)

    async def text(self, document: Document) -> str:
        """What the document says, as it was proposed."""
        return str(
            await self._store.fetchval(
                "SELECT body FROM connector_document WHERE id = $1", document.id
            )
        )

    async def diff(self, document: Document) -> Changes:
        """What it changes against the newest version that a live supplier uses, or else the newest
        approved one."""
        text = await self.text(document)
        return await self._changes(document.code, text, document.id, str(document))

    async def changes(self, code: str, text: str) -> Changes:
        """As `diff`, of a text that nobody has proposed yet."""
        return await self._changes(code, text, None, f"{code} as sent")

    async def _changes(self, code: str, text: str, without: UUID | None, name: str) -> Changes:
        row = await self._store.fetchrow(_BEFORE, code, without)
        before, former = (row["body"], f"{code} v{row['version']}") if row else ("", "")
        return Changes(former, checks.diff(before, text, names=(former or "nothing", name)))

    def library(self) -> tuple[str, ...]:
        """The codes of the documents that come with the desk."""
        return tuple(sorted(path.stem for path in self._library.glob("*.yaml")))

    def library_text(self, code: str) -> str:
        """What such a document says. Refusals: document_not_found."""
        if code not in self.library():
            raise Refusal("document_not_found", document=code[:40])
        return (self._library / f"{code}.yaml").read_text(encoding="utf-8")

    # ── proposing and deciding ───────────────────────────────────────────────────────────────────
    async def propose(self, actor: Actor, text: str, *, note: str = "") -> Document:
        """Put up a text as the next version of its connector, for a second person to approve; the
        ops groups are told, and its author of what is decided. A text that waits or is approved
        already is that version.

        note: what changed, up to 500 characters. Raises DocumentFaults with every fault of the
        text, of its fixtures where it has none, or where it has no callback: such a text is not
        kept. Refusals: those of `Actor.need_for`, field_invalid.
        """
        actor.need_for(RIGHT)
        note = line("note", note, checks.WORDS_CHARS, least=0)
        code = (await asyncio.to_thread(load_sound, text)).code
        digest = hashlib.sha256(text.encode()).hexdigest()
        changes = await self.changes(code, text)
        async with self._store.transaction() as tx:
            await tx.hold(f"connector_document:{code}")
            known = await tx.fetchrow(_SAME, code, digest)
            if known is not None:
                return _document(known)
            row = await tx.fetchrow(
                _PROPOSE,
                self._ids.uuid7(),
                code,
                digest,
                text,
                note,
                actor.user_id,
                actor.name,
                self._clock.now(),
            )
            if row is None:
                raise Bug(f"the document {code} was not kept")
            document = _document(row)
            await self._record(tx, "propose_document", actor, document)
            alone = not await others(tx, self._people, APPROVE_RIGHT, actor.user_id)
            await self._tell(tx, document, alone=alone, changes=changes)
        return document

    async def propose_from_library(self, actor: Actor, code: str, *, note: str = "") -> Document:
        """As `propose`, with a document that comes with the desk. Refusals: document_not_found as
        well."""
        actor.need_for(RIGHT)
        return await self.propose(actor, self.library_text(code), note=note)

    async def approve(self, actor: Actor, document: Document) -> Document:
        """Let suppliers be switched to a version. What its author says about it is put to the ops
        groups where nobody else has the right, and it is given back as it was: whoever gets the
        right meanwhile decides it, or the author, with a factor.

        Refusals: those of `Actor.need_for`, second_person_needed, document_state,
        document_unsound, ops_missing.
        """
        actor.need_for(APPROVE_RIGHT)
        await self._need_sound(document)
        about = {"document_id": str(document.id)}
        waits = await self._approvals.find_open(DocumentQuestion, actor.user_id, about)
        async with self._store.transaction() as tx:
            if actor.user_id != document.proposed_by:
                return await self._decide(tx, actor, document, "approved")
            now = await read_document(tx, document.id, "FOR UPDATE")
            if now.state != "proposed":
                raise Refusal("document_state", document=now, document_state=now.state)
            if await others(tx, self._people, APPROVE_RIGHT, actor.user_id):
                raise Refusal("second_person_needed")
            if waits is None:
                question = DocumentQuestion(now.id, str(now), now.digest, now.note)
                await self._approvals.ask(tx, actor, question)
        return now

    async def decide_own(
        self, actor: Actor, asked: Asked[DocumentQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Carries out what is answered to a `DocumentQuestion`. A no leaves the version proposed.

        Refusals: those of `Approvals.answer`, document_state, document_unsound.
        """
        document = await self.by_id(asked.question.document_id)
        if yes:
            await self._need_sound(document)
        async with self._store.transaction() as tx:
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if yes:
                alone = actor.user_id == document.proposed_by
                await self._decide(tx, actor, document, "approved", alone=alone)

    async def _need_sound(self, document: Document) -> None:
        """Refusals: document_unsound (by the rules of today)."""
        try:
            await asyncio.to_thread(load_sound, await self.text(document))
        except DocumentFaults as faults:
            raise Refusal("document_unsound", document=document, first=faults.faults[0]) from None

    async def reject(self, actor: Actor, document: Document, why: str) -> Document:
        """Turn a proposed version down, for a reason.

        Refusals: those of `Actor.need_for`, reason_missing, field_invalid, document_state.
        """
        actor.need_for(APPROVE_RIGHT)
        why = checks.reason("reject_document", why)
        async with self._store.transaction() as tx:
            return await self._decide(tx, actor, document, "rejected", why=why)

    async def withdraw(self, actor: Actor, document: Document, why: str) -> Document:
        """Take a version back, for a reason: a proposed one, or an approved one to which no
        supplier shall be switched any more. What was opened with it goes on by it.

        Refusals: those of `Actor.need_for`, reason_missing, field_invalid, document_state,
        document_in_use (by live suppliers).
        """
        actor.need_for(RIGHT)
        why = checks.reason("withdraw_document", why)
        async with self._store.transaction() as tx:
            # First the document, then who uses it: a switch that has it waits, or is seen here.
            await read_document(tx, document.id, "FOR UPDATE")
            using = await tx.fetch(_USED_BY, document.id)
            if using:
                numbers = ", ".join(row["supplier_no"] for row in using)
                raise Refusal("document_in_use", document=document, suppliers=numbers)
            return await self._decide(
                tx, actor, document, "withdrawn", why=why, legal=("proposed", "approved")
            )

    async def _decide(
        self,
        tx: Tx,
        actor: Actor,
        document: Document,
        state: State,
        *,
        why: str = "",
        alone: bool = False,
        legal: tuple[State, ...] = ("proposed",),
    ) -> Document:
        row = await tx.fetchrow(
            _DECIDE,
            document.id,
            state,
            actor.user_id,
            actor.name,
            self._clock.now(),
            why,
            alone,
            list(legal),
        )
        if row is None:
            now = await read_document(tx, document.id)
            raise Refusal("document_state", document=now, document_state=now.state)
        decided = _document(row)
        await self._record(tx, _ACTIONS[state], actor, decided)
        if actor.user_id != decided.proposed_by:
            await self._tell_author(tx, decided)
        return decided

    async def _record(self, tx: Tx, action: Action, actor: Actor, document: Document) -> None:
        facts: dict[str, Any] = {
            "document_id": str(document.id),
            "code": document.code,
            "version": document.version,
            "digest": document.digest,
            "note": document.note,
            "why": document.why,
            "alone": document.alone,
            "actor_name": actor.name,
        }
        await self._audit.record(
            tx, action, actor=actor.trail_name, facts=facts, chat_id=actor.chat_id
        )

    async def _tell_author(self, tx: Tx, document: Document) -> None:
        decided = DocumentDecided(
            document_id=document.id,
            document=str(document),
            state=document.state,
            why=document.why,
            actor_name=document.decided_by_name,
        )
        await self._outbox.say(tx, document.proposed_by, Say(decided))

    async def _tell(self, tx: Tx, document: Document, *, alone: bool, changes: Changes) -> None:
        lines = changes.text.splitlines()
        alarm = AlarmDocument(
            document_id=document.id,
            code=document.code,
            version=document.version,
            note=document.note,
            actor_name=document.proposed_by_name,
            alone=alone,
            former=changes.former,
            diff=tuple(lines[:SHOWN_DIFF_LINES]),
            diff_lines=len(lines),
        )
        await self._groups.tell_ops(tx, Say(alarm))


async def read_document(
    queries: Queries, document_id: UUID, lock: Literal["", "FOR SHARE", "FOR UPDATE"] = ""
) -> Document:
    """One version; in a transaction it can be held. Refusals: document_not_found."""
    row = await queries.fetchrow(
        f"SELECT {_COLUMNS} FROM connector_document WHERE id = $1 {lock}",  # noqa: S608 (our own words)
        document_id,
    )
    if row is None:
        raise Refusal("document_not_found", document=document_id)
    return _document(row)


def _document(row: asyncpg.Record) -> Document:
    return Document(
        id=row["id"],
        code=row["code"],
        version=row["version"],
        digest=row["digest"],
        note=row["note"],
        state=row["state"],
        proposed_by=row["proposed_by"],
        proposed_by_name=row["proposed_by_name"],
        proposed_at=row["proposed_at"],
        decided_by_name=row["decided_by_name"] or "",
        decided_at=row["decided_at"],
        why=row["why"],
        alone=row["alone"],
    )


_ACTIONS: Final[dict[str, Action]] = {
    "approved": "approve_document",
    "rejected": "reject_document",
    "withdrawn": "withdraw_document",
}
_COLUMNS: Final = (
    "id, code, version, digest, note, state, proposed_by, proposed_by_name, proposed_at,"
    " decided_by_name, decided_at, why, alone"
)
_SAME: Final = (
    f"SELECT {_COLUMNS} FROM connector_document WHERE code = $1 AND digest = $2"  # noqa: S608 (our own words)
    " AND state IN ('proposed', 'approved')"
)
_PROPOSE: Final = f"""
INSERT INTO connector_document
    (id, code, version, digest, body, note, proposed_by, proposed_by_name, proposed_at)
SELECT $1, $2, (SELECT coalesce(max(version), 0) + 1 FROM connector_document WHERE code = $2),
    $3, $4, $5, $6, $7, $8
RETURNING {_COLUMNS}
"""  # noqa: S608 (our own words)
_DECIDE: Final = f"""
UPDATE connector_document
SET state = $2, decided_by = $3, decided_by_name = $4, decided_at = $5, why = $6,
    alone = alone OR $7
WHERE id = $1 AND state = ANY($8)
RETURNING {_COLUMNS}
"""  # noqa: S608 (our own words)
_USED_BY: Final = """
SELECT supplier_no FROM supplier WHERE document_id = $1 AND state = 'live'
ORDER BY supplier_no LIMIT 20
"""
_BEFORE: Final = """
SELECT d.version, d.body FROM connector_document d
WHERE d.code = $1 AND d.id IS DISTINCT FROM $2 AND d.state = 'approved'
ORDER BY EXISTS (SELECT FROM supplier s WHERE s.document_id = d.id AND s.state = 'live') DESC,
    d.version DESC
LIMIT 1
"""
