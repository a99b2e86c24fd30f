"""A setting is set: what tightens counts at once, what loosens needs a second owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from core.delivery.outbox import Notice, Say
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, SecondQuestion
from core.people.desk_settings import RIGHT, DeskSettings, Value, check, loosens
from core.people.factors import Proof
from core.people.groups import Groups
from core.system.store import Store, Tx

# As people say it: back to what the table in code has, or to what holds for all currencies.
DEFAULT: Final = "default"
Wanted = Value | Literal["default"]


@dataclass(frozen=True, slots=True)
class SettingQuestion(SecondQuestion):
    """Whether a setting may let one person do more. before: what it was when that was asked.
    reset: it goes back to its default."""

    kind: ClassVar[str] = "setting"
    right: ClassVar[str] = RIGHT
    name: str
    currency: str
    before: int | bool | None
    after: int | bool | None
    reset: bool


@dataclass(frozen=True, slots=True)
class SettingChanged(Notice):
    """Somebody set a setting, and it counts. currency: empty for all that have none of their
    own."""

    name: str
    currency: str
    before: int | bool | None
    after: int | bool | None
    actor_name: str


class SettingChanges:
    """Sets a setting, or asks a second owner first."""

    def __init__(
        self, store: Store, settings: DeskSettings, approvals: Approvals, groups: Groups
    ) -> None:
        self._store = store
        self._settings = settings
        self._approvals = approvals
        self._groups = groups
        approvals.carries_out(SettingQuestion, self._decide)

    async def change(
        self, actor: Actor, name: str, wanted: Wanted, currency: str = "", *, message_id: int
    ) -> SettingChanged | None:
        """Set it, and tell the other ops groups; None where a second owner is asked instead.

        wanted: whole units of an amount, None for no limit, a bool of a switch, or DEFAULT.
        Refusals: those of `Actor.need_among_staff` and of `check`, setting_same.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            await _hold(tx)
            before = await self._settings.value(name, currency, tx)
            reset = isinstance(wanted, str)
            default = await self._settings.default(name, currency, tx)
            after = default if isinstance(wanted, str) else wanted
            setting = check(name, after, currency)
            if before == after:
                raise Refusal("setting_same", text=name)
            asked = SettingQuestion(name, currency, before, after, reset)
            if loosens(setting, before, after):
                await self._approvals.ask(tx, actor, asked, message_id=message_id)
                return None
            await self._put(tx, actor, asked)
            changed = SettingChanged(name, currency, before, after, actor.name)
            await self._groups.tell_ops(tx, Say(changed), but=actor.chat_id)
            return changed

    async def _decide(
        self, actor: Actor, asked: Asked[SettingQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, setting_changed."""
        question = asked.question
        async with self._store.transaction() as tx:
            await _hold(tx)
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if not yes:
                return
            name, currency = question.name, question.currency
            after = question.after
            if question.reset:
                after = await self._settings.default(name, currency, tx)
            # What it goes back to may be another value since.
            if (await self._settings.value(name, currency, tx), after) != (
                question.before, question.after,
            ):  # fmt: skip
                raise Refusal("setting_changed", text=name)
            await self._put(tx, actor, question)

    async def _put(self, tx: Tx, actor: Actor, asked: SettingQuestion) -> None:
        if asked.reset:
            await self._settings.reset(tx, actor, asked.name, asked.currency)
        else:
            await self._settings.put(tx, actor, asked.name, asked.after, asked.currency)


async def _hold(tx: Tx) -> None:
    """Nobody else sets one until we commit: what was seen is what is changed."""
    await tx.execute("LOCK TABLE desk_setting IN SHARE ROW EXCLUSIVE MODE")
