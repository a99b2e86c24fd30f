"""Gettext catalogues, read from their .po files: msgids are the English sentences."""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("en", "zh")
DEFAULT_LANGUAGE: Final = "en"
_LOCALES: Final = Path(__file__).resolve().parent.parent / "locales"
_MAX_WANTED: Final = 20


class TextsError(Exception):
    """The catalogues contradict each other; the message names the sentence."""


@cache
def translator(lang: str) -> gettext.NullTranslations:
    """The translations of one of LANGUAGES, merged from every `locales/<lang>/LC_MESSAGES/*.po`.

    Sentences without a translation come back in English. Read once per process. Raises
    TextsError when two files translate one sentence differently.
    """
    files = sorted((_LOCALES / lang / "LC_MESSAGES").glob("*.po")) if lang in LANGUAGES else []
    if not files:
        return gettext.NullTranslations()
    merged = Catalog(locale=lang, charset="utf-8")
    for path in files:
        with path.open("rb") as file:
            _merge(merged, read_po(file, locale=lang, abort_invalid=True), path)
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_language(accept_language: str) -> str:
    """The best of LANGUAGES for an `Accept-Language` header; English where it names none."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:_MAX_WANTED]):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        if language in LANGUAGES and quality > 0:
            wanted.append((-quality, place, language))
    return min(wanted)[2] if wanted else DEFAULT_LANGUAGE


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0


def _merge(merged: Catalog, found: Catalog, path: Path) -> None:
    for message in found:
        if not message.id or not message.string:
            continue
        there = merged.get(message.id, message.context)
        if there is not None and there.string != message.string:
            raise TextsError(f"{path.name} translates {message.id!r} in another way")
        merged.add(message.id, message.string, flags=message.flags, context=message.context)
