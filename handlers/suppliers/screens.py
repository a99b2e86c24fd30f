"""The buttons under documents and suppliers, and under the questions of private dialogues."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.documents.buttons import FromLibrary, OnDocument, SendDocument
from handlers.kit.buttons import InDialogue
from handlers.kit.screen import Row, button, keyboard
from handlers.kit.vocabulary import WORDS
from handlers.suppliers.buttons import (
    OnSupplier,
    OpenSupplier,
    SetCredential,
    SwitchSupplier,
    TurnSuppliers,
)

_Facts = dict[str, Any]
_Keyboard = InlineKeyboardMarkup | None
_IN_A_ROW: Final = 3


def _rows(buttons: list[InlineKeyboardButton], width: int = _IN_A_ROW) -> list[Row]:
    return [tuple(buttons[i : i + width]) for i in range(0, len(buttons), width)]


def _cancel(facts: _Facts, translate: NullTranslations) -> InlineKeyboardButton:
    return button(
        translate.pgettext("desk", "Cancel"), InDialogue(facts["dialogue_id"], 0, "cancel")
    )


# ── documents ────────────────────────────────────────────────────────────────────────────────────
def documents_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """Each version, and ways to get another document."""
    versions = [
        button(line["document"], OnDocument(UUID(line["document_id"]), "open"))
        for line in facts["lines"]
    ]
    more = (
        button(translate.gettext("📚 From the library"), FromLibrary()),
        button(translate.gettext("📄 Send a document"), SendDocument()),
    )
    return keyboard(*_rows(versions), more if facts["private"] else ())


def library_buttons(facts: _Facts, _: NullTranslations) -> _Keyboard:
    """Each document that comes with the desk."""
    return keyboard(*_rows([button(code, FromLibrary(code)) for code in facts["codes"]], 2))


def document_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """What can be done with a version, and what it says."""
    document_id = UUID(facts["document_id"])
    approve = button(
        translate.gettext("✅ Approve"), OnDocument(document_id, "approve"), style="success"
    )
    reject = button(translate.gettext("⛔ Reject"), OnDocument(document_id, "reject"))
    diff = button(translate.gettext("± What changes"), OnDocument(document_id, "diff"))
    text = button(translate.gettext("📄 The document"), OnDocument(document_id, "text"))
    withdraw = button(translate.gettext("↩️ Withdraw"), OnDocument(document_id, "withdraw"))
    waits = facts["state"] == "proposed"
    stands = facts["state"] in ("proposed", "approved")
    return keyboard((approve, reject) if waits else (), (diff, text), (withdraw,) if stands else ())


def decided_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """To the card of a version that was decided."""
    opening = OnDocument(UUID(facts["document_id"]), "open")
    return keyboard((button(translate.gettext("📄 Open it"), opening),))


def checked_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """What to do with a document that was tried."""

    def choice(text: str, word_: str, style: str | None = None) -> InlineKeyboardButton:
        carried = InDialogue(facts["dialogue_id"], facts["turn"], word_)
        return button(text, carried, style=style)

    propose = choice(translate.gettext("📨 Propose it"), "propose", "primary")
    dry = choice(translate.gettext("🧪 Dry run"), "dry")
    diff = choice(translate.gettext("± What changes"), "diff")
    return keyboard((propose,) if facts["sound"] else (), (dry, diff), (_cancel(facts, translate),))


def cancel_button(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """The answer is written; or it is not given."""
    return keyboard((_cancel(facts, translate),))


# ── suppliers ────────────────────────────────────────────────────────────────────────────────────
def suppliers_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """Each supplier, the pages before and after, and a new one."""
    numbers = [
        button(line["supplier_no"], OnSupplier(UUID(line["supplier_id"]), "open"))
        for line in facts["lines"]
    ]
    page, pages = facts["page"], facts["pages"]
    turns = [
        button(arrow, TurnSuppliers(to))
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    opening = button(translate.gettext("➕ Open a supplier"), OpenSupplier())
    return keyboard(*_rows(numbers, 4), tuple(turns), (opening,))


def supplier_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """What can be done with a supplier now."""
    supplier_id, seen = UUID(facts["supplier_id"]), facts["seen"]
    live = facts["state"] == "live"
    turn = (
        button(translate.gettext("⏸ Switch off"), OnSupplier(supplier_id, "off"), style="danger")
        if live
        else button(
            translate.gettext("▶️ Go live"), OnSupplier(supplier_id, "live"), style="success"
        )
    )
    keys = button(translate.gettext("🔑 Credentials"), OnSupplier(supplier_id, "keys"))
    versions = button(translate.gettext("🔀 Switch version"), OnSupplier(supplier_id, "versions"))
    back = button(translate.gettext("⏪ Roll back"), OnSupplier(supplier_id, "back", seen))
    labels = {
        "name": translate.pgettext("desk", "Name"),
        "legal_name": translate.gettext("Legal name"),
        "licence_no": translate.gettext("Licence number"),
        "licence_expires_on": translate.gettext("Licence ends"),
        "settles_to": translate.gettext("Settles to"),
    }
    fields = [
        button(f"✏️ {labels['name']}", OnSupplier(supplier_id, "name")),
        button(f"✏️ {labels['legal_name']}", OnSupplier(supplier_id, "legal_name")),
        button(f"✏️ {labels['licence_no']}", OnSupplier(supplier_id, "licence_no")),
        button(f"✏️ {labels['licence_expires_on']}", OnSupplier(supplier_id, "licence_expires_on")),
        button(f"✏️ {labels['settles_to']}", OnSupplier(supplier_id, "settles_to")),
    ]
    return keyboard(
        (turn,), (keys, versions), (back,) if facts["switched"] else (), *_rows(fields, 2)
    )


def keys_buttons(facts: _Facts, _: NullTranslations) -> _Keyboard:
    """Each credential, whether it is set or not."""
    supplier_id = UUID(facts["supplier_id"])
    buttons = [
        button(f"{'✓' if key['set'] else '✗'} {key['name']}", SetCredential(supplier_id, place))
        for place, key in enumerate(facts["credentials"])
    ]
    return keyboard(*_rows(buttons, 2))


def versions_buttons(facts: _Facts, _: NullTranslations) -> _Keyboard:
    """The versions to which it can be switched."""
    supplier_id, seen = UUID(facts["supplier_id"]), facts["seen"]
    buttons = [
        button(line["document"], SwitchSupplier(supplier_id, UUID(line["document_id"]), seen))
        for line in facts["documents"]
    ]
    return keyboard(*_rows(buttons, 2))


def switch_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """Whether to switch."""
    supplier_id, document_id = UUID(facts["supplier_id"]), UUID(facts["document_id"])
    yes = button(
        translate.gettext("🔀 Switch it"),
        SwitchSupplier(supplier_id, document_id, facts["seen"], sure=True),
        style="danger",
    )
    diff = button(translate.gettext("± What changes"), OnDocument(document_id, "diff"))
    no = button(translate.pgettext("desk", "Cancel"), OnSupplier(supplier_id, "open"))
    return keyboard((yes, no), (diff,))


def question_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """The answers that can be pressed, whether to leave it for later, and to cancel."""
    words = WORDS["settles_to"]
    options = [
        button(
            translate.pgettext("settles_to", words.get(option, option)),
            InDialogue(facts["dialogue_id"], facts["turn"], str(place)),
        )
        for place, option in enumerate(facts["options"])
    ]
    later = button(
        translate.gettext("⏭ Later"), InDialogue(facts["dialogue_id"], facts["turn"], "skip")
    )
    last = (later,) if facts["later"] else ()
    return keyboard(*_rows(options, 2), (*last, _cancel(facts, translate)))


def credential_buttons(facts: _Facts, translate: NullTranslations) -> _Keyboard:
    """Leave it as it is, or for later; or cancel."""
    label = translate.gettext("⏭ Leave it") if facts["set"] else translate.gettext("⏭ Later")
    skip = button(label, InDialogue(facts["dialogue_id"], facts["turn"], "skip"))
    return keyboard((skip, _cancel(facts, translate)))
