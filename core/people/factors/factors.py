"""Second factors: a code of an authenticator app, or a password that is used for nothing else.

Each person has at most one of either. A code counts once. Five wrong answers in a row lock both for
a quarter of an hour, and ops is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NoReturn
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from core.delivery.audit import Action, Audit
from core.delivery.outbox import Say
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.alarms import Alarms
from core.people.factors import totp
from core.people.factors.notices import AlarmFactor, FactorAdded
from core.people.groups import Groups
from core.system.store import Store, Tx
from core.system.vault import Purpose, Vault

FactorKind = Literal["totp", "password"]

LOCK_AFTER: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
MIN_PASSWORD_CHARS: Final = 10
MAX_PASSWORD_CHARS: Final = 128
_LOCKED_MIN: Final = int(LOCKED_FOR.total_seconds() // 60)
_TOTP_SECRET: Final = "factor.totp"  # noqa: S105 (what is sealed, not the secret)


@dataclass(frozen=True, slots=True)
class Factor:
    """What a person can prove with. enrolled_at: None while it does not count: its first code is
    waited for, or the proof by the other factor."""

    kind: FactorKind
    enrolled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proof:
    """A person proved it for one question, just now. Made by `Factors.prove` alone."""

    user_id: int
    approval_id: UUID
    kind: FactorKind


class Factors:
    """Enrols, proves and takes away. No secret is ever logged, shown again or told to anybody. Ops
    is told of whatever counts from then on.

    More than seven verbs: two kinds are enrolled, each in its own way, and one row is asked who has
    any.
    """

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, alarms: Alarms, groups: Groups, audit: Audit
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._alarms = alarms
        self._groups = groups
        self._audit = audit
        self._hasher = PasswordHasher()

    async def of(self, user_id: int) -> list[Factor]:
        """What a person has, or began to have."""
        rows = await self._store.fetch(
            "SELECT kind, enrolled_at FROM factor WHERE user_id = $1 ORDER BY kind DESC", user_id
        )
        return [Factor(row["kind"], row["enrolled_at"]) for row in rows]

    async def enrolled(self, user_id: int) -> bool:
        """Whether a person can prove it."""
        return any(factor.enrolled_at for factor in await self.of(user_id))

    async def enrolled_among(self, user_ids: Sequence[int]) -> frozenset[int]:
        """Who of these can prove it."""
        rows = await self._store.fetch(_ENROLLED, user_ids)
        return frozenset(row["user_id"] for row in rows)

    async def begin_totp(self, actor: Actor, issuer: str) -> totp.Enrolment:
        """A new secret for an authenticator app. It counts once a first code was given. issuer: as
        the app lists it. Refusals: factor_enrolled (it is taken away first, by two owners)."""
        secret = totp.new_secret()
        sealed = self._vault.seal(secret, _purpose(actor.user_id))
        now = self._clock.now()
        if not await self._store.execute(_BEGIN, actor.user_id, sealed, now):
            raise Refusal("factor_enrolled")
        return totp.enrolment(secret, actor.name, issuer)

    async def finish_totp(self, actor: Actor, code: str) -> datetime | None:
        """The app shows this code. None: it counts from now on. Where the person has a password, it
        is to prove that: what was begun then is given back, for `count`.

        Refusals: factor_missing (nothing was begun), factor_enrolled, factor_wrong, factor_locked.
        """
        row = await self._store.fetchrow(_FIND, actor.user_id, "totp")
        if row is None:
            raise Refusal("factor_missing")
        if row["enrolled_at"] is not None:
            raise Refusal("factor_enrolled")
        tries = await self._try(actor)
        secret = self._vault.open(row["secret_sealed"], _purpose(actor.user_id))
        step = totp.step_of(secret, code.strip(), self._clock.now())
        if step is None:
            await self._wrong(actor, tries)
        async with self._store.transaction() as tx:
            await tx.hold(_of_person(actor))
            begun_at: datetime | None = await tx.fetchval(_FINISH, actor.user_id, step)
            if begun_at is None:
                raise Refusal("factor_enrolled")
            await tx.execute(_RIGHT, actor.user_id)
            return await self._count_first(tx, actor, "totp", begun_at)

    async def set_password(self, actor: Actor, password: str) -> datetime | None:
        """The password with which this person completes and approves; gives back as `finish_totp`
        does, where the person has an app. Refusals: factor_enrolled (there is one; it is taken away
        first, by two owners), password_weak."""
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS or password.isdecimal():
            raise Refusal("password_weak", chars=MIN_PASSWORD_CHARS)
        hashed = await asyncio.to_thread(self._hasher.hash, password)
        async with self._store.transaction() as tx:
            await tx.hold(_of_person(actor))
            now = self._clock.now()
            if not await tx.execute(_KEEP_HASH, actor.user_id, hashed, now):
                raise Refusal("factor_enrolled")
            return await self._count_first(tx, actor, "password", now)

    async def count(self, tx: Tx, actor: Actor, kind: FactorKind, begun_at: datetime) -> None:
        """What was begun then counts from now on. Whoever calls this has the person's proof by the
        other factor. Refusals: confirmation_expired (it was begun anew since, or taken away)."""
        if not await tx.execute(_COUNT, actor.user_id, kind, begun_at, self._clock.now()):
            raise Refusal("confirmation_expired")
        await self._record(tx, actor, "enrol_factor", kind=kind)
        told = FactorAdded(actor.user_id, actor.name, kind)
        await self._groups.tell_ops(tx, Say(told))

    async def prove(self, actor: Actor, answer: str, approval_id: UUID) -> Proof:
        """What a person wrote is a code, or the password, and counts for one question. A code is
        used up whatever becomes of the question.

        Refusals: factor_missing, factor_wrong, code_used, factor_locked.
        """
        answer = answer.strip()
        kind: FactorKind = "totp" if totp.is_code(answer) else "password"
        if not await self.enrolled(actor.user_id):
            raise Refusal("factor_missing")
        tries = await self._try(actor)
        row = await self._store.fetchrow(_FIND, actor.user_id, kind)
        if row is None or row["enrolled_at"] is None:
            await self._wrong(actor, tries)
        if kind == "totp":
            secret = self._vault.open(row["secret_sealed"], _purpose(actor.user_id))
            step = totp.step_of(secret, answer, self._clock.now())
            if step is None:
                await self._wrong(actor, tries)
            if not await self._store.execute(_USE_STEP, actor.user_id, step):
                await self._wrong(actor, tries, "code_used")
        elif not await asyncio.to_thread(self._is_password, row["password_hash"], answer):
            await self._wrong(actor, tries)
        await self._store.execute(_RIGHT, actor.user_id)
        return Proof(actor.user_id, approval_id, kind)

    async def take_away(self, tx: Tx, actor: Actor, user_id: int) -> bool:
        """Somebody lost a phone or forgot a password: both are gone, and may be enrolled anew.
        Whoever calls this has asked two owners. False: there was nothing."""
        taken = await tx.execute("DELETE FROM factor WHERE user_id = $1", user_id)
        await tx.execute("DELETE FROM factor_lock WHERE user_id = $1", user_id)
        if taken:
            await self._record(tx, actor, "take_factors", user_id=user_id)
        return bool(taken)

    def _is_password(self, hashed: str, answer: str) -> bool:
        try:
            return self._hasher.verify(hashed, answer)
        except VerifyMismatchError:
            return False

    async def _count_first(
        self, tx: Tx, actor: Actor, kind: FactorKind, begun_at: datetime
    ) -> datetime | None:
        """None: it counts, for the person has no other. The person's factors are held."""
        if await tx.fetchval(_HAS_ANY, actor.user_id):
            return begun_at
        await self.count(tx, actor, kind, begun_at)
        return None

    async def _try(self, actor: Actor) -> int:
        """Count a try before it is looked at, so that many at once are no more than five. The
        fifth locks unless it is right. Returns which one it is. Refusals: factor_locked."""
        now = self._clock.now()
        tries = await self._store.fetchval(_TRY, actor.user_id, LOCK_AFTER, now, now + LOCKED_FOR)
        if tries is None:
            until = await self._store.fetchval(_LOCKED, actor.user_id)
            raise Refusal("factor_locked", at=(until or now).isoformat())
        return int(tries)

    async def _wrong(self, actor: Actor, tries: int, code: str = "factor_wrong") -> NoReturn:
        """Tell ops where this was the last try. Refusals: code, factor_locked."""
        if tries < LOCK_AFTER:
            raise Refusal(code, left=LOCK_AFTER - tries)
        trouble = AlarmFactor(actor.user_id, actor.name, LOCK_AFTER, _LOCKED_MIN)
        async with self._store.transaction() as tx:
            await self._record(tx, actor, "lock_factor")
            await self._alarms.sound(tx, trouble, str(actor.user_id))
        raise Refusal("factor_locked", at=(self._clock.now() + LOCKED_FOR).isoformat())

    async def _record(self, tx: Tx, actor: Actor, action: Action, **facts: object) -> None:
        told = {**facts, "actor_name": actor.name}
        await self._audit.record(
            tx, action, actor=actor.trail_name, facts=told, chat_id=actor.chat_id
        )


def _of_person(actor: Actor) -> str:
    """Two kinds that are enrolled at once: the second one takes a proof by the first."""
    return f"factor:{actor.user_id}"


def _purpose(user_id: int) -> Purpose:
    return Purpose(_TOTP_SECRET, str(user_id))


_FIND: Final = """
SELECT secret_sealed, password_hash, enrolled_at FROM factor WHERE user_id = $1 AND kind = $2
"""
_ENROLLED: Final = """
SELECT DISTINCT user_id FROM factor WHERE user_id = ANY($1::bigint[]) AND enrolled_at IS NOT NULL
"""
_BEGIN: Final = """
INSERT INTO factor (user_id, kind, secret_sealed, created_at) VALUES ($1, 'totp', $2, $3)
ON CONFLICT (user_id, kind) DO UPDATE SET secret_sealed = excluded.secret_sealed,
    created_at = excluded.created_at, last_step = NULL
WHERE factor.enrolled_at IS NULL
"""
_FINISH: Final = """
UPDATE factor SET last_step = $2
WHERE user_id = $1 AND kind = 'totp' AND enrolled_at IS NULL
RETURNING created_at
"""
_HAS_ANY: Final = "SELECT true FROM factor WHERE user_id = $1 AND enrolled_at IS NOT NULL LIMIT 1"
_COUNT: Final = """
UPDATE factor SET enrolled_at = $4
WHERE user_id = $1 AND kind = $2 AND created_at = $3 AND enrolled_at IS NULL
"""
_KEEP_HASH: Final = """
INSERT INTO factor (user_id, kind, password_hash, created_at) VALUES ($1, 'password', $2, $3)
ON CONFLICT (user_id, kind) DO UPDATE SET password_hash = excluded.password_hash,
    created_at = excluded.created_at
WHERE factor.enrolled_at IS NULL
"""
_USE_STEP: Final = """
UPDATE factor SET last_step = $2 WHERE user_id = $1 AND kind = 'totp' AND last_step < $2
"""
_RIGHT: Final = "DELETE FROM factor_lock WHERE user_id = $1"
# $2: so many lock, until $4. None where it is locked at $3; a lock that is over begins anew.
_TRY: Final = """
INSERT INTO factor_lock AS l (user_id, failures) VALUES ($1, 1)
ON CONFLICT (user_id) DO UPDATE SET
    failures = CASE WHEN l.locked_until IS NULL THEN l.failures + 1 ELSE 1 END,
    locked_until = CASE WHEN l.locked_until IS NULL AND l.failures + 1 >= $2
                        THEN $4::timestamptz END
WHERE l.locked_until IS NULL OR l.locked_until <= $3::timestamptz
RETURNING failures
"""
_LOCKED: Final = "SELECT locked_until FROM factor_lock WHERE user_id = $1"
