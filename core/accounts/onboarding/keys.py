"""Keys of merchants' apps, as people give and take them.

New keys of a live app take the asker's factor, and before that a second person's word where the
desk wants it (`keys_second`). They are made in the moment in which they are shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from core.accounts.onboarding.key_questions import (
    RIGHT,
    TAKE_WITHIN,
    KeysQuestion,
    KeysReady,
    TakeKeysQuestion,
)
from core.accounts.onboarding.trail import record_deed
from core.delivery.audit import Action, Audit
from core.delivery.outbox import Outbox, Say
from core.kernel.errors import Refusal
from core.parties.lines import line
from core.parties.merchants import AppKeys, Dossier, KeptApp, Merchant, Merchants, read_networks
from core.people.actors import Actor
from core.people.approvals import Asked
from core.people.district import People
from core.people.factors import Proof
from core.system.district import System
from core.system.gateway import NeverSent, check_url
from core.system.store import Tx

SWITCH: Final = "keys_second"
APP_NAME_CHARS: Final = 40
REASON_CHARS: Final = 500


class Keys:
    """Opens and ends merchants' apps, gives them new keys, and says from where and how often they
    may call. Every verb wants the right to merchants and a chat where staff alone reads, and writes
    the trail, in which no secret ever is.

    More than seven verbs: one for each thing that is set of an app, and two for keys of live ones,
    which are asked for and taken.
    """

    def __init__(
        self, system: System, outbox: Outbox, audit: Audit, merchants: Merchants, people: People
    ) -> None:
        self._system = system
        self._outbox = outbox
        self._audit = audit
        self._merchants = merchants
        self._people = people
        people.approvals.carries_out(KeysQuestion, self._decide)

    # ── new keys ─────────────────────────────────────────────────────────────────────────────────
    async def open_test(self, actor: Actor, merchant: Merchant, name: str) -> AppKeys:
        """A test app, whose keys are for the eyes of this actor alone. name: for people.

        Refusals: those of `Actor.need_among_staff`, field_invalid, merchant_archived.
        """
        actor.need_among_staff(RIGHT)
        name = line("app", name, APP_NAME_CHARS)
        async with self._system.store.transaction() as tx:
            return await self._open(tx, actor, merchant, "test", name)

    async def rotate_test(self, actor: Actor, app_id: UUID) -> AppKeys:
        """New keys of a test app; those before stay valid for a while.

        Refusals: those of `Actor.need_among_staff`, key_unknown, factor_needed (a live one),
        keys_rotated_often.
        """
        async with self._held(actor, app_id) as (tx, kept):
            if kept.app.mode != "test":
                raise Refusal("factor_needed")
            return await self._rotate(tx, actor, kept)

    async def ask_live(
        self,
        actor: Actor,
        merchant: Merchant,
        message_id: int,
        *,
        app_id: UUID | None = None,
        name: str = "",
    ) -> UUID | None:
        """Ask for keys of a live app, which is opened by this name where app_id is None.

        message_id: of what was said or pressed; while its card waits, it asks for no other one.

        Returns the question that the asker answers in private, with a factor (`take`); None where a
        second person is asked first, in the ops groups. Refusals: those of
        `Actor.need_among_staff`, factor_missing, field_invalid, merchant_not_reviewed,
        merchant_archived, key_unknown. That too many are valid is said when they are taken.
        """
        actor.need_among_staff(RIGHT)
        if not await self._people.factors.enrolled(actor.user_id):
            raise Refusal("factor_missing")
        approvals = self._people.approvals
        about = {"merchant_no": merchant.merchant_no, "app_id": str(app_id) if app_id else None}
        waits = await approvals.find_replied(
            KeysQuestion, actor.user_id, actor.chat_id, message_id, about
        )
        if waits is not None and not await approvals.answered(waits):
            return None
        async with self._system.store.transaction() as tx:
            dossier = await self._merchants.dossier(merchant.id, tx)
            found = dossier.merchant
            _need_live(found)
            if app_id is None:
                name, key_id = line("app", name, APP_NAME_CHARS), ""
            else:
                kept = await self._open_app(tx, app_id)
                name, key_id = kept.name, kept.app.key_id
            second = await self._people.settings.switched_on(SWITCH, tx)
            question = (KeysQuestion if second else TakeKeysQuestion)(
                found.merchant_no, found.name, app_id, name, key_id,
                dossier.digest, dossier.changed,
            )  # fmt: skip
            asked = await approvals.ask(
                tx, actor, question, merchant_id=found.id, message_id=message_id
            )
            await record_deed(
                self._audit, tx, "ask_keys", actor, found, app=name, key_id=key_id, second=second
            )
        return None if second else asked.id

    async def take(self, actor: Actor, approval_id: UUID, proof: Proof) -> AppKeys:
        """Make the keys that were asked for, once, in a private chat. They are for the eyes of this
        actor alone.

        Refusals: those of `Approvals.find` and `answer`, merchant_not_reviewed, merchant_archived,
        keys_outdated, key_unknown, keys_rotated_often.
        """
        approvals = self._people.approvals
        asked = await approvals.find(TakeKeysQuestion, actor, approval_id, proof=proof)
        question = asked.question
        merchant = await self._merchants.by_no(question.merchant_no)
        async with self._system.store.transaction() as tx:
            await approvals.answer(tx, actor, asked, yes=True, proof=proof)
            dossier = await self._merchants.dossier(merchant.id, tx)
            _need_same(dossier, question.digest)
            found = dossier.merchant
            if question.app_id is None:
                name = question.app_name
                return await self._open(tx, actor, found, "live", name, unseen=approval_id)
            kept = await self._open_app(tx, question.app_id)
            return await self._rotate(tx, actor, kept, unseen=approval_id)

    async def shown(self, keys: AppKeys) -> None:
        """Who was to see these keys has seen them."""
        await self._merchants.apps.shown(keys)

    async def end_unseen(self, actor: Actor, approval_id: UUID) -> bool:
        """Whoever took keys asks again: where nobody knows whether they were shown, they count no
        longer, and those before them do not end. Whether there were some. Refusals: those of
        `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        async with self._system.store.transaction() as tx:
            kept = await self._merchants.apps.made_unseen(approval_id, tx)
            if kept is None:
                return False
            await self._merchants.apps.take_back(tx, kept)
            await self._of_app(tx, "take_back_keys", actor, kept)
            return True

    async def take_back(self, actor: Actor, keys: AppKeys) -> None:
        """Nobody saw these keys: they count no longer, and those before them do not end. An app
        that was opened with them is withdrawn. Refusals: those of `Actor.need_among_staff`,
        key_unknown."""
        async with self._held(actor, keys.app_id) as (tx, kept):
            if kept.app.secrets[:1] == (keys.secret,):
                await self._merchants.apps.take_back(tx, kept)
                await self._of_app(tx, "take_back_keys", actor, kept)

    async def _decide(
        self, actor: Actor, asked: Asked[KeysQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """A second person's word. The asker is told in private, and takes them there.

        Refusals: those of `Approvals.answer`, merchant_not_reviewed, merchant_archived,
        keys_outdated.
        """
        question = asked.question
        merchant = await self._merchants.by_no(question.merchant_no)
        access, approvals = self._people.access, self._people.approvals
        asker = await access.actor(
            asked.asked_by, asked.asked_by_name, asked.asked_by, private=True
        )
        async with self._system.store.transaction() as tx:
            await approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            action: Action = "approve_keys" if yes else "reject_keys"
            await record_deed(
                self._audit, tx, action, actor, merchant, app=question.app_name,
                key_id=question.key_id,
                asked_by=asked.asked_by,
            )  # fmt: skip
            if not yes:
                return
            _need_same(await self._merchants.dossier(merchant.id, tx), question.digest)
            taken = question.as_kind(TakeKeysQuestion)
            ready = await approvals.ask(tx, asker, taken, merchant_id=merchant.id)
            told = KeysReady(
                ready.id, question.merchant_no, question.merchant_name, question.app_name,
                question.key_id, actor.name, int(TAKE_WITHIN.total_seconds() // 60),
            )  # fmt: skip
            await self._outbox.say(tx, asked.asked_by, Say(told))

    # ── what is set of an app ────────────────────────────────────────────────────────────────────
    async def end_old(self, actor: Actor, app_id: UUID) -> KeptApp:
        """The newest keys are the only ones from now on. Said again, it changes nothing. Refusals:
        those of `Actor.need_among_staff`, key_unknown."""
        async with self._held(actor, app_id) as (tx, kept):
            if await self._merchants.apps.end_old(tx, kept):
                await self._of_app(tx, "end_old_keys", actor, kept)
        return await self._merchants.apps.find(app_id)

    async def revoke(self, actor: Actor, app_id: UUID, reason: str) -> KeptApp:
        """Its key is unknown from now on, for ever.

        Refusals: those of `Actor.need_among_staff`, key_unknown, reason_missing, field_invalid.
        """
        if not reason.strip():
            raise Refusal("reason_missing", reason_for="revoke_app")
        reason = line("reason", reason, REASON_CHARS)
        async with self._held(actor, app_id) as (tx, kept):
            await self._merchants.apps.withdraw(tx, app_id)
            await self._of_app(tx, "revoke_app", actor, kept, reason=reason)
        return replace(kept, state="withdrawn")

    async def set_notify_url(self, actor: Actor, app_id: UUID, url: str) -> KeptApp:
        """Where its notifications go. Refusals: those of `Actor.need_among_staff`, key_unknown,
        field_invalid."""
        url = self._address(url)
        async with self._held(actor, app_id) as (tx, kept):
            await self._merchants.apps.set_notify_url(app_id, url, tx)
            before = kept.app.notify_url or ""
            await self._of_app(tx, "set_notify_url", actor, kept, before=before, after=url)
        return await self._merchants.apps.find(app_id)

    async def set_ip_allow(self, actor: Actor, app_id: UUID, text: str) -> KeptApp:
        """From where it may call. text: addresses and networks; empty: from anywhere. Refusals:
        those of `Actor.need_among_staff`, key_unknown, field_invalid."""
        networks = read_networks(text)
        async with self._held(actor, app_id) as (tx, kept):
            await self._merchants.apps.set_ip_allow(tx, app_id, networks)
            before, after = list(kept.app.ip_allow), list(networks)
            await self._of_app(tx, "set_ip_allow", actor, kept, before=before, after=after)
        return await self._merchants.apps.find(app_id)

    async def set_calls_per_s(self, actor: Actor, app_id: UUID, calls_per_s: int) -> KeptApp:
        """How often it may call. Refusals: those of `Actor.need_among_staff`, key_unknown,
        field_invalid."""
        async with self._held(actor, app_id) as (tx, kept):
            await self._merchants.apps.set_calls_per_s(app_id, calls_per_s, tx)
            before = kept.app.calls_per_s
            await self._of_app(tx, "set_limit", actor, kept, before=before, after=calls_per_s)
        return await self._merchants.apps.find(app_id)

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    @asynccontextmanager
    async def _held(self, actor: Actor, app_id: UUID) -> AsyncIterator[tuple[Tx, KeptApp]]:
        """An open app, which nobody else changes meanwhile."""
        actor.need_among_staff(RIGHT)
        async with self._system.store.transaction() as tx:
            yield tx, await self._open_app(tx, app_id)

    async def _open_app(self, tx: Tx, app_id: UUID) -> KeptApp:
        kept = await self._merchants.apps.find(app_id, tx)
        if kept.state != "open":
            raise Refusal("key_unknown")
        return kept

    async def _open(
        self,
        tx: Tx,
        actor: Actor,
        merchant: Merchant,
        mode: str,
        name: str,
        *,
        unseen: UUID | None = None,
    ) -> AppKeys:
        found = (await self._merchants.dossier(merchant.id, tx)).merchant
        if found.state == "archived":
            raise Refusal("merchant_archived", merchant_no=found.merchant_no)
        keys = await self._merchants.apps.open(found, mode=mode, name=name, unseen=unseen, tx=tx)
        await record_deed(
            self._audit, tx, "open_app", actor, found, app=name, key_id=keys.key_id, mode=mode
        )
        return keys

    async def _rotate(
        self, tx: Tx, actor: Actor, kept: KeptApp, *, unseen: UUID | None = None
    ) -> AppKeys:
        keys = await self._merchants.apps.rotate(tx, kept, unseen=unseen)
        await self._of_app(tx, "rotate_keys", actor, kept, old_until=str(keys.old_until))
        return keys

    def _address(self, text: str) -> str:
        """Refusals: field_invalid."""
        allow_private = self._system.gateway.allow_private
        try:
            scheme, _, _ = check_url(text, allow_private=allow_private)
        except NeverSent as error:
            expected = f"an address like https://shop.example/paydesk ({error.why})"
            raise Refusal("field_invalid", param="notify_url", expected=expected) from None
        if scheme != "https" and not allow_private:
            expected = "an address that begins with https://"
            raise Refusal("field_invalid", param="notify_url", expected=expected)
        return text

    async def _of_app(
        self, tx: Tx, action: Action, actor: Actor, kept: KeptApp, **facts: Any
    ) -> None:
        app = kept.app
        await record_deed(
            self._audit, tx, action, actor, app.merchant, app=kept.name, key_id=app.key_id, **facts
        )


def _need_live(merchant: Merchant) -> None:
    """Refusals: merchant_archived, merchant_not_reviewed."""
    if merchant.state == "archived":
        raise Refusal("merchant_archived", merchant_no=merchant.merchant_no)
    if not merchant.reviewed:
        raise Refusal("merchant_not_reviewed", merchant_no=merchant.merchant_no)


def _need_same(dossier: Dossier, digest: str) -> None:
    """The merchant may have live keys, and is what it was when they were asked for.

    Refusals: merchant_archived, merchant_not_reviewed, keys_outdated.
    """
    _need_live(dossier.merchant)
    if dossier.digest != digest:
        raise Refusal("keys_outdated", merchant_no=dossier.merchant.merchant_no)
