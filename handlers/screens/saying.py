"""Screens by name: a template each, and for some a row of buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup
from markupsafe import Markup

from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from handlers.buttons import (
    AnswerCompletion,
    AnswerRerating,
    AnswerUnbind,
    OpenExport,
    TurnVouchers,
)
from handlers.screens.deciding import (
    list_buttons,
    open_button,
    resolution_buttons,
    reversal_buttons,
    slip_buttons,
    way_buttons,
)
from handlers.screens.pieces import MAX_TEXT_CHARS, Screen, button, clip, fill, keyboard, text_chars
from handlers.screens.receipts import render_receipt, undo_button
from handlers.screens.refunding import ended_buttons, refund_buttons
from handlers.screens.routing import channel_buttons, channel_list_buttons, new_channel_buttons
from handlers.screens.statistics import render_statistics
from handlers.screens.supplying import (
    cancel_button,
    checked_buttons,
    credential_buttons,
    decided_buttons,
    document_buttons,
    documents_buttons,
    keys_buttons,
    library_buttons,
    question_buttons,
    supplier_buttons,
    suppliers_buttons,
    switch_buttons,
    versions_buttons,
)
from handlers.screens.words import gate_words, word
from texts import minute_from, refusal_text, translator

_Facts = dict[str, Any]
_Buttons = Callable[[_Facts, NullTranslations], InlineKeyboardMarkup | None]

# Facts of refusals that are keys of ours, and the words by which people know them.
NAMED: Final = {
    "right": "right", "kind": "group", "why": "tariff_fault", "document_state": "document",
    "channel_fault": "channel_fault", "channel_state": "channel_state",
}  # fmt: skip
# What a refusal says of time: from then on something works.
INSTANTS: Final = frozenset({"at"})
# Lists without a bound of their own: as many lines of them as a message has room for.
_LISTS: Final = {
    "checklist": "bound", "deed": "deeds", "refusals": "told",
    "document_faults": "faults", "info": "bound",
    "rates": "lines", "refused_callbacks": "lines",
    "unbind_question": "bound",
    "order_why": "lines", "products": "lines", "why": "lines",
}  # fmt: skip
# A group of more holders is told to name the one.
_MAX_UNBIND_BUTTONS: Final = 30
# What a refusal repeats of what somebody wrote.
_FACT_CHARS: Final = 500


def render_say(say: Say, language: str) -> Screen:
    """The screen of a fact; its name is one of `SCREENS`."""
    buttons = SCREENS[say.screen]
    facts = dict(say.facts)
    if say.screen == "statistics":
        return render_statistics(facts, language)
    if say.screen == "receipt":
        return render_receipt(facts, language)
    if say.screen == "refusal":
        facts["text"] = refusal_words(facts["code"], facts["facts"], language)
    if say.screen == "refusals":
        facts["count"] = len(facts["told"])
        facts["told"] = [
            {
                "quote": one["quote"],
                "html": Markup(render_say(Say(one["screen"], one["facts"]), language).html),  # noqa: S704 (our own screen, escaped in itself)
            }
            for one in facts["told"]
        ]
    if say.screen == "slip_question":
        facts["doubts"] = [
            {**doubt, "text": refusal_words(doubt["code"], doubt["facts"], language)}
            for doubt in facts["doubts"]
        ]
    return Screen(
        html=_fitting(say.screen, facts, language),
        keyboard=buttons(facts, translator(language)) if buttons else None,
    )


def refusal_words(code: str, facts: _Facts, language: str) -> str:
    """Why not, in the words by which people know what is named. A fact of `INSTANTS` is ISO text,
    and `zone` says on whose clocks it is shown."""
    named = {
        name: word(NAMED[name], value, language) if name in NAMED else clip(value, _FACT_CHARS)
        for name, value in facts.items()
    }
    for name in INSTANTS & facts.keys():
        named[name] = minute_from(datetime.fromisoformat(facts[name]), facts["zone"])
    if "missing" in named:
        gates = named["missing"].split(", ")
        named["missing"] = ", ".join(gate_words(gate, language) for gate in gates)
    return refusal_text(Refusal(code, **named), language)


def _fitting(screen: str, facts: _Facts, language: str) -> str:
    """more: how many lines of the screen's list are left out."""
    if screen not in _LISTS:
        return fill(screen, facts, language)
    lines = facts[_LISTS[screen]]
    shown = len(lines)
    while True:
        some = {_LISTS[screen]: lines[:shown], "more": len(lines) - shown}
        html = fill(screen, facts | some, language)
        chars = text_chars(html)
        if chars <= MAX_TEXT_CHARS or not shown:
            return html
        # A little less than would fit if all lines were alike; at least one less.
        shown = min(shown - 1, shown * MAX_TEXT_CHARS // chars)


def toast(name: str, facts: _Facts, language: str) -> str:
    """The short plain text that answers a button press, at most 200 characters."""
    translate = translator(language)
    match name:
        case "how_to_complete":
            text = translate.gettext("Send this, with a reason: 补单 %(order_no)s …")
        case "already_done":
            text = translate.gettext("This was decided already; nothing was changed now.")
        case "notified_again":
            text = translate.gettext("The merchant's server is being told again.")
        case "sent_again":
            text = translate.ngettext(
                "%(count)s message is being sent again.",
                "%(count)s messages are being sent again.",
                facts["count"],
            )
        case "channel_turned":
            text = word("channel_move", facts["move"], language)
        case _:
            text = translate.gettext("The supplier says: %(state)s")
            facts = {"state": word("standing", facts["state"], language)}
    return text % facts


def _complete(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    asked = UUID(facts["approval_id"])
    return keyboard(
        (
            button(
                translate.gettext("✅ Complete it"), AnswerCompletion(asked, yes=True),
                style="danger",
            ),
            button(translate.pgettext("desk", "Cancel"), AnswerCompletion(asked, yes=False)),
        )
    )  # fmt: skip


def _rerate(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    asked = UUID(facts["approval_id"])
    yes = button(
        translate.gettext("✅ Charge anew"), AnswerRerating(asked, yes=True), style="danger"
    )
    no = button(translate.pgettext("desk", "Cancel"), AnswerRerating(asked, yes=False))
    return keyboard((yes, no))


def _unbind(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    asked, numbers = UUID(facts["approval_id"]), facts["numbers"]
    no = button(translate.pgettext("desk", "Cancel"), AnswerUnbind(asked, yes=False))
    if len(numbers) == 1:
        yes = AnswerUnbind(asked, yes=True, number=numbers[0])
        return keyboard((button(translate.pgettext("desk", "Unbind"), yes, style="danger"), no))
    each = [
        button(number, AnswerUnbind(asked, yes=True, number=number), style="danger")
        for number in numbers[:_MAX_UNBIND_BUTTONS]
    ]
    rows = [tuple(each[n : n + 3]) for n in range(0, len(each), 3)]
    word = translate.gettext("All of them") if numbers else translate.pgettext("desk", "Unbind")
    every = button(word, AnswerUnbind(asked, yes=True), style="danger")
    return keyboard(*rows, (every, no))


def _pages(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """The pages before and after this one, and the days as files."""
    whose = (facts["holder"], UUID(facts["holder_id"]))
    days = (date.fromisoformat(facts["first"]), date.fromisoformat(facts["last"]))
    page = facts["page"]
    turns = []
    if page > 1:
        turns.append(button("◀", TurnVouchers(*whose, *days, page - 1)))
    if page < facts["pages"]:
        turns.append(button("▶", TurnVouchers(*whose, *days, page + 1)))
    files = (
        button("Excel", OpenExport("excel", *whose, *days)),
        button("CSV", OpenExport("csv", *whose, *days, "prepayments")),
    )
    return keyboard(tuple(turns), files if facts["count"] else ())


# Every screen that a Say may name, with what makes its buttons.
SCREENS: Final[dict[str, _Buttons | None]] = {
    "adjusted": undo_button,
    "adjusted_undone": None,
    "alarm_channel": None,
    "channel_works": None,
    "alarm_credit": None,
    "alarm_discrepancy": open_button,
    "alarm_credentials": None,
    "alarm_document": document_buttons,
    "alarm_exhausted": None,
    "alarm_licence": None,
    "alarm_refund": refund_buttons,
    "alarm_rolled_back": None,
    "alarm_shortfall": None,
    "balance": None,
    "bill_ended": None,
    "bound": None,
    "bound_elsewhere": None,
    "channel": channel_buttons,
    "channel_added": None,
    "channel_changed": None,
    "channel_dropped": None,
    "channel_question": new_channel_buttons,
    "channel_set": None,
    "channel_turned": None,
    "channels": channel_list_buttons,
    "checklist": None,
    "complete_dropped": None,
    "complete_question": _complete,
    "complete_settled_itself": None,
    "completed": None,
    "credential_question": credential_buttons,
    "day_cut_set": None,
    "deed": None,
    "dialogue_ended": None,
    "discrepancies": list_buttons,
    "discrepancy": way_buttons,
    "document": document_buttons,
    "document_checked": checked_buttons,
    "document_decided": decided_buttons,
    "document_faults": None,
    "document_library": library_buttons,
    "document_wanted": cancel_button,
    "document_why": cancel_button,
    "documents": documents_buttons,
    "dry_read": None,
    "dry_run": None,
    "file": None,
    "supplier": supplier_buttons,
    "supplier_keys": keys_buttons,
    "supplier_off": cancel_button,
    "supplier_question": question_buttons,
    "supplier_switch": switch_buttons,
    "supplier_versions": versions_buttons,
    "suppliers": suppliers_buttons,
    "cost_set": None,
    "credit": None,
    "credit_set": None,
    "edited_money": None,
    "export_failed": None,
    "repeated": None,
    "help": None,
    "info": None,
    "language_set": None,
    "money_unreadable": None,
    "no_command": None,
    "only_in_groups": None,
    "order_log": None,
    "order_why": None,
    "paid_in": undo_button,
    "paid_in_undone": None,
    "parked_messages": None,
    "prepaid": undo_button,
    "prepaid_history": _pages,
    "prepaid_undone": None,
    "product_turned": None,
    "products": None,
    "rate_set": None,
    "rates": None,
    "receipt": None,
    "refund_dropped": None,
    "refund_ended": None,
    "refund_question": ended_buttons,
    "refusal": None,
    "refusals": None,
    "refused_callbacks": None,
    "rerate_dropped": None,
    "rerate_question": _rerate,
    "rerated": None,
    "resolve_question": resolution_buttons,
    "resolved": None,
    "sightings": None,
    "slip_confirmed": None,
    "slip_dropped": None,
    "slip_question": slip_buttons,
    "stale_money": None,
    "statistics": None,
    "unbind_dropped": None,
    "unbind_question": _unbind,
    "unbound": None,
    "uncomplete_dropped": None,
    "uncomplete_question": reversal_buttons,
    "uncompleted": None,
    "update_parked": None,
    "usage": None,
    "usdt_rate": None,
    "usdt_rate_set": None,
    "why": None,
}
