"""What is refused for who asks, where, and what waits for whom."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import declare

CODES: Final = declare(
    {
        "invalid_request": {
            "password_weak": (
                "Choose a password of at least {chars} characters, and not digits alone."
            ),
            "role_unknown": "There is no role {text}.",
            "right_unknown": "There is no right {text}. A card has all of them: /people",
            "address_wrong": (
                "The checksum of this address is wrong: a character was changed or mistyped."
            ),
            "usdt_rate_invalid": (
                "{text} cannot be a USDT rate: it is more than 0, at most 1,000,000, and has at"
                " most 8 decimals. Write it like {example}"
            ),
            "label_invalid": (
                "{text} is no word for prepayments here: it has 1 to {most} characters. Write it"
                " like /label top-up"
            ),
            "segment_invalid": (
                "{text} is no name of a segment: it is one word of 1 to {most} characters. Write"
                " it like /segment VIP"
            ),
            "segments_full": "A group is in {most} segments at most. Take it out of one first.",
            "quiet_invalid": (
                "{text} are no quiet hours: say from when to when, like /quiet 23:00-08:00"
            ),
            "broadcast_time": (
                "That is no time for it: it is to come, and {days} days from now at most."
            ),
            "broadcast_kind": (
                "That cannot take the place of this broadcast: a text changes its words, a picture"
                " or a file takes the place of one, and an album that of one with as many parts."
            ),
            "group_not_bound": ("This group is not bound to a merchant yet. Say: /bind M1001"),
            "merchant_needed": "Add the merchant's number, for example: {example}",
            "merchant_not_here": (
                "This is a supplier's group: nothing about merchants is said here. Ask in the"
                " merchant's own group."
            ),
            "merchant_ambiguous": (
                "This group has several merchants: {merchants}. Add the merchant's number."
            ),
        },
        "permission": {
            "not_permitted": "You may not do this: it needs the right “{right}”.",
            "factor_needed": (
                "This needs your code or completion password, in a private chat with the bot."
            ),
            "factor_missing_of": "{name} has no second factor.",
            "factor_missing": "You have no second factor yet. Say /factor in a private chat.",
            "factor_wrong": "That is not right. Tries left: {left}.",
            "factor_locked": "Too many wrong answers. Try again from {at} on.",
            "code_used": "That code was used before. Wait for the next one.",
            "anonymous_admin": (
                "Telegram hides who is speaking. Switch off “remain anonymous” and say it again."
            ),
            "own_standing": "Nobody changes what they may do themselves. Ask another owner.",
            "right_lacking": (
                "Nobody gives a right that they lack, or changes somebody who has it: “{right}”."
            ),
            "staff_only": "This is said in an ops group or in a private chat with the bot only.",
            "second_person_needed": (
                "A second person with this right must confirm it, not the one who asked."
            ),
            "asker_not_permitted": "{name}, who asked for this, may no longer do it.",
            "confirmation_foreign": "Only the person who asked for this can confirm it.",
        },
        "not_found": {
            "setting_unknown": "There is no setting {text}. Say /settings to see them.",
            "record_not_found": "That record was not found.",
            "group_not_found": "There is no group {text}. Say /groups to see them.",
            "broadcast_not_found": "There is no broadcast {text}. Say /broadcasts to see them.",
            "segment_not_found": "No group is in the segment {text}. Say /groups to see them.",
            "person_not_found": "Nobody of the staff is {text}.",
        },
        "conflict": {
            "daily_cap": (
                "{name} may do {most} of this in a day, and {left} of it is left for today."
                " Somebody else can do it."
            ),
            "setting_same": "The setting {text} has that value already.",
            "setting_changed": (
                "Somebody has set {text} meanwhile. Look at it with /settings, and say it again."
            ),
            "last_owner": "This is the last owner who can hire. Make another owner first.",
            "not_of_staff": "This person is not on the staff: give a role first.",
            "staff_already": "This person is of the staff already.",
            "invitation_over": (
                "This link is over: it was used, or is too old. Ask who sent it for a new one."
            ),
            "person_changed": "{name} was changed meanwhile. Look again: /people",
            "ops_missing": (
                "A second person has to approve this in an ops group, and there is none yet. Say"
                " /bind_ops in a group of your own people."
            ),
            "applied_already": "You asked for it already. You hear of it here.",
            "appointed_already": "{name} may ask here already.",
            "not_appointed": "{name} is not among those who may ask here.",
            "factor_enrolled": (
                "You have one already. If it is lost, two owners take it away: /factor reset"
            ),
            "group_is_other_kind": (
                "This group is already a group of another kind ({kind}). Unbind it first."
            ),
            "address_changed": "The address was changed meanwhile. Look again: /payout_address",
            "alarm_over": "This alarm is over already.",
            "alarm_ends_itself": (
                "The desk sees by itself when this is over. Whoever sees to it can take it."
            ),
            "group_link_over": (
                "This link is over: it was used, or is too old. Ask who sent it for a new one."
            ),
            "channel_not_bound": (
                "A channel belongs to nobody: it is reached by broadcasts, and that is all."
            ),
            "broadcast_state": "The broadcast {number} is further than that by now.",
            "broadcast_empty": "There is no chat in which this could be done.",
            "broadcasts_full": (
                "{most} broadcasts are under way. Wait for one to end, or stop one: /broadcasts"
            ),
            "confirmation_expired": "This confirmation is over. Start again to get a new one.",
            "approval_waits": (
                "Nobody else can approve this, so others get time to see it: do it again from"
                " {at} on."
            ),
        },
    }
)
