"""Suppliers on their way to being live, and off again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.connectors import Connector, DocumentFaults
from core.delivery.audit import Action, Audit
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.parties.suppliers import NewSupplier, Supplier, Suppliers, licence_over
from core.people.actors import Actor
from core.people.approvals import Asked, others
from core.people.district import People
from core.people.factors import Proof
from core.supply.onboarding import checks, gates
from core.supply.onboarding.documents import Document, read_document
from core.supply.onboarding.live import RIGHT, SupplierLiveQuestion, live_question
from core.supply.onboarding.notices import AlarmCredentials, AlarmRolledBack
from core.supply.onboarding.replacement import with_credentials
from core.supply.onboarding.uses import NewUse, Use, add_use, last_seq, read_uses, use_before
from core.system.district import System
from core.system.store import Tx

LIVE_SECOND: Final = "live_second"  # the setting


class Onboarding:
    """Opens suppliers and lets them pass their gates. A supplier is handed in as somebody saw it;
    what is decided, is decided from how it stands now.

    Every verb wants a chat where staff alone reads, writes the trail, and gives the supplier back
    as it is then. allow_private: for demo and tests only, see `Gateway`.

    More than seven verbs: one for each move of a supplier, there and back.
    """

    def __init__(
        self,
        system: System,
        audit: Audit,
        suppliers: Suppliers,
        people: People,
        *,
        allow_private: bool,
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._audit = audit
        self._suppliers = suppliers
        self._people = people.people
        self._groups = people.groups
        self._access = people.access
        self._settings = people.settings
        self._approvals = people.approvals
        self._allow_private = allow_private
        people.approvals.carries_out(SupplierLiveQuestion, self._decide_live)

    async def open(self, actor: Actor, new: NewSupplier) -> Supplier:
        """Open a supplier, off and without credentials, with a version that is proposed or
        approved. A demo has sandbox suppliers only; those of a production desk serve test apps.

        Refusals: those of `Actor.need_for`, field_invalid, currency_unknown,
        supplier_not_for_desk, document_not_found, document_state, document_sandbox_only,
        supplier_exists.
        """
        actor.need_for(RIGHT)
        new = checks.new_supplier(new)
        if not new.sandbox and await self._store.kind() == "demo":
            raise Refusal("supplier_not_for_desk")
        connector = await self._connector(new.document_id)
        async with self._store.transaction() as tx:
            document = await read_document(tx, new.document_id, "FOR SHARE")
            if document.state not in ("proposed", "approved"):
                raise _wrong_state(document)
            if connector is not None and connector.sandbox_only and not new.sandbox:
                raise Refusal("document_sandbox_only", document=document)
            supplier = await self._suppliers.add(tx, new)
            await self._use(tx, actor, supplier.id, NewUse(document.id, "opened", None))
            await self._record(
                tx, "open_supplier", actor, supplier,
                document=str(document), currency=new.currency, sandbox=new.sandbox,
                **_lawful(supplier),
            )  # fmt: skip
        return supplier

    async def amend(
        self,
        actor: Actor,
        supplier: Supplier,
        *,
        name: str | None = None,
        legal_name: str | None = None,
        licence_no: str | None = None,
        licence_expires_on: date | None = None,
        settles_to: str | None = None,
    ) -> Supplier:
        """Say who the supplier is, what licence it has and whom it settles to; None: as it was.

        Nothing can be taken away again. Refusals: those of `Actor.need_for`, field_invalid,
        supplier_not_ready (a live supplier whose licence would be over).
        """
        actor.need_for(RIGHT)
        said: dict[str, Any] = {}
        if name is not None:
            said["name"] = checks.supplier_line("name", name)
        if legal_name is not None:
            said["legal_name"] = checks.supplier_line("legal_name", legal_name)
        if licence_no is not None:
            said["licence_no"] = checks.supplier_line("licence_no", licence_no)
        if licence_expires_on is not None:
            said["licence_expires_on"] = licence_expires_on
        if settles_to is not None:
            said["settles_to"] = checks.settles_to(settles_to)
        async with self._held(supplier) as (tx, before):
            after = replace(before, **said)
            if after == before:
                return before
            renewed = after.licence_expires_on != before.licence_expires_on
            if after.state == "live" and renewed and self._licence_over(after):
                raise Refusal(
                    "supplier_not_ready", supplier_no=after.supplier_no, missing="licence_over"
                )
            await tx.execute(
                _AMEND, after.id, after.name, after.legal_name, after.licence_no,
                after.licence_expires_on, after.settles_to,
            )  # fmt: skip
            await self._record(
                tx, "amend_supplier", actor, after,
                before=_lawful(before), after=_lawful(after),
            )  # fmt: skip
            return after

    async def set_credentials(
        self,
        actor: Actor,
        supplier: Supplier,
        credentials: Mapping[str, str],
        *,
        document: Document | None = None,
    ) -> Supplier:
        """Set some or all credentials; those that are not said stay. They are kept sealed and
        never shown again: `Supplier.credential_names` tells which are set.

        What replaces a credential of a supplier that was ever live waits until a second person
        puts the supplier live: it is off meanwhile, what was counts, and the ops groups are told.
        document: the version to which the supplier is to be switched, where it names others than
        the one in use: proposed or approved, and of its connector. base_url: https, at one of the
        servers of both documents where they name some. Refusals: those of `Actor.need_for`,
        credential_unknown, field_invalid, document_of_other, document_state, document_unsound.
        """
        actor.need_for(RIGHT)
        async with self._held(supplier) as (tx, before):
            given = await self._checked(tx, before, credentials, document)
            changed = sorted(n for n, text in given.items() if before.coming.get(n) != text)
            if not changed:
                return before
            after = with_credentials(before, given, by=actor.user_id, at=self._clock.now())
            await self._suppliers.keep_credentials(tx, after)
            waits = sorted(after.waiting.credentials) if after.waiting else []
            await self._record(
                tx, "set_credentials", actor, after,
                names=changed, waiting=waits, taken_off=after.state != before.state,
            )  # fmt: skip
            if waits and after.waiting != before.waiting:
                alone = not await others(tx, self._people, RIGHT, actor.user_id)
                await self._tell_credentials(tx, actor, after, waits, alone=alone)
            return after

    async def missing(self, supplier: Supplier) -> tuple[str, ...]:
        """What the supplier still lacks to be live: names of GATES in
        `core.supply.onboarding.gates`, and `credentials.<name>`. Nothing: it may go live."""
        document = await read_document(self._store, supplier.document_id)
        return await self._missing(supplier, document)

    async def missing_for(self, supplier: Supplier, document: Document) -> tuple[str, ...]:
        """The credentials that the supplier lacks to be switched to a version, by name."""
        connector = await self._connector(document.id)
        if connector is None:
            return ()
        coming = replace(supplier, credentials=supplier.coming)
        return gates.missing_credentials(coming, connector)

    async def go_live(self, actor: Actor, supplier: Supplier) -> Supplier:
        """Let channels of the supplier take orders. Unless it is a sandbox, a second person is
        asked first where the desk's settings say so: it is given back as it was then.

        Credentials that wait count from then on. Where no second person is asked, whoever set them
        asks likewise, and only where nobody else has the right.
        Refusals: those of `Actor.need_for`, supplier_live_already, supplier_not_ready (which names
        everything that is missing), second_person_needed, supplier_live_asked, ops_missing.
        """
        actor.need_for(RIGHT)
        async with self._held(supplier) as (tx, before):
            document = await self._need_ready(tx, before)
            second = not before.sandbox and await self._settings.switched_on(LIVE_SECOND, tx)
            own = before.waiting is not None and before.waiting.by == actor.user_id
            if own and not second and await others(tx, self._people, RIGHT, actor.user_id):
                raise Refusal("second_person_needed")
            if own or second:
                question = await live_question(tx, before, document)
                waits = await self._approvals.cards.open_about(
                    tx, SupplierLiveQuestion, supplier_id=before.id
                )
                if any(one.question == question for one in waits):
                    raise Refusal("supplier_live_asked", supplier_no=before.supplier_no)
                await self._approvals.ask(tx, actor, question, supplier_id=before.id)
                return before
            return await self._put_live(tx, actor, before, document)

    async def _decide_live(
        self, actor: Actor, asked: Asked[SupplierLiveQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, asker_not_permitted, supplier_live_already,
        supplier_not_ready, supplier_changed."""
        question = asked.question
        author = await asked.asker(self._access) if yes else actor
        async with self._store.transaction() as tx:
            before = await self._suppliers.hold(tx, question.supplier_id)
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if not yes:
                return
            document = await self._need_ready(tx, before)
            if await live_question(tx, before, document) != question:
                raise Refusal("supplier_changed", supplier_no=before.supplier_no)
            if before.waiting is not None and before.waiting.by == author.user_id == actor.user_id:
                names = list(question.waiting)
                await self._tell_credentials(tx, actor, before, names, alone=True, confirmed=True)
            await self._put_live(tx, author, before, document, approver=actor)

    async def _need_ready(self, tx: Tx, supplier: Supplier) -> Document:
        """The document of a supplier that may go live, held. Refusals: supplier_live_already,
        supplier_not_ready."""
        if supplier.state == "live":
            raise Refusal("supplier_live_already", supplier_no=supplier.supplier_no)
        document = await read_document(tx, supplier.document_id, "FOR SHARE")
        if missing := await self._missing(supplier, document, tx):
            raise Refusal(
                "supplier_not_ready", supplier_no=supplier.supplier_no, missing=", ".join(missing)
            )
        return document

    async def _put_live(
        self,
        tx: Tx,
        actor: Actor,
        before: Supplier,
        document: Document,
        *,
        approver: Actor | None = None,
    ) -> Supplier:
        after = replace(before, state="live", lived=True, credentials=before.coming, waiting=None)
        await tx.execute(
            "UPDATE supplier SET live_at = $2 WHERE id = $1", before.id, self._clock.now()
        )
        await self._suppliers.keep_credentials(tx, after)
        await self._record(
            tx, "supplier_live", actor, before,
            document=str(document),
            confirmed=sorted(before.waiting.credentials) if before.waiting else [],
            approved_by=approver.user_id if approver else None,
            approved_by_name=approver.name if approver else "",
            **_lawful(before),
        )  # fmt: skip
        return after

    async def switch_off(self, actor: Actor, supplier: Supplier, why: str) -> Supplier:
        """Let no channel of the supplier take orders; those that are there go on.

        Refusals: those of `Actor.need_for`, reason_missing, field_invalid, supplier_off_already.
        """
        actor.need_for(RIGHT)
        why = checks.reason("switch_off", why)
        async with self._held(supplier) as (tx, before):
            if before.state == "off":
                raise Refusal("supplier_off_already", supplier_no=before.supplier_no)
            await tx.execute("UPDATE supplier SET state = 'off' WHERE id = $1", before.id)
            await self._record(tx, "supplier_off", actor, before, why=why)
            return replace(before, state="off")

    async def switch(self, actor: Actor, supplier: Supplier, document: Document) -> Supplier:
        """Have new orders speak to the supplier by another version, which is approved. Those that
        were opened go on by theirs.

        Refusals: those of `Actor.need_for`, supplier_changed (meanwhile it uses another version
        than was seen), document_not_found, document_state, document_sandbox_only,
        document_unsound, document_used_already, credentials_missing.
        """
        actor.need_for(RIGHT)
        async with self._held(supplier) as (tx, before):
            self._need_same(supplier, before)
            if document.id == before.document_id:
                raise Refusal(
                    "document_used_already", document=document, supplier_no=before.supplier_no
                )
            seq = await last_seq(tx, before.id)
            return await self._turn(tx, actor, before, NewUse(document.id, "switched", seq))

    async def roll_back(self, actor: Actor, supplier: Supplier) -> Supplier:
        """Go back at once to the version that was in use before, which was approved then; the ops
        groups are told. Said again, it goes back one further.

        Refusals: as `switch`, nothing_to_roll_back.
        """
        actor.need_for(RIGHT)
        async with self._held(supplier) as (tx, before):
            self._need_same(supplier, before)
            use = await use_before(tx, before.id)
            if use is None:
                raise Refusal("nothing_to_roll_back", supplier_no=before.supplier_no)
            after = await self._turn(tx, actor, before, use)
            left = await read_document(tx, before.document_id)
            alarm = AlarmRolledBack(
                supplier_no=before.supplier_no,
                supplier_name=before.name,
                before=str(left),
                after=str(await read_document(tx, after.document_id)),
                actor_name=actor.name,
            )
            await self._groups.tell_ops(tx, Say(alarm))
            return after

    async def uses(self, supplier: Supplier) -> list[Use]:
        """The versions that the supplier has used, the one in use last; the newest hundred."""
        return await read_uses(self._store, supplier.id)

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    @asynccontextmanager
    async def _held(self, supplier: Supplier) -> AsyncIterator[tuple[Tx, Supplier]]:
        """A transaction with the supplier held, as it stands now."""
        async with self._store.transaction() as tx:
            yield tx, await self._suppliers.hold(tx, supplier.id)

    async def _checked(
        self, tx: Tx, supplier: Supplier, given: Mapping[str, str], document: Document | None
    ) -> dict[str, str]:
        """Credentials as they may be kept, by the document in use and by one that may follow."""
        used = await read_document(tx, supplier.document_id)
        named_by = used
        if document is not None and document.id != used.id:
            named_by = await read_document(tx, document.id, "FOR SHARE")
            if named_by.code != used.code:
                raise Refusal(
                    "document_of_other",
                    supplier_no=supplier.supplier_no,
                    connector=used.code,
                    document=named_by,
                )
            if named_by.state not in ("proposed", "approved"):
                raise _wrong_state(named_by)
        in_use = await self._connector(used.id, tx)
        connector = await self._connector(named_by.id, tx)
        if connector is None or in_use is None:
            unsound = named_by if connector is None else used
            raise Refusal("document_unsound", document=unsound, first="it cannot be loaded")
        return checks.credentials(
            given,
            connector,
            document=str(named_by),
            in_use=in_use,
            allow_private=self._allow_private,
        )

    async def _tell_credentials(
        self,
        tx: Tx,
        actor: Actor,
        supplier: Supplier,
        names: list[str],
        *,
        alone: bool,
        confirmed: bool = False,
    ) -> None:
        alarm = AlarmCredentials(
            supplier_no=supplier.supplier_no,
            supplier_name=supplier.name,
            names=tuple(names),
            actor_name=actor.name,
            alone=alone,
            confirmed=confirmed,
        )
        await self._groups.tell_ops(tx, Say(alarm))

    def _need_same(self, seen: Supplier, now: Supplier) -> None:
        if seen.document_id != now.document_id:
            raise Refusal("supplier_changed", supplier_no=now.supplier_no)

    async def _turn(self, tx: Tx, actor: Actor, before: Supplier, use: NewUse) -> Supplier:
        """Use another version from now on."""
        document = await read_document(tx, use.document_id, "FOR SHARE")
        if document.state != "approved":
            raise _wrong_state(document)
        connector = await self._connector(document.id, tx)
        if connector is None:
            raise Refusal("document_unsound", document=document, first="it cannot be loaded")
        if gates.not_for(connector, before):
            raise Refusal("document_sandbox_only", document=document)
        if faults := await asyncio.to_thread(gates.unsound, connector):
            raise Refusal("document_unsound", document=document, first=faults[0])
        if lacking := gates.missing_credentials(before, connector):
            raise Refusal(
                "credentials_missing",
                document=document,
                supplier_no=before.supplier_no,
                missing=", ".join(f"credentials.{name}" for name in lacking),
            )
        await tx.execute(
            "UPDATE supplier SET document_id = $2 WHERE id = $1", before.id, document.id
        )
        await self._use(tx, actor, before.id, use)
        left = await read_document(tx, before.document_id)
        await self._record(
            tx, "roll_back" if use.how == "rolled_back" else "switch_document", actor, before,
            before=str(left), after=str(document), digest=document.digest,
        )  # fmt: skip
        return replace(before, document_id=document.id)

    async def _use(self, tx: Tx, actor: Actor, supplier_id: UUID, use: NewUse) -> None:
        await add_use(tx, actor, supplier_id, use, self._clock.now())

    async def _connector(self, document_id: UUID, tx: Tx | None = None) -> Connector | None:
        """None where today's language no longer understands the document."""
        try:
            return await self._suppliers.connector(document_id, tx)
        except DocumentFaults:
            return None

    async def _missing(
        self, supplier: Supplier, document: Document, tx: Tx | None = None
    ) -> tuple[str, ...]:
        connector = await self._connector(document.id, tx)
        coming = replace(supplier, credentials=supplier.coming)
        today = self._today(supplier)
        return await asyncio.to_thread(gates.missing, coming, connector, document.state, today)

    def _today(self, supplier: Supplier) -> date:
        return self._clock.now().astimezone(ZoneInfo(supplier.day_cut.zone)).date()

    def _licence_over(self, supplier: Supplier) -> bool:
        return licence_over(supplier.licence_expires_on, self._today(supplier))

    async def _record(
        self, tx: Tx, action: Action, actor: Actor, supplier: Supplier, **facts: Any
    ) -> None:
        whose = {"supplier_id": str(supplier.id), "supplier_no": supplier.supplier_no}
        await self._audit.record(
            tx,
            action,
            actor=actor.trail_name,
            facts={**whose, **facts, "actor_name": actor.name},
            chat_id=actor.chat_id,
        )


def _wrong_state(document: Document) -> Refusal:
    return Refusal("document_state", document=document, document_state=document.state)


def _lawful(supplier: Supplier) -> dict[str, Any]:
    """Who the supplier is, as the trail keeps it."""
    expires_on = supplier.licence_expires_on
    return {
        "name": supplier.name,
        "legal_name": supplier.legal_name,
        "licence_no": supplier.licence_no,
        "licence_expires_on": expires_on.isoformat() if expires_on else "",
        "settles_to": supplier.settles_to or "",
    }


# A licence of another day has been told of to nobody.
_AMEND: Final = """
UPDATE supplier SET name = $2, legal_name = $3, licence_no = $4, settles_to = $6,
    licence_told = CASE WHEN licence_expires_on = $5 THEN licence_told END,
    licence_expires_on = $5
WHERE id = $1
"""
