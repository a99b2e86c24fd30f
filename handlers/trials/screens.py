"""Test orders on the screen: what they shall be, and what came of them."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.trade.trials import BY_ROUTING, TrialCalls, TrialMade, TrialOption, TrialQuestionNotice
from handlers.kit.screen import View, button, clip, in_rows, keyboard
from handlers.trials.buttons import AnswerTrial, ChooseForTrial, TurnTrial
from texts import number

_WIDTHS: Final = {"amount": 3, "product": 2}  # else one alone
_LABEL_CHARS: Final = 40


def _buttons(
    asked: TrialQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """What may be chosen, the pages before and after, and to think better of it."""
    if asked.step in ("made", "dropped"):
        return None
    no = button(translate.pgettext("desk", "Cancel"), AnswerTrial(asked.approval_id, yes=False))
    if asked.step == "confirm":
        yes = AnswerTrial(asked.approval_id, yes=True)
        return keyboard((button(translate.gettext("✅ Place the order"), yes, style="danger"), no))
    step = asked.told.step
    options = [
        button(
            _label(asked, option, translate), ChooseForTrial(asked.approval_id, step, option.value)
        )
        for option in asked.options
    ]
    turns = tuple(
        button(arrow, TurnTrial(asked.approval_id, page))
        for arrow, page in (("◀", asked.page - 1), ("▶", asked.page + 1))
        if 1 <= page <= asked.pages
    )
    return keyboard(*in_rows(options, _WIDTHS.get(asked.step, 1)), turns, (no,))


def _label(asked: TrialQuestionNotice, option: TrialOption, translate: NullTranslations) -> str:
    match asked.step:
        case "app":
            words = {"test": translate.gettext("🧪 test"), "live": translate.gettext("💰 live")}
            return f"{words[option.name]} · {option.value}"
        case "product":
            return clip(option.name, _LABEL_CHARS)
        case "channel" if option.value == BY_ROUTING:
            return translate.gettext("🧭 By routing")
        case "amount":
            return f"{number(int(option.value), asked.told.currency)} {asked.told.currency}"
        case _:
            return f"{option.value} · {clip(option.name, _LABEL_CHARS)}"


VIEWS: Final[tuple[View[Any], ...]] = (
    View(TrialQuestionNotice, buttons=_buttons),
    View(TrialMade),
    View(TrialCalls, shortens="lines"),
)
