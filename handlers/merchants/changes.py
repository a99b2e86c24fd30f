"""What is done with a merchant or an app, whether it was typed or asked for."""

from __future__ import annotations

from typing import Literal

from core.kernel.errors import Refusal
from core.parties.merchants import KeptApp, Merchant
from core.people.actors import Actor
from handlers.merchants.cards import Cards
from handlers.merchants.words import Change
from texts.amounts import fold

AppChange = Literal["end_old", "revoke", "notify_url", "ip", "limit"]


async def change_merchant(
    actor: Actor, cards: Cards, merchant: Merchant, change: Change, text: str, message_id: int
) -> None:
    """message_id: of what was said. Refusals: those of the verbs of `Admission`."""
    admission = cards.accounts.admission
    match change:
        case "suspend":
            await admission.suspend(actor, merchant, text)
        case "resume":
            await admission.resume(actor, merchant)
        case "archive":
            await admission.archive(actor, merchant)
        case "review":
            await admission.ask_review(actor, merchant, message_id)
        case field:
            await admission.amend(actor, merchant, field, text)


async def change_app(
    actor: Actor, cards: Cards, kept: KeptApp, change: AppChange, text: str
) -> KeptApp:
    """The app as it is then. Refusals: those of the verbs of `Keys`."""
    keys = cards.accounts.keys
    match change:
        case "end_old":
            return await keys.end_old(actor, kept.id)
        case "revoke":
            return await keys.revoke(actor, kept.id, text)
        case "notify_url":
            return await keys.set_notify_url(actor, kept.id, text.strip())
        case "ip":
            return await keys.set_ip_allow(actor, kept.id, text)
        case "limit":
            return await keys.set_calls_per_s(actor, kept.id, _count(text))


def _count(text: str) -> int:
    """Refusals: answer_unreadable."""
    digits = fold(text).strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 6:
        raise Refusal("answer_unreadable", example="100")
    return int(digits)
