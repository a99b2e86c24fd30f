"""Connector documents on the screen: tried, decided, and as they speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from core.connectors import Fault
from core.delivery.outbox import Notice
from core.supply.onboarding import AlarmDocument, DocumentDecided
from handlers.documents.buttons import FromLibrary, OnDocument, SendDocument
from handlers.documents.words import Decision
from handlers.kit.buttons import InDialogue
from handlers.kit.forms import StepQuestion, step_buttons
from handlers.kit.screen import View, button, cancel_button, in_rows, keyboard

_Keyboard = InlineKeyboardMarkup | None
_IN_A_ROW: Final = 3
_CODES_IN_A_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What a list shows of a version. document: as people name it."""

    document_id: UUID
    document: str
    state: str
    proposed_by_name: str


@dataclass(frozen=True, slots=True)
class DocumentsNotice(Notice):
    """The newest versions. more: how many are left out. private: the chat is, so that one may send
    a document here."""

    lines: tuple[DocumentLine, ...]
    more: int
    private: bool


@dataclass(frozen=True, slots=True)
class DocumentNotice(Notice):
    """A version. decided_by_name, why: of who decided it, or empty. alone: its author did."""

    document_id: UUID
    document: str
    state: str
    note: str
    proposed_by_name: str
    proposed_at: datetime
    decided_by_name: str
    why: str
    alone: bool
    zone: str


@dataclass(frozen=True, slots=True)
class DocumentLibrary(Notice):
    """The documents that come with the desk."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentWanted(Notice):
    """A document is asked for."""

    dialogue_id: str
    limit_kb: int


@dataclass(frozen=True, slots=True)
class DocumentWhy(StepQuestion):
    """Why is it decided so?"""

    document: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class DocumentFaultsNotice(Notice):
    """The first faults of a document. total: how many there are."""

    total: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """How payments are opened: the text that is signed, and how; both empty where none is."""

    text: str
    steps: str


@dataclass(frozen=True, slots=True)
class CautionLine:
    """What to look at twice. code: a word of the screens."""

    code: str
    about: str


@dataclass(frozen=True, slots=True)
class FailureLine:
    """A fixture that does not hold. line: of the document."""

    case: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a document does, and which of its fixtures fail. cases: how many it has. sound: it can
    be proposed."""

    code: str
    name: str
    offers: tuple[str, ...]
    lacks: tuple[str, ...]
    signing: Signing
    credentials: tuple[str, ...]
    servers: tuple[str, ...]
    hosts: tuple[str, ...]
    ways: tuple[str, ...]
    sandbox_only: bool
    cautions: tuple[CautionLine, ...]
    cases: int
    failures: tuple[FailureLine, ...]
    sound: bool


@dataclass(frozen=True, slots=True)
class DocumentChecked(Notice):
    """A document that was tried, and what to do with it. former: the version before it, empty of
    a first one. diff: the first lines of what it changes, of `diff_lines`. note: what it changes,
    in words."""

    summary: Summary
    note: str
    former: str
    diff: tuple[str, ...]
    diff_lines: int
    dialogue_id: str
    turn: int


@dataclass(frozen=True, slots=True)
class DryRequest:
    """The request that opens a payment by one way, secrets masked; or why (`fault`) none can be
    made. fields: decoded, one on each line. signed: the text that was signed."""

    way: str
    method: str = ""
    url: str = ""
    headers: str = ""
    body: str = ""
    fields: str = ""
    signed: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class DryRunNotice(Notice):
    """A request that a document makes. more: of so many more ways there are some."""

    code: str
    request: DryRequest
    more: int


@dataclass(frozen=True, slots=True)
class DryStep:
    """A step of reading what came. said: what it saw, by name."""

    name: str
    ok: bool
    why: str
    said: dict[str, str]


@dataclass(frozen=True, slots=True)
class DryReadNotice(Notice):
    """How something that came is read. gives: the word that a fixture has for it; outcomes: the
    rest of what comes out, by name."""

    code: str
    operation: str
    gives: str
    outcomes: dict[str, str]
    steps: tuple[DryStep, ...]


def _list_buttons(listed: DocumentsNotice, translate: NullTranslations) -> _Keyboard:
    """Each version, and ways to get another document."""
    versions = [
        button(line.document, OnDocument(line.document_id, "open")) for line in listed.lines
    ]
    more = (
        button(translate.gettext("📚 From the library"), FromLibrary()),
        button(translate.gettext("📄 Send a document"), SendDocument()),
    )
    return keyboard(*in_rows(versions, _IN_A_ROW), more if listed.private else ())


def _library_buttons(library: DocumentLibrary, _: NullTranslations) -> _Keyboard:
    """Each document that comes with the desk."""
    buttons = [button(code, FromLibrary(code)) for code in library.codes]
    return keyboard(*in_rows(buttons, _CODES_IN_A_ROW))


def _document_buttons(
    shown: DocumentNotice | AlarmDocument, translate: NullTranslations
) -> _Keyboard:
    """What can be done with a version, and what it says."""
    document_id = shown.document_id
    approve = button(
        translate.gettext("✅ Approve"), OnDocument(document_id, "approve"), style="success"
    )
    reject = button(translate.gettext("⛔ Reject"), OnDocument(document_id, "reject"))
    diff = button(translate.gettext("± What changes"), OnDocument(document_id, "diff"))
    text = button(translate.gettext("📄 The document"), OnDocument(document_id, "text"))
    withdraw = button(translate.gettext("↩️ Withdraw"), OnDocument(document_id, "withdraw"))
    state = shown.state if isinstance(shown, DocumentNotice) else "proposed"
    waits = state == "proposed"
    stands = state in ("proposed", "approved")
    return keyboard((approve, reject) if waits else (), (diff, text), (withdraw,) if stands else ())


def _decided_buttons(decided: DocumentDecided, translate: NullTranslations) -> _Keyboard:
    """To the card of a version that was decided."""
    opening = OnDocument(decided.document_id, "open")
    return keyboard((button(translate.gettext("📄 Open it"), opening),))


def _checked_buttons(checked: DocumentChecked, translate: NullTranslations) -> _Keyboard:
    """What to do with a document that was tried."""

    def choice(text: str, word: str, style: str | None = None) -> InlineKeyboardButton:
        carried = InDialogue(checked.dialogue_id, checked.turn, word)
        return button(text, carried, style=style)

    propose = choice(translate.gettext("📨 Propose it"), "propose", "primary")
    dry = choice(translate.gettext("🧪 Dry run"), "dry")
    diff = choice(translate.gettext("± What changes"), "diff")
    return keyboard(
        (propose,) if checked.summary.sound else (),
        (dry, diff),
        (cancel_button(checked.dialogue_id, translate),),
    )


def _cancel(asked: DocumentWanted, translate: NullTranslations) -> _Keyboard:
    """The answer is written; or it is not given."""
    return keyboard((cancel_button(asked.dialogue_id, translate),))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DocumentsNotice, buttons=_list_buttons),
    View(DocumentNotice, buttons=_document_buttons),
    View(AlarmDocument, buttons=_document_buttons),
    View(DocumentDecided, buttons=_decided_buttons),
    View(DocumentLibrary, buttons=_library_buttons),
    View(DocumentWanted, buttons=_cancel),
    View(DocumentWhy, buttons=step_buttons),
    View(DocumentFaultsNotice, shortens="faults"),
    View(DocumentChecked, buttons=_checked_buttons),
    View(DryRunNotice),
    View(DryReadNotice),
)
