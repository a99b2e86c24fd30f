"""What the words mean that stand beside money, on bills, receipts and in files: one table, of which
docs/money-words.md is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Label = tuple[str, str]  # the context and the message of the catalogue; '' where it has none


@dataclass(frozen=True, slots=True)
class MoneyWord:
    """A word and what it means. labels: what says it beside a figure; the first one is the word
    itself, and the others are of it."""

    meaning: str
    labels: tuple[Label, ...]

    @property
    def label(self) -> Label:
        return self.labels[0]


def _word(meaning: str, *labels: str) -> MoneyWord:
    """labels: 'context|message'."""
    read = (label.rpartition("|") for label in labels)
    return MoneyWord(meaning, tuple((context, message) for context, _, message in read))


MONEY_WORDS: Final = (
    # Of what merchants sold.
    _word(
        "What payers paid, or got back, before any fee: the gross amount.",
        "desk|Amount", "amount %(amount)s · fee %(fee)s · cost %(cost)s", "Reversed amount",
        "Amount per day", "Amount per hour", "desk|Received",
        "gross %(gross)s · fee %(fee)s", "gross %(gross)s · fee given back %(back)s",
        "gross %(gross)s · fee kept",
    ),
    _word("The amount of the orders that were paid today.", "Sold today"),
    _word("What an order asked its payer for.", "Asked"),
    _word("What the supplier saw of an order's money; it may differ from what was asked.", "Seen"),
    _word(
        "What a merchant is charged for its orders, and for what else moved. A refund may give its"
        " fee back.",
        "desk|Fees", "desk|Fee", "Total fees", "Fees in “other”", "fee %(fee)s",
        "Reversed fee", "success %(success)s · fee %(fee)s (%(rate)s) · net %(net)s",
        "fee %(fee)s · cost %(cost)s · %(balance)s",
    ),
    _word(
        "Amount less fee: what a merchant is owed for it.",
        "desk|Net", "Orders, net of fees", "Taken, less cost",
    ),
    _word("Of what was charged how much in a hundred, and any fixed part.", "desk|Rate"),
    # Between the platform and a merchant.
    _word(
        "Money advanced to a merchant, before its orders bring it in. + is handed out, − is taken"
        " back, on every screen and in every file.",
        "desk|Prepaid", "desk|Prepayments", "sheet|Prepayments", "Advanced in all",
        "Total prepaid", "Prepaid %(amount)s", "Prepayments of %(days)s",
        "Taken back %(amount)s",
    ),
    _word(
        "What is left of what was advanced to a merchant. Where only one figure has room, a"
        " negative one is owed to the merchant.",
        "Prepaid balance", "desk|Opening prepaid balance", "desk|Closing prepaid balance",
    ),
    _word(
        "What a merchant owes beyond what was advanced to it.",
        "Owed by the merchant", "desk|Owed by the merchant before", "desk|Owed by the merchant now",
        "of it owed by the merchant",
    ),
    _word(
        "What the platform owes a merchant: its orders brought in more than was advanced.",
        "Owed to the merchant", "Owed to the merchant: %(amount)s",
    ),
    _word(
        "What all merchants owe and hold of advances, less what all are owed, when the days began."
        " Nobody's debt pays what another is owed; the parts stand beside it.",
        "desk|Opening balance, net",
    ),
    _word("The same when the days ended, or as it is now.", "desk|Closing balance, net"),
    _word(
        "How far below nothing a merchant's balance may go before its orders stop.",
        "Credit line",
    ),
    _word("How much of the advances and of the credit line is not used yet.", "Credit left"),
    _word(
        "A correction of what a merchant is owed, with its reason.",
        "heading|Adjustments", "sheet|Adjustments",
    ),
    _word("Given back to payers, and taken from what the merchant is owed.", "heading|Refunds"),
    _word(
        "Money of no settled order that a person gave to the merchant after all.",
        "heading|Credited to the merchant",
    ),
    _word("Past orders that were charged anew, as one difference on the day it was done.",
          "heading|Charged anew"),
    _word(
        "A completion that was taken back: it lowers count, amount and fee on that day.",
        "heading|Completions reversed or restored", "Reversed orders",
    ),
    _word("Added in from the days' other movements: refunds, adjustments and the like.",
          "heading|Other", "desk|Other"),
    # Between the platform and a supplier.
    _word("What a supplier received of payers for the platform.", "supplier|Taken"),
    _word(
        "What a supplier charges the platform for what it took.",
        "supplier|Cost", "desk|Cost", "cost %(cost)s (%(rate)s) · due %(due)s",
        "cost %(cost)s · paid in %(paid_in)s",
    ),
    _word(
        "What a supplier owes the platform: taken, less cost, less paid in.",
        "supplier|Due", "Due", "supplier|Due at the start", "supplier|Due at the end",
        "Due, unconfirmed", "The supplier owes us",
    ),
    _word(
        "A supplier paid more than it owed: so much is owed to it. Never told as a negative due.",
        "supplier|overpaid %(amount)s", "Overpaid by the supplier",
        "supplier|Overpaid by the supplier at the start",
        "supplier|Overpaid by the supplier at the end",
    ),
    _word(
        "What a supplier paid of what it owes.",
        "supplier|Paid in", "desk|Paid in", "sheet|Paid in", "Paid in",
        "Paid in, %(days)s",
    ),
    _word(
        "An order completed by hand whose money the supplier has not confirmed yet. It is in what"
        " the supplier owes, and told apart until it is confirmed or reversed.",
        "supplier|Unconfirmed", "of it completions that are not confirmed",
    ),
    _word(
        "Money that a supplier saw and that belongs to no settled order; it waits until somebody"
        " says whose it is.",
        "Still in suspense", "In suspense at the end",
        "In suspense, for no settled order: %(amount)s",
        "of which in suspense, for no settled order: %(amount)s",
    ),
    # What the platform earned.
    _word("Fees less cost.", "desk|Margin"),
    _word(
        "What orders that were completed by hand brought less than they asked.",
        "desk|Shortfalls of completions", "what completed orders lacked",
    ),
    _word("Margin, less shortfalls, with adjustments.", "desk|Result"),
    _word(
        "Advanced in another currency, for instance in USDT, and what it counts as. It is part of"
        " the prepayments and no part of the result.",
        "desk|Handed out",
    ),
    _word("What an amount in another currency comes to, by its rate.", "counts as", "Counts in"),
    _word("What one unit of another currency counts as.", "Exchange rate"),
    # Of days.
    _word(
        "From one day cut to the next. It bears the date of the calendar day that holds most of"
        " it.",
        "Business day",
    ),
    _word(
        "A day that is over: its figures never change. What arrives later belongs to the day on"
        " which it was booked.",
        "⚪ closed", "Closed: these figures never change",
    ),
)  # fmt: skip

# What a meaning is in the catalogue: by itself.
MEANINGS: Final = {word.meaning: word.meaning for word in MONEY_WORDS}
