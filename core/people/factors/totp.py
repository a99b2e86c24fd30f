"""Codes by time (RFC 6238): six digits, a new one every 30 seconds, as authenticator apps show."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pyotp import TOTP, random_base32

PERIOD_S: Final = 30
DIGITS: Final = 6
# A phone may be one period off, and so may whoever types.
_STEPS_OFF: Final = (0, -1, 1)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told, once. uri: otpauth://…, for a QR picture. secret: the
    same to be typed, base32."""

    uri: str = field(repr=False)
    secret: str = field(repr=False)


def enrolment(secret: str, account: str, issuer: str) -> Enrolment:
    """account, issuer: as the app lists it."""
    return Enrolment(TOTP(secret).provisioning_uri(name=account, issuer_name=issuer), secret)


def new_secret() -> str:
    """160 bits, base32."""
    return random_base32()


def code_at(secret: str, at: datetime) -> str:
    """The code that the app shows at an instant."""
    return TOTP(secret).generate_otp(_step(at))


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The period whose code this is, of those around an instant; None for none of them."""
    now = _step(at)
    totp = TOTP(secret)
    for off in _STEPS_OFF:
        if hmac.compare_digest(totp.generate_otp(now + off), code):
            return now + off
    return None


def is_code(text: str) -> bool:
    """Whether this is written as a code is."""
    return len(text) == DIGITS and text.isascii() and text.isdecimal()


def _step(at: datetime) -> int:
    return int(at.timestamp()) // PERIOD_S
