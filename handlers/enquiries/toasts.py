"""What a press under an enquiry came to: short plain texts, at most 200 characters."""

from __future__ import annotations

from texts import translator


def taken(language: str, *, new: bool) -> str:
    """Somebody looks after it. new: whoever pressed."""
    translate = translator(language).gettext
    return translate("It is yours.") if new else translate("Somebody looks after it already.")
