"""What people are asked and told before they get keys of a live app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final, Literal
from uuid import UUID

from core.delivery.outbox import Notice
from core.people.approvals import Question, SecondQuestion

RIGHT: Final = "merchants"
TAKE_WITHIN: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _LiveKeys(Question):
    """app_id, app_name: None and the name of the new one where it is opened. key_id: empty then.
    digest: of the merchant's facts as they were when that was asked. review_changed: they were not
    those of its review already then."""

    right: ClassVar[str] = RIGHT
    merchant_no: str
    merchant_name: str
    app_id: UUID | None
    app_name: str
    key_id: str
    digest: str
    review_changed: bool


@dataclass(frozen=True, slots=True)
class KeysQuestion(_LiveKeys, SecondQuestion):
    """Whether somebody gets new keys of a live app."""

    kind: ClassVar[str] = "keys"
    open_for: ClassVar[timedelta] = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TakeKeysQuestion(_LiveKeys):
    """The same, once nothing but the asker's own factor is missing."""

    kind: ClassVar[str] = "take_keys"
    open_for: ClassVar[timedelta] = TAKE_WITHIN
    answered_in: ClassVar[Literal["here", "ops", "private"]] = "private"
    factor: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class KeysReady(Notice):
    """Told to the asker alone: new keys may be taken now. minutes: until that is over."""

    approval_id: UUID
    merchant_no: str
    merchant_name: str
    app_name: str
    key_id: str
    actor_name: str
    minutes: int
