"""What is said of second factors, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.people.factors import FactorAdded
from core.people.recovery import FactorResetQuestion
from handlers.factors.screens import CodeQuestion, FactorEnrolled, FactorsNotice, PasswordQuestion
from tests.handlers.written import HOSTILE, ID

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(FactorsNotice(totp, password) for totp in (False, True) for password in (False, True)),
    CodeQuestion(ID.hex, 60),
    PasswordQuestion(ID.hex, 10),
    FactorAdded(10**12, HOSTILE, "totp"),
    FactorAdded(10**12, HOSTILE, "password"),
    FactorEnrolled("totp"),
    FactorEnrolled("password"),
)
ASKED: Final = (FactorResetQuestion(10**12, HOSTILE),)
