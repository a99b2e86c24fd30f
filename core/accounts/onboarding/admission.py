"""Merchants as people let them in: opened, reviewed by two, suspended, archived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from core.accounts.onboarding.trail import record_deed
from core.books import Ledger
from core.delivery.audit import Action, Audit
from core.delivery.outbox import Notice, Say
from core.kernel.errors import Refusal
from core.kernel.holder import MODE
from core.kernel.money import Money
from core.parties.lines import line
from core.parties.merchants import Dossier, Merchant, Merchants, NewMerchant, merchant_line
from core.people.actors import Actor
from core.people.approvals import Asked, SecondQuestion
from core.people.district import People
from core.people.factors import Proof
from core.system.store import Store, Tx

RIGHT: Final = "merchants"
REASON_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class ReviewQuestion(SecondQuestion):
    """Whether a merchant passes its review, which is about the facts as they are here. digest: of
    them, and of whom to ask, which is no matter for a group."""

    kind: ClassVar[str] = "review"
    open_for: ClassVar[timedelta] = timedelta(hours=24)
    right: ClassVar[str] = "review"
    asked_with: ClassVar[str | None] = RIGHT
    merchant_no: str
    name: str
    legal_name: str
    licence_no: str
    category: str
    site: str
    digest: str


@dataclass(frozen=True, slots=True)
class MerchantAmended(Notice):
    """Something of a merchant that was reviewed is not as it was then. field: name, or one of the
    facts of its review. before, after: empty where it is no matter for a group."""

    merchant_no: str
    merchant_name: str
    field: str
    before: str
    after: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class MerchantReviewed(Notice):
    """A merchant passed its review: its live keys work from now on."""

    merchant_no: str
    merchant_name: str
    actor_name: str


class Admission:
    """Lets merchants in, and ends that. A merchant is handed in as somebody saw it; what is
    decided, is decided from how it stands now.

    Every verb wants the right to merchants and a chat where staff alone reads, writes the trail,
    and gives the merchant back as it is then.
    """

    def __init__(
        self, store: Store, ledger: Ledger, audit: Audit, merchants: Merchants, people: People
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._audit = audit
        self._merchants = merchants
        self._groups = people.groups
        self._approvals = people.approvals
        people.approvals.carries_out(ReviewQuestion, self._decide)

    async def open(self, actor: Actor, new: NewMerchant) -> Merchant:
        """Open a merchant. It is not reviewed, so that only test keys work.

        Refusals: those of `Actor.need_among_staff`, field_invalid, currency_unknown,
        merchant_exists.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            merchant = await self._merchants.add(tx, new)
            dossier = await self._merchants.dossier(merchant.id, tx)
            await record_deed(
                self._audit, tx, "open_merchant", actor, dossier.merchant,
                currency=merchant.currency,
                cut=f"{merchant.day_cut.at:%H:%M}", zone=merchant.day_cut.zone, **_said(dossier),
            )  # fmt: skip
        return merchant

    async def amend(self, actor: Actor, merchant: Merchant, field: str, text: str) -> Dossier:
        """Say one thing anew. Where the merchant was reviewed, the ops groups are told: the review
        stands, and its card says what changed since.

        field: name, or one of REVIEW_FACTS. Refusals: those of `Actor.need_among_staff`,
        field_invalid, merchant_archived.
        """
        actor.need_among_staff(RIGHT)
        said = merchant_line(field, text)
        async with self._store.transaction() as tx:
            before = await self._merchants.dossier(merchant.id, tx)
            if before.merchant.state == "archived":
                raise Refusal("merchant_archived", merchant_no=merchant.merchant_no)
            after = _with(before, field, said)
            if after == before:
                return before
            await self._merchants.amend(tx, merchant.id, after.merchant.name, after.facts)
            old = _said(before)[field]
            await record_deed(
                self._audit,
                tx,
                "amend_merchant",
                actor,
                after.merchant,
                field=field,
                before=old,
                after=said,
            )
            if after.merchant.reviewed:
                shown = ("", "") if field == "contact" else (old, said)
                told = MerchantAmended(
                    merchant.merchant_no, after.merchant.name, field, *shown, actor.name
                )
                await self._groups.tell_ops(tx, Say(told))
        return after

    async def suspend(self, actor: Actor, merchant: Merchant, reason: str) -> Merchant:
        """Take no more calls of its servers; what is open goes on. Said again, it changes nothing.

        Refusals: those of `Actor.need_among_staff`, reason_missing, field_invalid,
        merchant_archived.
        """
        actor.need_among_staff(RIGHT)
        if not reason.strip():
            raise Refusal("reason_missing", reason_for="suspend_merchant")
        reason = line("reason", reason, REASON_CHARS)
        async with self._store.transaction() as tx:
            found = (await self._merchants.dossier(merchant.id, tx)).merchant
            if found.state == "archived":
                raise Refusal("merchant_archived", merchant_no=found.merchant_no)
            return await self._move(tx, actor, found, "suspended", "suspend_merchant", reason)

    async def resume(self, actor: Actor, merchant: Merchant) -> Merchant:
        """Take its calls again, also those of one that was archived.

        Refusals: those of `Actor.need_among_staff`.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            found = (await self._merchants.dossier(merchant.id, tx)).merchant
            return await self._move(tx, actor, found, "open", "resume_merchant", "")

    async def archive(self, actor: Actor, merchant: Merchant) -> Merchant:
        """Put a merchant aside that is suspended and with whom everything is settled. Nothing of it
        is deleted.

        Refusals: those of `Actor.need_among_staff`, merchant_not_suspended, merchant_not_settled.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            found = (await self._merchants.dossier(merchant.id, tx)).merchant
            if found.state == "open":
                raise Refusal("merchant_not_suspended", merchant_no=found.merchant_no)
            position = await self._ledger.position(tx, found.id, MODE, found.currency)
            if position.minor:
                owed = str(Money(position.minor, found.currency))
                raise Refusal("merchant_not_settled", merchant_no=found.merchant_no, amount=owed)
            return await self._move(tx, actor, found, "archived", "archive_merchant", "")

    async def ask_review(self, actor: Actor, merchant: Merchant, message_id: int) -> None:
        """Ask a second person, in the ops groups, whether it passes its review as it is now.

        message_id: of what was said or pressed; while its question waits, it asks no other one.
        Refusals: those of `Actor.need_among_staff`, merchant_archived, merchant_facts_missing,
        merchant_reviewed.
        """
        actor.need_among_staff(RIGHT)
        seen = await self._merchants.dossier(merchant.id)
        waits = await self._approvals.find_replied(
            ReviewQuestion, actor.user_id, actor.chat_id, message_id, {"digest": seen.digest}
        )
        if waits is not None and not await self._approvals.answered(waits):
            return
        async with self._store.transaction() as tx:
            dossier = await self._merchants.dossier(merchant.id, tx)
            _need_reviewable(dossier)
            found, facts = dossier.merchant, dossier.facts
            question = ReviewQuestion(
                found.merchant_no, found.name, facts.legal_name, facts.licence_no, facts.category,
                facts.site, dossier.digest,
            )  # fmt: skip
            await self._approvals.ask(
                tx, actor, question, merchant_id=found.id, message_id=message_id
            )
            await record_deed(self._audit, tx, "ask_review", actor, found, digest=dossier.digest)

    async def _decide(
        self, actor: Actor, asked: Asked[ReviewQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, review_outdated, merchant_archived."""
        question = asked.question
        merchant = await self._merchants.by_no(question.merchant_no)
        async with self._store.transaction() as tx:
            dossier = await self._merchants.dossier(merchant.id, tx)
            if yes:
                _need_reviewable(dossier)
                if dossier.digest != question.digest:
                    raise Refusal("review_outdated", merchant_no=question.merchant_no)
                await self._merchants.pass_review(tx, dossier, actor.user_id, actor.name)
                told = MerchantReviewed(question.merchant_no, question.name, actor.name)
                await self._groups.tell_ops(tx, Say(told))
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            action: Action = "pass_review" if yes else "reject_review"
            await record_deed(
                self._audit,
                tx,
                action,
                actor,
                merchant,
                digest=question.digest,
                asked_by=asked.asked_by,
            )

    async def _move(
        self, tx: Tx, actor: Actor, merchant: Merchant, state: str, action: Action, reason: str
    ) -> Merchant:
        if merchant.state == state:
            return merchant
        await self._merchants.set_state(tx, merchant.id, state)
        await record_deed(
            self._audit,
            tx,
            action,
            actor,
            merchant,
            before=merchant.state,
            after=state,
            reason=reason,
        )
        return replace(merchant, state=state)


def _need_reviewable(dossier: Dossier) -> None:
    """Refusals: merchant_archived, merchant_facts_missing, merchant_reviewed (as it is now)."""
    merchant = dossier.merchant
    if merchant.state == "archived":
        raise Refusal("merchant_archived", merchant_no=merchant.merchant_no)
    if dossier.facts.missing:
        lacking = ", ".join(dossier.facts.missing)
        raise Refusal("merchant_facts_missing", merchant_no=merchant.merchant_no, lacking=lacking)
    if merchant.reviewed and not dossier.changed:
        raise Refusal("merchant_reviewed", merchant_no=merchant.merchant_no)


def _said(dossier: Dossier) -> dict[str, str]:
    """name and facts, by field."""
    facts = dossier.facts
    return {
        "name": dossier.merchant.name, "legal_name": facts.legal_name,
        "licence_no": facts.licence_no, "category": facts.category, "site": facts.site,
        "contact": facts.contact,
    }  # fmt: skip


def _with(dossier: Dossier, field: str, text: str) -> Dossier:
    """The same, but for one field."""
    if field == "name":
        return replace(dossier, merchant=replace(dossier.merchant, name=text))
    changed: dict[str, Any] = {field: text}
    return replace(dossier, facts=replace(dossier.facts, **changed))
