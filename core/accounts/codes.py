"""What vouchers, rates and re-ratings refuse."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "amount_over_limit": (
                "{text} is more than {limit} {currency}, the most that is booked at once."
            )
        },
        "permission": {"cost_not_here": "Costs are shown in ops groups and private chats only."},
        "conflict": {
            "slip_changed": (
                "Something else was booked since this was asked. Look at it, and write it again."
            ),
            "merchant_changed": (
                "{merchant_no} was suspended or opened, or has another credit line, since this was"
                " asked. Look at it, and say it again."
            ),
            "rate_changed": (
                "The rate of {merchant_no}, or what channels cost, was changed since this was"
                " asked. Look at it, and say it again."
            ),
            "merchant_not_suspended": "Suspend the merchant {merchant_no} first.",
            "merchant_not_settled": (
                "The merchant {merchant_no} cannot be archived: its balance is {amount}, not 0."
            ),
            "merchant_facts_missing": (
                "The merchant {merchant_no} cannot be reviewed yet. What is missing: {lacking}."
            ),
            "merchant_reviewed": "The merchant {merchant_no} has passed its review already.",
            "review_outdated": (
                "What is known of {merchant_no} changed since this review was asked for. Ask for a"
                " new one."
            ),
            "keys_outdated": (
                "What is known of {merchant_no} changed since these keys were asked for. Look at"
                " it, and ask for them again."
            ),
            "notify_url_missing": "The app {app} has no notify URL yet.",
            "rerate_nothing": (
                "Nothing differs: these orders of {days} are charged like this already."
            ),
            "rerate_changed": (
                "Since the preview, other orders or fees came in. Ask for a new preview."
            ),
            "rerate_too_many": (
                "These are more than {limit} orders. Charge fewer days anew at a time."
            ),
            "already_undone": "This was already undone.",
            "repeat_doubtful": "The same amount was booked {ago_s} s ago: {record_no}, by {name}.",
            "repeat_waits": "The same amount waits for a second person already, asked by {name}.",
            "take_back_doubtful": "That takes back more than was ever booked, which is {moved}.",
            "undo_of_another": "{record_no} was recorded by {name}.",
            "undo_of_much": "{record_no} is a large amount: {amount}.",
            "undo_too_late": "The time to undo is over ({limit_min} min).",
        },
    }
)
