"""What a press under an order came to: short plain texts, at most 200 characters."""

from __future__ import annotations

from handlers.kit.vocabulary import word
from texts import translator


def supplier_says(state: str, language: str) -> str:
    """state: as the supplier answered, a word of `standing`."""
    text = translator(language).gettext("The supplier says: %(state)s")
    return text % {"state": word("standing", state, language)}


def reason_wanted(language: str) -> str:
    """A message asks why."""
    return translator(language).gettext("Say why, in reply to the message below.")


def supplier_asked(language: str) -> str:
    """The supplier's group is asked."""
    return translator(language).gettext("The supplier is being asked.")


def notified_again(language: str) -> str:
    """The news of an order is delivered once more."""
    return translator(language).gettext("The merchant's server is being told again.")
