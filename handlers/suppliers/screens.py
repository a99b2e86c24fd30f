"""Suppliers on the screen, and the questions of private dialogues about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.supply.onboarding import AlarmCredentials, AlarmLicence, AlarmRolledBack
from handlers.documents.buttons import OnDocument
from handlers.groups.buttons import LinkGroup
from handlers.kit.buttons import InDialogue
from handlers.kit.dialogues import SKIP
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import View, button, cancel_button, in_rows, keyboard
from handlers.kit.vocabulary import WORDS
from handlers.suppliers.buttons import (
    OnSupplier,
    OpenSupplier,
    SetCredential,
    SwitchSupplier,
    TurnSuppliers,
)

_Keyboard = InlineKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class SupplierLine:
    """What a list shows of a supplier. document: the version it uses. days_left: of its licence;
    None where none is known. missing: the gates before it, by name."""

    supplier_id: UUID
    supplier_no: str
    name: str
    state: str
    sandbox: bool
    document: str
    days_left: int | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuppliersNotice(Notice):
    """A page of the suppliers. total: of all pages."""

    page: int
    pages: int
    total: int
    lines: tuple[SupplierLine, ...]


@dataclass(frozen=True, slots=True)
class CredentialLine:
    """A credential of a supplier, whose value is never told. title: as its document has it."""

    name: str
    title: str
    set: bool


@dataclass(frozen=True, slots=True)
class UseLine:
    """A version that a supplier used. how: a word of the screens."""

    document: str
    how: str
    actor_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SupplierNotice(Notice):
    """A supplier in full; the first fields are those of `SupplierLine`. seen: as in `OnSupplier`.
    waiting: credentials that a second person puts live. switched: it used another version once."""

    supplier_id: UUID
    supplier_no: str
    name: str
    state: str
    sandbox: bool
    document: str
    days_left: int | None
    missing: tuple[str, ...]
    seen: str
    legal_name: str
    licence_no: str
    licence_expires_on: date | None
    settles_to: str
    currency: str
    credentials: tuple[CredentialLine, ...]
    uses: tuple[UseLine, ...]
    waiting: tuple[str, ...]
    zone: str
    switched: bool


@dataclass(frozen=True, slots=True)
class SupplierKeys(Notice):
    """A supplier's credentials, one of which may be chosen."""

    supplier_id: UUID
    supplier_no: str
    name: str
    credentials: tuple[CredentialLine, ...]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of a document, and how people name it."""

    document_id: UUID
    document: str


@dataclass(frozen=True, slots=True)
class SupplierVersions(Notice):
    """To which versions a supplier can be switched. before: the one in use. seen: as in
    `OnSupplier`."""

    supplier_id: UUID
    supplier_no: str
    name: str
    before: str
    seen: str
    documents: tuple[VersionLine, ...]


@dataclass(frozen=True, slots=True)
class SupplierSwitch(Notice):
    """Whether a supplier is switched from a version to another one. note: what that changes."""

    supplier_id: UUID
    supplier_no: str
    name: str
    state: str
    before: str
    seen: str
    after: str
    document_id: UUID
    note: str


@dataclass(frozen=True, slots=True)
class SupplierOff(StepQuestion):
    """Why is a supplier switched off?"""

    supplier_no: str
    name: str


@dataclass(frozen=True, slots=True)
class SupplierQuestion(StepQuestion):
    """A question of who a supplier is."""

    supplier_no: str


@dataclass(frozen=True, slots=True)
class CredentialQuestion(Notice):
    """A credential is asked for. servers: those that its document knows, where an address is asked
    for. set: it is known. replaces: what comes has to be put live by a second person."""

    supplier_no: str
    supplier_name: str
    name: str
    title: str
    servers: tuple[str, ...]
    set: bool
    replaces: bool
    place: int
    of: int
    dialogue_id: str
    turn: int


def _list_buttons(listed: SuppliersNotice, translate: NullTranslations) -> _Keyboard:
    """Each supplier, the pages before and after, and a new one."""
    numbers = [
        button(line.supplier_no, OnSupplier(line.supplier_id, "open")) for line in listed.lines
    ]
    page, pages = listed.page, listed.pages
    turns = [
        button(arrow, TurnSuppliers(to))
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    opening = button(translate.gettext("➕ Open a supplier"), OpenSupplier())
    return keyboard(*in_rows(numbers, 4), tuple(turns), (opening,))


def _supplier_buttons(shown: SupplierNotice, translate: NullTranslations) -> _Keyboard:
    """What can be done with a supplier now."""
    supplier_id = shown.supplier_id
    live = shown.state == "live"
    turn = (
        button(translate.gettext("⏸ Switch off"), OnSupplier(supplier_id, "off"), style="danger")
        if live
        else button(
            translate.gettext("▶️ Go live"), OnSupplier(supplier_id, "live"), style="success"
        )
    )
    keys = button(translate.gettext("🔑 Credentials"), OnSupplier(supplier_id, "keys"))
    versions = button(translate.gettext("🔀 Switch version"), OnSupplier(supplier_id, "versions"))
    back = button(translate.gettext("⏪ Roll back"), OnSupplier(supplier_id, "back", shown.seen))
    labels = {
        "name": translate.pgettext("desk", "Name"),
        "legal_name": translate.gettext("Legal name"),
        "licence_no": translate.gettext("Licence number"),
        "licence_expires_on": translate.gettext("Licence expires"),
        "settles_to": translate.gettext("Settles to"),
    }
    fields = [
        button(f"✏️ {labels['name']}", OnSupplier(supplier_id, "name")),
        button(f"✏️ {labels['legal_name']}", OnSupplier(supplier_id, "legal_name")),
        button(f"✏️ {labels['licence_no']}", OnSupplier(supplier_id, "licence_no")),
        button(f"✏️ {labels['licence_expires_on']}", OnSupplier(supplier_id, "licence_expires_on")),
        button(f"✏️ {labels['settles_to']}", OnSupplier(supplier_id, "settles_to")),
    ]
    link = button(translate.gettext("🔗 A group"), LinkGroup(shown.supplier_no))
    last = (back, link) if shown.switched else (link,)
    return keyboard((turn,), (keys, versions), last, *in_rows(fields, 2))


def _keys_buttons(shown: SupplierKeys, _: NullTranslations) -> _Keyboard:
    """Each credential, whether it is set or not."""
    buttons = [
        button(f"{'✓' if key.set else '✗'} {key.name}", SetCredential(shown.supplier_id, place))
        for place, key in enumerate(shown.credentials)
    ]
    return keyboard(*in_rows(buttons, 2))


def _versions_buttons(shown: SupplierVersions, _: NullTranslations) -> _Keyboard:
    """The versions to which it can be switched."""
    buttons = [
        button(line.document, SwitchSupplier(shown.supplier_id, line.document_id, shown.seen))
        for line in shown.documents
    ]
    return keyboard(*in_rows(buttons, 2))


def _switch_buttons(asked: SupplierSwitch, translate: NullTranslations) -> _Keyboard:
    """Whether to switch."""
    supplier_id, document_id = asked.supplier_id, asked.document_id
    yes = button(
        translate.gettext("🔀 Switch it"),
        SwitchSupplier(supplier_id, document_id, asked.seen, sure=True),
        style="danger",
    )
    diff = button(translate.gettext("± What changes"), OnDocument(document_id, "diff"))
    no = button(translate.pgettext("desk", "Cancel"), OnSupplier(supplier_id, "open"))
    return keyboard((yes, no), (diff,))


def _question_buttons(asked: SupplierQuestion, translate: NullTranslations) -> _Keyboard:
    """To whom it settles is said in words; all other options are names."""
    words = WORDS["settles_to"]
    return step_buttons(
        asked, translate, lambda option: translate.pgettext("settles_to", words.get(option, option))
    )


def _credential_buttons(asked: CredentialQuestion, translate: NullTranslations) -> _Keyboard:
    """Leave it as it is, or for later; or cancel."""
    label = translate.gettext("⏭ Leave it") if asked.set else translate.gettext("⏭ Later")
    skip = button(label, InDialogue(asked.dialogue_id, asked.turn, SKIP))
    return keyboard((skip, cancel_button(asked.dialogue_id, translate)))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(AlarmCredentials),
    View(AlarmLicence),
    View(AlarmRolledBack),
    View(SuppliersNotice, buttons=_list_buttons),
    View(SupplierNotice, buttons=_supplier_buttons),
    View(SupplierKeys, buttons=_keys_buttons),
    View(SupplierVersions, buttons=_versions_buttons),
    View(SupplierSwitch, buttons=_switch_buttons),
    View(SupplierOff, buttons=step_buttons),
    View(SupplierQuestion, buttons=_question_buttons),
    View(CredentialQuestion, buttons=_credential_buttons),
)
