"""Jinja2 environments that speak one language each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from texts.catalogues import translator
from texts.formats import day, instant, money, number


def jinja_environment(folders: Sequence[Path], lang: str) -> Environment:
    """An environment over the templates in `folders`, in one of LANGUAGES; keep it, it is costly.

    Everything is escaped as HTML. `{% trans %}` and `_()` translate; a name that is not handed
    in is an error. Functions: money(minor, currency), number(minor, currency),
    instant(at, zone), day(date); `lang` is the language.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    texts = translator(lang)
    # The i18n extension adds these methods to every environment that loads it.
    install = getattr(environment, "install_gettext_callables")  # noqa: B009
    install(
        texts.gettext, texts.ngettext, newstyle=True,
        pgettext=texts.pgettext, npgettext=texts.npgettext,
    )  # fmt: skip
    environment.globals.update(money=money, number=number, instant=instant, day=day, lang=lang)
    return environment
