"""What Telegram shows of the bot before anybody has written to it."""

from __future__ import annotations

from texts import translator


def description(language: str) -> str:
    """In the empty private chat; at most 512 characters."""
    return translator(language).gettext(
        "The operations desk of a payment business: orders, bills, prepayments, suppliers and"
        " alarms, in your groups and here. It answers its staff and the people of its merchants and"
        " suppliers; to all others it is silent. Write /help to see what you may do."
    )


def short_description(language: str) -> str:
    """On the bot's page and where it is shared; at most 120 characters."""
    return translator(language).gettext(
        "Operations desk of a payment business: orders, bills and alarms in groups."
    )
