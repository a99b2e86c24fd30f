"""What people are told of documents, licences and credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.delivery.outbox import Notice


@dataclass(frozen=True, slots=True)
class AlarmDocument(Notice):
    """A version waits for approval. alone: nobody but its author could give it. former: the
    version before it, empty of a first one. diff: the first lines of what changes, of
    `diff_lines`."""

    document_id: UUID
    code: str
    version: int
    note: str
    actor_name: str
    alone: bool
    former: str
    diff: tuple[str, ...]
    diff_lines: int


@dataclass(frozen=True, slots=True)
class DocumentDecided(Notice):
    """What became of a version, for its author. document: as people name it."""

    document_id: UUID
    document: str
    state: str
    why: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class AlarmLicence(Notice):
    """A supplier's licence ends, or is over."""

    supplier_no: str
    supplier_name: str
    licence_no: str
    expires_on: date
    days_left: int


@dataclass(frozen=True, slots=True)
class AlarmRolledBack(Notice):
    """A supplier went back to the version before. before, after: as people name them."""

    supplier_no: str
    supplier_name: str
    before: str
    after: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class AlarmCredentials(Notice):
    """Credentials of a supplier are to be replaced. alone: nobody else can put them live.
    confirmed: whoever set them did."""

    supplier_no: str
    supplier_name: str
    names: tuple[str, ...]
    actor_name: str
    alone: bool
    confirmed: bool
