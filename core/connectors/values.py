"""What a document may refer to with `$name`, and how it is written for the supplier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.connectors.document import AmountForm, Pairs, TimeForm, Value
from core.connectors.types import AttemptFacts
from core.errors import Bug, Refusal
from core.money import Money, parse_money


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything one request is made of."""

    facts: AttemptFacts
    credentials: Mapping[str, str]
    now: datetime
    nonce: str
    amounts: AmountForm
    times: TimeForm
    zone: str

    def amount(self) -> str:
        money = self.facts.amount
        return str(money.minor) if self.amounts == "minor" else money.plain()

    def time(self, instant: datetime) -> str:
        if self.times == "unix_s":
            return str(int(instant.timestamp()))
        if self.times == "unix_ms":
            return str(int(instant.timestamp() * 1000))
        local = instant.astimezone(ZoneInfo(self.zone))
        return local.strftime(_CLOCK_FORMS[self.times])

    def text(self, value: Value) -> str:
        """A value as the supplier gets it; empty where we have nothing to say."""
        if value.ref is None:
            return value.text
        if read := FACTS.get(value.ref):
            return read(self) or ""
        return secret(self.credentials, value.ref)

    def fields(self, pairs: Pairs) -> dict[str, str]:
        """The fields that have something in them, in the order of the document."""
        return {name: text for name, value in pairs if (text := self.text(value))}


_CLOCK_FORMS: Final = {"yyyyMMddHHmmss": "%Y%m%d%H%M%S", "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S"}

FACTS: Final[Mapping[str, Callable[[Moment], str | None]]] = {
    "attempt_no": lambda m: m.facts.attempt_no,
    "order_no": lambda m: m.facts.order_no,
    "amount": Moment.amount,
    "subject": lambda m: m.facts.subject,
    "merchant_name": lambda m: m.facts.merchant_name,
    "channel_code": lambda m: m.facts.channel_code,
    "notify_url": lambda m: m.facts.notify_url,
    "return_url": lambda m: m.facts.return_url,
    "client_ip": lambda m: m.facts.client_ip,
    "expires_at": lambda m: m.time(m.facts.expires_at),
    "upstream_no": lambda m: m.facts.upstream_no,
    "now": lambda m: m.time(m.now),
    "nonce": lambda m: m.nonce,
}


def secret(credentials: Mapping[str, str], name: str) -> str:
    """A credential by name. Raises Bug where the supplier was set up without it."""
    value = credentials.get(name)
    if not value:
        raise Bug(f"the supplier has no credential “{name}”, which its document needs")
    return value


def read_amount(text: str, form: AmountForm, currency: str) -> Money | None:
    """A supplier's amount, exactly; None where it is none, or not more than zero."""
    if form == "minor":
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            return None
        money = Money(int(text), currency)
    else:
        try:
            money = parse_money(text, currency)
        except Refusal:
            return None
    return money if money.minor > 0 else None
