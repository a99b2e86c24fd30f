"""What a chat refuses before the business is asked."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "filter_too_long": (
                "A list is narrowed by at most {words} words, of which {merchants} may be"
                " merchants."
            ),
            "usdt_rate_missing": (
                "This group has no USDT rate. Set one with /usdt 7.2, or write it: +100u/7.2"
            ),
            "too_many_numbers": (
                "{limit} orders are shown at a time. Send the other numbers in another message."
            ),
            "payin_not_here": (
                "What the supplier {supplier_no} paid in is booked in its own group only."
            ),
            "supplier_ambiguous": (
                "This group has several suppliers: {suppliers}. Add the supplier's number."
            ),
            "private_only": (
                "This is done step by step in a private chat with the bot. Write to it there."
            ),
            "answer_forwarded": "Forwarded words are no answer. Write it yourself.",
            "answer_unreadable": "That cannot be read. Write it like {example}.",
            "forum_needed": (
                "This group has no topics. Switch them on in Telegram, and say it in one of them."
            ),
            "segment_gone": "Nothing is in that segment any more. Look again: /groups",
            "holder_needed": "Add the number of your merchant or supplier: {example}",
            "person_needed": (
                "Say it in reply to a message of that person, or mention the person."
            ),
            "licence_day_past": (
                "A licence that ended on {text} is over. Write its last day like {example}."
            ),
            "file_not_yaml": "{name} is not a connector document: send a file that ends in .yaml.",
            "file_too_large": "{name} is larger than {limit_kb} KB and was not read.",
            "file_not_text": "{name} is not a text in UTF-8. Save it as UTF-8 and send it again.",
            "app_needed": (
                "{merchant_no} has several apps. Say which, by its number on the card: #1"
            ),
            "currency_not_here": "Nothing is counted in {currency} here; there is: {currencies}.",
            "config_too_big": (
                "The configuration is larger than {limit_mb} MB, and was not written into a file."
            ),
            "export_too_big": (
                "The file is larger than the {limit_mb} MB that Telegram takes. Ask for fewer days."
            ),
        },
        "not_found": {"file_gone": "Telegram does not hand out {name} any more. Send it again."},
        "conflict": {
            "dialogue_away": (
                "What you were asked cannot be looked up for the moment. Write it again in a"
                " minute; slash commands and everything in groups work."
            ),
            "keys_unseen": (
                "The keys could not be shown here, and count for nothing. Ask for them again."
            ),
            "dialogue_over": "This question is over. Begin again.",
            "no_documents": "There is no connector document yet. Propose one first: {example}",
        },
    }
)
