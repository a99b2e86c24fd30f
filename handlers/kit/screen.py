"""What screens are made of: templates, buttons, the credit bar, short times, signed amounts."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup
from jinja2 import Environment
from markupsafe import Markup

from core.books import MerchantBalance
from core.delivery.outbox import Notice, read_notice, screen_of
from handlers.kit.buttons import Button, InDialogue
from handlers.kit.vocabulary import gate_words, tariff_words, word
from handlers.kit.whys import kept_reason, reason_words, why_words
from texts import jinja_environment, number, translator

MAX_HTML_CHARS: Final = 4096
MAX_TEXT_CHARS: Final = 4096
MAX_CAPTION_CHARS: Final = 1024
BAR_BLOCKS: Final = 10
LOW_PERCENT: Final = 20
_HOUR_MIN: Final = 60
_DAYS_FROM_MIN: Final = 48 * _HOUR_MIN
# Each topic has its own; a name is there once.
TEMPLATES: Final = tuple(sorted(Path(__file__).resolve().parents[1].glob("*/templates")))
_TAGS: Final = re.compile(r"<[^>]*>")
_UNSHOWN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_BLANKS: Final = re.compile(r"\n[ \t]*\n\s*\n")

Row = tuple[InlineKeyboardButton, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """A message, ready to be sent.

    html: Telegram's HTML, at most 4096 characters of text. rich: an InputRichMessage as JSON
    values that says the same, where there is one. keyboard: the buttons under it.
    """

    html: str
    rich: dict[str, Any] | None = None
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of what was advanced remains, in ten blocks. percent: 0 to 100."""

    blocks: str
    percent: int


def credit_bar(remaining_minor: int, advanced_minor: int) -> Bar | None:
    """The bar; None where nothing stands advanced. Red under 20 %."""
    if advanced_minor <= 0:
        return None
    percent = min(100, max(0, remaining_minor * 100 // advanced_minor))
    full = percent * BAR_BLOCKS // 100
    if percent > 0:
        full = max(1, full)
    block = "🟥" if percent < LOW_PERCENT else "🟩"
    return Bar(block * full + "⬜" * (BAR_BLOCKS - full), percent)


def signed(minor: int, currency: str) -> str:
    """'+1,000.00' or '-1,000.00'."""
    return f"+{number(minor, currency)}" if minor > 0 else number(minor, currency)


def percent(part: int, whole: int, places: int = 1) -> str:
    """'83.3%', rounded half-up; '–' where there is no whole."""
    if whole <= 0:
        return "–"
    unit = 10**places
    scaled = (abs(part) * 200 * unit + whole) // (2 * whole)
    sign = "-" if part < 0 < scaled else ""
    return f"{sign}{scaled // unit}.{scaled % unit:0{places}d}%"


def short_time(at: str | datetime, zone: str) -> str:
    """'11-21 09:03:27' on the clocks of a zone. at: aware, or its ISO text."""
    instant = datetime.fromisoformat(at) if isinstance(at, str) else at
    return instant.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M:%S")


def moment(at: datetime, zone: str) -> Markup:
    """An instant on the clocks of the chat, the same words for all who read along; Telegram shows
    each reader their own clocks on a tap."""
    return Markup('<tg-time unix="{}">{}</tg-time>').format(
        int(at.timestamp()), short_time(at, zone)
    )


def age(minutes: int, language: str) -> str:
    """How long ago something was: in minutes, hours or days."""
    plural = translator(language).ngettext
    if minutes < _HOUR_MIN:
        return plural("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}
    if minutes < _DAYS_FROM_MIN:
        hours = minutes // _HOUR_MIN
        return plural("%(num)s hour", "%(num)s hours", hours) % {"num": hours}
    days = minutes // (24 * _HOUR_MIN)
    return plural("%(num)s day", "%(num)s days", days) % {"num": days}


def text_chars(html: str) -> int:
    """How long Telegram says that a text is: without its tags, in UTF-16 units, as it counts."""
    return _units(markup.unescape(_TAGS.sub("", html)))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def caption(text: str) -> str:
    """Plain text as what stands under a picture or a file: Telegram's HTML, cut where it would be
    longer than 1024 characters. What no picture and no message can show is left out."""
    return markup.escape(clip(showable(text), MAX_CAPTION_CHARS), quote=False)


def showable(text: str) -> str:
    """The text without characters that no XML can hold."""
    return _UNSHOWN.sub("", text)


def clip(text: str, chars: int) -> str:
    """At most so many characters, as Telegram counts them (an emoji is two), with an ellipsis where
    some are missing."""
    if _units(text) <= chars:
        return text
    cut = text.encode("utf-16-le")[: 2 * (chars - 1)]
    return cut.decode("utf-16-le", errors="ignore") + "…"


def say(spoken: str, slash: str, language: str) -> str:
    """What somebody is told to type, in the language in which they are told."""
    return spoken if language == "zh" else slash


def entry(spoken: str, slash: str, language: str) -> Markup:
    """The same in a list of commands. What goes on behind a name is for copying, a name alone for
    a tap; in Chinese both ways of saying it stand there."""
    name, _, more = slash.partition(" ")
    if language == "zh":
        return Markup("<code>{}</code> · {}").format(spoken, name)
    return Markup("<code>{}</code>").format(slash) if more else Markup("{}").format(name)


def in_language(usage: Sequence[str], language: str) -> Sequence[str]:
    """The examples of how something is typed that are of a language; all, where none is. Signs and
    figures, like `+1000`, are of both."""
    chinese = [one for one in usage if holds_chinese(one)]
    if language == "zh":
        return [one for one in usage if not one.startswith("/")] or chinese or usage
    return [one for one in usage if one not in chinese] or usage


def holds_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return _CHINESE.search(text) is not None


@cache
def _environment(language: str) -> Environment:
    environment = jinja_environment(TEMPLATES, language)
    environment.globals.update(
        signed=signed,
        short_time=short_time,
        moment=moment,
        clip=clip,
        credit_bar=credit_bar,
        merchant_balance=MerchantBalance.of,
        word=lambda context, key: word(context, key, language),
        tariff=lambda text: tariff_words(text, language),
        reason=lambda code, facts: reason_words(code, facts, language),
        kept_reason=lambda text: kept_reason(text, language),
        gate_words=lambda gate: gate_words(gate, language),
        in_words=lambda text: why_words(text, language),
        age=lambda minutes: age(minutes, language),
        say=lambda spoken, slash: say(spoken, slash, language),
        entry=lambda spoken, slash: entry(spoken, slash, language),
        # A full-width colon brings its own gap.
        colon="：" if language == "zh" else ": ",
        gap="" if language == "zh" else " ",
    )
    return environment


def fill(template: str, facts: Mapping[str, Any], language: str) -> str:
    """A template's text, blank lines at most one in a row. A missing fact raises UndefinedError."""
    text = _environment(language).get_template(f"{template}.html").render(facts)
    return _BLANKS.sub("\n\n", text).strip()


def button(text: str, carried: Button, *, style: str | None = None) -> InlineKeyboardButton:
    """An inline button. style: danger where money moves, success, primary."""
    return InlineKeyboardButton(text=text, callback_data=carried.data(), style=style)


def copy_button(text: str) -> InlineKeyboardButton:
    """A button that copies what is on it, which is no secret: at most 256 characters."""
    return InlineKeyboardButton(text=f"📋 {text}", copy_text=CopyTextButton(text=text))


def cancel_button(dialogue_id: str, translate: NullTranslations) -> InlineKeyboardButton:
    """Ends a private dialogue, whatever is asked."""
    return button(translate.pgettext("desk", "Cancel"), InDialogue(dialogue_id, 0, "cancel"))


def in_rows(buttons: Sequence[InlineKeyboardButton], width: int) -> list[Row]:
    """So many buttons beside each other."""
    return [tuple(buttons[n : n + width]) for n in range(0, len(buttons), width)]


def keyboard(*rows: Row) -> InlineKeyboardMarkup | None:
    """Rows of buttons, empty ones left out; None where nothing is left."""
    filled = [list(row) for row in rows if row]
    return InlineKeyboardMarkup(inline_keyboard=filled) if filled else None


N = TypeVar("N", bound=Notice)


@dataclass(frozen=True, slots=True)
class View(Generic[N]):
    """How a notice is shown: by the template of its name, from its fields.

    buttons: what stands under it. shortens: a field with lines of which as many are shown as a
    message has room for; the template is given `more`, how many are left out. adds: further names
    for the template. draws: makes the whole screen instead.
    """

    notice: type[N]
    buttons: Callable[[N, NullTranslations], InlineKeyboardMarkup | None] | None = None
    shortens: str = ""
    adds: Callable[[N, str], Mapping[str, Any]] | None = None
    draws: Callable[[N, str], Screen] | None = None

    @property
    def name(self) -> str:
        """Of the screen, and of its template."""
        return screen_of(self.notice)

    def render(self, notice: Notice, language: str) -> Screen:
        """The screen of a notice of this kind, typed or as it was kept."""
        said = read_notice(self.notice, notice)
        if self.draws is not None:
            return self.draws(said, language)
        names = {field.name: getattr(said, field.name) for field in fields(said)}
        if self.adds is not None:
            names |= self.adds(said, language)
        return Screen(
            html=_fill_in(self.name, names, language, self.shortens),
            keyboard=self.buttons(said, translator(language)) if self.buttons else None,
        )


def _fill_in(name: str, names: Mapping[str, Any], language: str, shortens: str) -> str:
    """A template's text, with as many lines of the list `shortens` as fit into a message."""
    if not shortens:
        return fill(name, names, language)
    lines = names[shortens]
    shown = len(lines)
    while True:
        some = {shortens: lines[:shown], "more": len(lines) - shown}
        html = fill(name, {**names, **some}, language)
        chars = text_chars(html)
        if chars <= MAX_TEXT_CHARS or not shown:
            return html
        # A little less than would fit if all lines were alike; at least one less.
        shown = min(shown - 1, shown * MAX_TEXT_CHARS // chars)
