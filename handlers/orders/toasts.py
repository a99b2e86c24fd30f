"""What a press under an order came to: short plain texts, at most 200 characters."""

from __future__ import annotations

from handlers.kit.vocabulary import word
from texts import translator


def supplier_says(state: str, language: str) -> str:
    """state: as the supplier answered, a word of `standing`."""
    text = translator(language).gettext("The supplier says: %(state)s")
    return text % {"state": word("standing", state, language)}


def how_to_complete(order_no: str, language: str) -> str:
    """What to send, so that an order is completed by hand."""
    text = translator(language).gettext("Send this, with a reason: 补单 %(order_no)s …")
    return text % {"order_no": order_no}


def how_to_refund(order_no: str, language: str) -> str:
    """What to send, so that an order is refunded."""
    text = translator(language).gettext("Send this, with a reason: 退款 %(order_no)s …")
    return text % {"order_no": order_no}


def supplier_asked(language: str) -> str:
    """The supplier's group is asked."""
    return translator(language).gettext("The supplier is being asked.")


def notified_again(language: str) -> str:
    """The news of an order is delivered once more."""
    return translator(language).gettext("The merchant's server is being told again.")
