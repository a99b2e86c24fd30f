"""Settings of the desk that people change in the chat: thresholds, caps, and where two are needed.

A setting that nobody set has its default. Amounts may differ by currency; one that is said without
a currency is of so many units of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from core.delivery.audit import Audit
from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.kernel.money import EXPONENTS, Money
from core.people.actors import Actor
from core.system.store import Queries, Store

Kind = Literal["amount", "switch", "minutes"]
# Whole units of an amount, None for no limit; a bool of a switch; a number of minutes.
Value = int | bool | None
RIGHT: Final = "settings"
MAX_UNITS: Final = 10**9
MAX_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Setting:
    """kind: an amount in whole units of a currency (None: no limit), on and off, or minutes. what:
    it is for, in English; the catalogues translate it."""

    name: str
    kind: Kind
    default: Value
    what: str


# Above so much a second person is needed; None: never.
_THRESHOLDS: Final = (
    Setting("prepay_second", "amount", 50_000, "a prepayment above it needs a second person"),
    Setting(
        "adjust_second",
        "amount",
        5_000,
        "an adjustment above it needs a second person; orders charged anew count as adjustments",
    ),
    Setting("credit_second", "amount", 100_000, "a credit line above it needs a second person"),
    Setting("refund_second", "amount", 5_000, "a refund above it needs a second person"),
    Setting("resolve_second", "amount", 5_000, "money in suspense above it needs a second person"),
    Setting("complete_second", "amount", 5_000, "a completion above it needs a second person"),
)
_SWITCHES: Final = (
    Setting("keys_second", "switch", True, "new keys of a live app need a second person"),
    Setting("live_second", "switch", True, "a supplier's going live needs a second person"),
    Setting("below_cost_second", "switch", True, "a rate below cost needs a second person"),
    Setting("hire_second", "switch", True, "a colleague who may move money needs a second person"),
)
# What one person may do by hand in a day of the platform, in all; None: no limit.
_CAPS: Final = (
    Setting("prepay_daily", "amount", None, "what one person may prepay in a day"),
    Setting(
        "adjust_daily",
        "amount",
        None,
        "what one person may adjust in a day, with what they charge anew",
    ),
    Setting("refund_daily", "amount", None, "what one person may refund in a day"),
    Setting("resolve_daily", "amount", None, "what one person may resolve of suspense in a day"),
    Setting("complete_daily", "amount", None, "what one person may complete by hand in a day"),
)
_WAITS: Final = (
    Setting("chase_after", "minutes", 10, "minutes until a silent supplier is asked again"),
)
SETTINGS: Final[Mapping[str, Setting]] = {
    one.name: one for one in (*_THRESHOLDS, *_SWITCHES, *_CAPS, *_WAITS)
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A setting as it stands. currency: empty for all that have none of their own. value: None for
    no limit. set_by_name: empty where nobody set it."""

    setting: Setting
    currency: str
    value: Value
    set_by_name: str = ""
    set_at: datetime | None = None


class DeskSettings:
    """Reads and sets them. What loosens is set by two: whoever calls `put` has seen to that.

    More than seven verbs: amounts and switches are asked for each in their own words.
    """

    def __init__(self, store: Store, clock: Clock, audit: Audit) -> None:
        self._store = store
        self._clock = clock
        self._audit = audit

    async def exceeds(self, name: str, amount: Money, queries: Queries | None = None) -> bool:
        """Whether an amount (its sign does not matter) is above a setting of this kind."""
        most = await self.amount(name, amount.currency, queries)
        return most is not None and abs(amount.minor) > most.minor

    async def amount(
        self, name: str, currency: str, queries: Queries | None = None
    ) -> Money | None:
        """An amount setting in a currency; None: no limit."""
        setting = _named(name, "amount")
        kept = await self._kept(queries, name)
        value = kept.get(currency, kept.get("", setting.default))
        return None if value is None else Money(value * 10 ** EXPONENTS[currency], currency)

    async def switched_on(self, name: str, queries: Queries | None = None) -> bool:
        """A switch."""
        setting = _named(name, "switch")
        return bool((await self._kept(queries, name)).get("", setting.default))

    async def wait(self, name: str, queries: Queries | None = None) -> timedelta:
        """A number of minutes."""
        setting = _named(name, "minutes")
        minutes = (await self._kept(queries, name)).get("", setting.default)
        return timedelta(minutes=int(minutes or 0))

    async def value(self, name: str, currency: str = "", queries: Queries | None = None) -> Value:
        """What counts in a currency; without one, in all that have none of their own. Refusals:
        setting_unknown."""
        kept = await self._kept(queries, name)
        value: Value = kept.get(currency, kept.get("", known(name).default))
        return value

    async def default(self, name: str, currency: str = "", queries: Queries | None = None) -> Value:
        """What would count if nobody had set it: in a currency, what counts in all others.
        Refusals: setting_unknown."""
        return await self.value(name, "", queries) if currency else known(name).default

    async def all(self) -> list[Chosen]:
        """Every setting, each with what it is in currencies of its own, in the order of the
        table."""
        rows = await self._store.fetch(
            "SELECT name, currency, value, set_by_name, set_at FROM desk_setting"
        )
        found = {(row["name"], row["currency"]): row for row in rows}
        chosen: list[Chosen] = []
        for setting in SETTINGS.values():
            if (setting.name, "") not in found:
                chosen.append(Chosen(setting, "", setting.default))
            for name, currency in sorted(found):
                if name == setting.name:
                    row = found[name, currency]
                    chosen.append(
                        Chosen(setting, currency, row["value"], row["set_by_name"], row["set_at"])
                    )
        return chosen

    async def put(
        self, tx: Queries, actor: Actor, name: str, value: Value, currency: str = ""
    ) -> None:
        """Set one, in the transaction of whatever let it be set. value: whole units of an amount
        or None for no limit; a bool of a switch. Refusals: those of `check`."""
        check(name, value, currency)
        before = await self.value(name, currency, tx)
        await tx.execute(_PUT, name, currency, value, actor.user_id, actor.name, self._clock.now())
        await self._record(tx, actor, name, currency, (before, value))

    async def reset(self, tx: Queries, actor: Actor, name: str, currency: str = "") -> None:
        """Back to its default, likewise."""
        before = await self.value(name, currency, tx)
        after = await self.default(name, currency, tx)
        await tx.execute(
            "DELETE FROM desk_setting WHERE name = $1 AND currency = $2", name, currency
        )
        await self._record(tx, actor, name, currency, (before, after))

    async def _record(
        self, tx: Queries, actor: Actor, name: str, currency: str, values: tuple[Value, Value]
    ) -> None:
        before, after = values
        await self._audit.record(
            tx,
            "set_setting",
            actor=actor.trail_name,
            facts={
                "name": name, "currency": currency, "before": before, "after": after,
                "actor_name": actor.name,
            },
            chat_id=actor.chat_id,
        )  # fmt: skip

    async def _kept(self, queries: Queries | None, name: str) -> dict[str, Any]:
        """currency -> value."""
        rows = await (queries or self._store).fetch(
            "SELECT currency, value FROM desk_setting WHERE name = $1", name
        )
        return {row["currency"]: row["value"] for row in rows}


def check(name: str, value: Value, currency: str = "") -> Setting:
    """The setting, where it can have this value. Refusals: setting_unknown, currency_unknown,
    field_invalid."""
    setting = known(name)
    if currency and (setting.kind != "amount" or currency not in EXPONENTS):
        raise Refusal("currency_unknown", currency=currency[:8])
    if not _fits(setting, value):
        raise Refusal("field_invalid", param=name, expected=_EXPECTED[setting.kind])
    return setting


def known(name: str) -> Setting:
    """The setting of a name. Refusals: setting_unknown."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise Refusal("setting_unknown", text=name[:32])
    return setting


def _fits(setting: Setting, value: Value) -> bool:
    match value:
        case bool():
            return setting.kind == "switch"
        case None:
            return setting.kind == "amount"
        case int():
            if setting.kind == "minutes":
                return 1 <= value <= MAX_MINUTES
            return setting.kind == "amount" and 0 <= value <= MAX_UNITS


def loosens(setting: Setting, before: Value, after: Value) -> bool:
    """Whether one person may do more alone by this value than by that one."""
    if setting.kind == "minutes":
        return False
    if setting.kind == "switch":
        return bool(before) and not after
    if before is None:
        return False
    return after is None or after > before


def _named(name: str, kind: Kind) -> Setting:
    setting = SETTINGS.get(name)
    if setting is None or setting.kind != kind:
        raise Bug(f"no setting of this kind: {name}")
    return setting


_EXPECTED: Final[Mapping[Kind, str]] = {
    "amount": f"0 to {MAX_UNITS}, or off",
    "switch": "on | off",
    "minutes": f"1 to {MAX_MINUTES}",
}
_PUT: Final = """
INSERT INTO desk_setting (name, currency, value, set_by, set_by_name, set_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name, currency) DO UPDATE SET value = excluded.value, set_by = excluded.set_by,
    set_by_name = excluded.set_by_name, set_at = excluded.set_at
"""
