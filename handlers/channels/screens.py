"""Channels on the screen: their buttons; and an order's calls to suppliers as a text."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.parties.suppliers import Call
from core.reports.exports import CallLog
from handlers.channels.buttons import Action, AnswerChannel, OnChannel, TurnChannels
from handlers.kit.screen import button, keyboard
from handlers.kit.vocabulary import word
from handlers.kit.whys import why_words
from texts import instant, translator

_Facts = dict[str, Any]
_IN_A_ROW: Final = 4
_RULE: Final = "─" * 40
# What can be done with a channel, by its state.
_MOVES: Final[dict[str, tuple[Action, ...]]] = {
    "on": ("off", "archive"),
    "off": ("on", "archive"),
    "archived": ("restore",),
}


def channel_list_buttons(facts: _Facts, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """A button for each channel, and the pages before and after."""
    page, pages = facts["page"], facts["pages"]
    opens = [
        button(line["channel_no"], OnChannel(line["channel_no"], "open")) for line in facts["lines"]
    ]
    turns = [
        button(
            arrow,
            TurnChannels(
                to, facts["supplier_no"] or None, facts["product_code"] or None, facts["archived"]
            ),
        )
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    rows = [tuple(opens[i : i + _IN_A_ROW]) for i in range(0, len(opens), _IN_A_ROW)]
    return keyboard(*rows, tuple(turns))


def channel_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What whoever asked may do with the channel now."""
    if not facts["may_change"]:
        return None
    labels = {
        "on": translate.gettext("▶️ Switch on"),
        "off": translate.gettext("⏹ Switch off"),
        "resume": translate.gettext("⏩ Resume now"),
        "archive": translate.gettext("🗄 Archive"),
        "restore": translate.gettext("♻️ Restore"),
    }
    channel = facts["channel"]
    moves = _MOVES[channel["state"]]
    if channel["pause"]:
        moves = ("resume", *moves)
    return keyboard(
        tuple(button(labels[move], OnChannel(channel["channel_no"], move)) for move in moves)
    )


def new_channel_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether to add the channel."""
    asked = UUID(facts["approval_id"])
    yes = button(translate.gettext("✅ Add it"), AnswerChannel(asked, yes=True), style="success")
    no = button(translate.pgettext("desk", "Cancel"), AnswerChannel(asked, yes=False))
    return keyboard((yes, no))


def call_log(log: CallLog, language: str) -> str:
    """Every call about an order, in full, as plain text."""
    named = translator(language).pgettext
    title = f"{named('desk', 'Order')} {log.order_no} · {log.zone}"
    return "\n\n".join([title, *(_call(call, log.zone, language) for call in log.calls)]) + "\n"


def _call(call: Call, zone: str, language: str) -> str:
    named = translator(language).pgettext
    outcome = word("outcome", call.outcome, language)
    status = f" · HTTP {call.status}" if call.status is not None else ""
    operation = word("operation", call.operation, language)
    took = translator(language).gettext("%(took)s ms") % {"took": call.took_ms}
    head = [
        _RULE,
        f"{instant(call.at, zone)} · {operation} · {took} · {outcome}{status}",
        f"{named('desk', 'Attempt')} {call.attempt_no}",
    ]
    if call.why:
        head.append(why_words(call.why, language))
    parts = (
        (named("desk", "Request"), f"{call.method} {call.url}", call.request_headers,
         call.request_body),
        (named("desk", "Signed string"), call.signed),
        (named("desk", "Answer"), call.answer_headers, call.answer_body),
    )  # fmt: skip
    for label, *texts in parts:
        said = "\n".join(text for text in texts if text)
        if said:
            head += ["", f"[{label}]", said]
    return "\n".join(head)
