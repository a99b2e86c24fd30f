"""What the supplier says to a request: codes in the words of its first dialect, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# 0 is success; every other code is definite: nothing was done. Each dialect has its own words.
OK = "0"
BAD_SIGNATURE = "1001"
BAD_PARAMETER = "1002"
UNKNOWN_PAY_TYPE = "1003"
CHANNEL_CLOSED = "1004"
AMOUNT_OUT_OF_RANGE = "1005"
NOT_PAID = "1006"
TOO_MUCH = "1007"
CONFLICT = "1009"
ORDER_NOT_FOUND = "1404"
REFUND_NOT_FOUND = "1405"

MESSAGES = {
    BAD_SIGNATURE: "bad signature",
    BAD_PARAMETER: "bad parameter",
    UNKNOWN_PAY_TYPE: "unknown way to pay",
    CHANNEL_CLOSED: "channel closed",
    AMOUNT_OUT_OF_RANGE: "amount out of range",
    NOT_PAID: "order is not paid",
    TOO_MUCH: "more than is left to refund",
    CONFLICT: "number was used with other content",
    ORDER_NOT_FOUND: "order not found",
    REFUND_NOT_FOUND: "refund not found",
}

Facts = dict[str, str]
"""What a message says, in the words of the first dialect: amounts in yuan, times in unix seconds.
What was not said is absent or empty."""


class Refused(Exception):
    """A definite refusal: a code, the field it is about ('' for none), and a few words."""

    def __init__(self, code: str, name: str = "", detail: str = "") -> None:
        super().__init__(code, name, detail)
        self.code = code
        self._name = name
        self._detail = detail

    def said(self, names: Mapping[str, str]) -> str:
        """The sentence. names: what a dialect calls a field where it differs."""
        about = f"{names.get(self._name, self._name)} {self._detail}".strip()
        message = MESSAGES.get(self.code, "refused")
        return f"{message}: {about}" if about else message


@dataclass(frozen=True)
class Answer:
    """What is answered, before a dialect writes it. `made`: something new was made just now."""

    code: str
    message: str
    facts: Facts = field(default_factory=dict)
    made: bool = False
