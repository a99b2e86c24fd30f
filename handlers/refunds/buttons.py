"""The buttons of refunds that wait for a person, or are asked for: what they carry, in at most 64
bytes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from handlers.kit.buttons import Button


@dataclass(frozen=True, slots=True)
class OnRefund(Button):
    """Under an alarm: the payer has the money (given), or did not get it (not_given)."""

    merchant_id: UUID
    refund_id: UUID
    how: Literal["given", "not_given"]

    def data(self) -> str:
        which = base64.urlsafe_b64encode(self.merchant_id.bytes + self.refund_id.bytes)
        return f"back:{self.how}:{which.rstrip(b'=').decode()}"


@dataclass(frozen=True, slots=True)
class AnswerRefund(Button):
    """Confirm how a refund ended (yes), or not."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"backed:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


@dataclass(frozen=True, slots=True)
class AnswerRefundOrder(Button):
    """Refund an order (yes), or not."""

    approval_id: UUID
    yes: bool

    def data(self) -> str:
        return f"refund:{'yes' if self.yes else 'no'}:{self.approval_id.hex}"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["back", "given" | "not_given" as how, which]:
            try:
                both = base64.b64decode(which + "=", altchars=b"-_", validate=True)
            except binascii.Error as error:
                raise ValueError(which) from error
            return OnRefund(UUID(bytes=both[:16]), UUID(bytes=both[16:]), how)
        case ["backed", "yes" | "no" as answer, approval_id]:
            return AnswerRefund(UUID(hex=approval_id), answer == "yes")
        case ["refund", "yes" | "no" as answer, approval_id]:
            return AnswerRefundOrder(UUID(hex=approval_id), answer == "yes")
    return None
