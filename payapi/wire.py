"""JSON on the wire: what a merchant's server sends, what it is answered. No coercion anywhere.

The same models validate, serialise and describe themselves in the OpenAPI document.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from core.kernel.errors import Refusal
from core.kernel.ids import MERCHANT_NUMBER
from core.kernel.money import MAX_MINOR, Money
from core.kernel.tariff import Tier
from core.trade.orders import OpenOrder
from payapi.card_numbers import holds_card_number

MAX_DEPTH: Final = 8
DEFAULT_EXPIRES_IN_S: Final = 1800
_MAX_PARAM_CHARS: Final = 80
_URL_CHARS: Final = 2048
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Marks that turn the direction of what follows: they make one text look like another.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a field must be, as its refusal says it; a sentence of the catalogues."""

    text: str


def _one_line(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if any(unicodedata.category(c) in _CONTROLS or c in _TURNS for c in value):
        raise ValueError("control characters")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("blank")
    return value


def _web_address(value: str) -> str:
    if not value.isascii() or any(c <= " " or c == "\x7f" for c in value):
        raise ValueError("not an address")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an address")
    _ = parts.port  # raises ValueError where it is none
    return value


def _ip(value: str) -> str:
    if "%" in value:
        raise ValueError("not an address")
    return str(ip_address(value))


WebAddress = Annotated[str, StringConstraints(max_length=_URL_CHARS), AfterValidator(_web_address)]
# On an optional address pydantic keeps marks inside the union, where a field does not show them.
_ADDRESS_EXPECTED: Final = Expected(
    "an http or https address of at most 2048 characters without a user name"
)
# An instant as core writes it: RFC 3339 in UTC, with milliseconds and Z.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
MetadataKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
MetadataText = Annotated[str, StringConstraints(max_length=255), AfterValidator(_one_line)]


class Body(BaseModel):
    """What is sent: strictly typed, and nothing unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewOrder(Body):
    """An order to create. Amounts are whole smallest units: 1234 CNY is 12.34 yuan."""

    merchant_order_no: Annotated[
        str,
        StringConstraints(pattern=f"^{MERCHANT_NUMBER}$"),
        Expected("1 to 64 characters of A-Z a-z 0-9 _ . | -"),
        Field(description="Your own number; unique per app. The key of idempotency.",
              examples=["S-20261121-0001"]),
    ]  # fmt: skip
    amount: Annotated[
        int,
        Field(ge=1, le=MAX_MINOR, examples=[1234],
              description="Smallest units of the currency, as a JSON integer."),
        Expected("a whole number of smallest units, from 1 to 1000000000000000"),
    ]  # fmt: skip
    currency: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Z]{3,4}$"),
        Expected("a currency code in capitals, such as CNY"),
        Field(description="ISO 4217 code.", examples=["CNY"]),
    ]
    product: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$"),
        Expected("the code of a product, as GET /v1/products lists it"),
        Field(description="A code of GET /v1/products.", examples=["alipay_qr"]),
    ]
    subject: Annotated[
        str,
        StringConstraints(min_length=1, max_length=127),
        AfterValidator(_not_blank),
        AfterValidator(_one_line),
        Expected("1 to 127 characters on one line"),
        Field(description="What is bought, as the payer reads it.", examples=["Green tea 250 g"]),
    ]
    client_ip: Annotated[
        str,
        StringConstraints(max_length=45),
        AfterValidator(_ip),
        Expected("the payer's IPv4 or IPv6 address"),
        Field(description="The payer's address.", examples=["203.0.113.7"]),
    ]
    notify_url: WebAddress | None = Field(
        None, description="Where this order's notifications go; default: the app's own address."
        " On port 80, 443, or 1024 and above.",
        examples=["https://shop.example/paydesk/notify"],
    )  # fmt: skip
    return_url: WebAddress | None = Field(
        None, description="Where the cashier leads the payer back to.",
        examples=["https://shop.example/orders/0001"],
    )  # fmt: skip
    expires_in: Annotated[
        int | None,
        Field(ge=60, le=86400, description="Seconds the payer has; default 1800."),
        Expected("whole seconds from 60 to 86400"),
    ] = None
    payer_id: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$"),
        Expected("1 to 128 visible ASCII characters"),
        Field(description="Who the payer is at the supplier, for products that need it: an openid, "
              "or the code that you scanned.", examples=["oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"]),
    ] = None  # fmt: skip
    metadata: Annotated[
        dict[MetadataKey, MetadataText] | None,
        Field(max_length=20, examples=[{"cart": "8841"}],
              description="Up to 20 texts of your own; they come back unchanged."),
        Expected("at most 20 pairs: keys of 1 to 40 characters A-Z a-z 0-9 _ . -, "
                 "texts of at most 255 characters on one line"),
    ] = None  # fmt: skip

    def command(self) -> OpenOrder:
        """What core is asked for. Refusals: currency_unknown, card_number."""
        metadata = tuple(sorted((self.metadata or {}).items()))
        for param, text in [("subject", self.subject), *_named(metadata)]:
            if holds_card_number(text):
                raise Refusal("card_number", param=param)
        return OpenOrder(
            merchant_order_no=self.merchant_order_no,
            amount=Money(self.amount, self.currency),
            product=self.product,
            subject=self.subject,
            client_ip=self.client_ip,
            notify_url=self.notify_url,
            return_url=self.return_url,
            expires_in_s=self.expires_in or DEFAULT_EXPIRES_IN_S,
            metadata=metadata,
            payer_id=self.payer_id or "",
        )


class Nothing(Body):
    """An empty object; the body may be left out."""


class DescribedRequest(Body):
    """A request as you are about to sign it."""

    id: Annotated[
        str,
        StringConstraints(pattern=r"^[!-~]{1,128}$"),
        Expected("1 to 128 visible ASCII characters, new for every request"),
        Field(description="Paydesk-Id", examples=["req-7f3a"]),
    ]
    timestamp: Annotated[
        int,
        Field(ge=0, le=10**11, description="Paydesk-Timestamp", examples=[1795222800]),
        Expected("unix time in whole seconds"),
    ]
    method: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Z]{1,16}$"),
        Expected("an HTTP method in capitals, such as POST"),
        Field(examples=["POST"]),
    ]
    target: Annotated[
        str,
        StringConstraints(pattern=r"^/[!-~]*$", max_length=4096),
        Expected("the path with its query exactly as sent, beginning with /"),
        Field(description="Raw path with its query.", examples=["/v1/orders"]),
    ]
    body: Annotated[
        str,
        Expected("the body as text; empty for none"),
        Field(description="The body exactly as sent; empty for none.", examples=['{"amount":1}']),
    ] = ""


OrderStatus = Literal[
    "created", "pending", "paid", "failed", "expired", "closed", "partially_refunded", "refunded"
]


class PayView(BaseModel):
    """How the payer gets on. kind: url (open it), qr (show it), app or jsapi (hand it over)."""

    kind: Literal["url", "qr", "app", "jsapi"]
    value: str


class OrderView(BaseModel):
    """An order as it stands."""

    order_no: str = Field(examples=["T2J000108QF5JW3X7KR2"])
    merchant_order_no: str
    status: OrderStatus
    amount: int = Field(description="Smallest units.")
    currency: str
    product: str
    subject: str
    fee: int = Field(description="Our fee in smallest units, fixed at creation.")
    net: int = Field(description="amount − fee")
    created_at: Moment
    expires_at: Moment
    paid_at: Moment | None
    paid_late: bool = Field(description="The money came after the order had ended.")
    manually_completed: bool = Field(
        description="It was marked paid by hand, before its supplier reported the money."
    )
    disputed: bool = Field(description="It was marked paid by hand, and that was taken back.")
    pay: PayView | None = Field(description="Null while unknown, and once it can't be paid.")
    cashier_url: str = Field(description="Our payment page; send the payer there.")
    metadata: dict[str, str]
    mode: Literal["live", "test"]


class RefundView(BaseModel):
    """A refund that ended, and its order."""

    refund_no: str = Field(description="Your own number of the refund.")
    order_no: str
    merchant_order_no: str
    status: Literal["succeeded", "failed"]
    amount: int = Field(description="What goes back to the payer, in smallest units.")
    currency: str
    fee_back: int = Field(description="How much of our fee you get back; part of the amount.")
    order_status: OrderStatus
    created_at: Moment
    ended_at: Moment | None
    metadata: dict[str, str] = Field(description="The order's own.")
    mode: Literal["live", "test"]


class OrderNews(BaseModel):
    """What a notification about an order holds."""

    type: str
    timestamp: Moment = Field(description="When it happened; the same at every try.")
    data: OrderView


class RefundNews(BaseModel):
    """What a notification about a refund holds."""

    type: str
    timestamp: Moment = Field(description="When it happened; the same at every try.")
    data: RefundView


class OrderList(BaseModel):
    """Orders that were found. next: null, there is no further page."""

    data: list[OrderView]
    next: None = None


class TierView(BaseModel):
    """A rate, and from which amount (or monthly volume) on the whole amount is charged at it.

    The fee: rate of the amount, rounded half-up, plus fixed; at least min and at most max.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    start: int = Field(alias="from", description="Smallest units; the first tier begins at 0.")
    rate: str = Field(examples=["1.2%"])
    fixed: int = Field(description="The fee's fixed part in smallest units.")
    min: int = Field(description="The least fee in smallest units.")
    max: int | None = Field(description="The most; null: no bound.")


class ProductView(BaseModel):
    """A product that is open to you, at your rates of today."""

    code: str = Field(examples=["alipay_qr"])
    name: str = Field(description="In the language of Accept-Language (en or zh).")
    tiers_by: Literal["amount", "volume"] = Field(
        description="What chooses the tier: the order's amount, or what was paid on the closed days"
        " of the month."
    )
    tiers: list[TierView] = Field(description="At least one, the lowest first.")


class ProductList(BaseModel):
    """Products. next: null, there is no further page."""

    data: list[ProductView]
    next: None = None


class BalanceView(BaseModel):
    """Your balance in smallest units. position = payable + prepaid."""

    mode: Literal["live", "test"]
    currency: str
    payable: int = Field(description="What we owe you for orders.")
    prepaid: int = Field(description="What was advanced to you, as a negative number.")
    position: int = Field(description="What we owe you; negative: prepayment that remains.")
    remaining_prepayment: int = Field(description="Advance that orders have not drawn down yet.")


class TextToSign(BaseModel):
    """The text to sign with HMAC-SHA256; never the signature itself."""

    expected_to_sign: str
    sha256: str = Field(description="SHA-256 of that text in hexadecimal, to compare with yours.")


class ErrorFacts(BaseModel):
    """One error. type is the family, code is stable, message is for people."""

    type: Literal[
        "invalid_request", "authentication", "permission", "not_found", "conflict",
        "rate_limited", "supplier", "internal",
    ]  # fmt: skip
    code: str = Field(examples=["field_invalid"])
    message: str
    param: str | None = Field(description="The field or header at fault.")
    request_id: str
    doc_url: str
    expected_to_sign: str | None = Field(
        None, description="With signature_invalid of a test key: the exact text we sign."
    )


class ErrorView(BaseModel):
    """The envelope of every error under /v1."""

    error: ErrorFacts


def tier_view(tier: Tier) -> TierView:
    """A tier as merchants see it."""
    return TierView.model_validate(
        {
            "from": tier.from_minor,
            "rate": tier.rate.percent(),
            "fixed": tier.rate.fixed_minor,
            "min": tier.rate.min_minor,
            "max": tier.rate.max_minor,
        }
    )


_B = TypeVar("_B", bound=Body)


def read_json(body: bytes, model: type[_B]) -> _B:
    """A body as a model. Refusals: body_invalid, field_unknown, field_missing, field_invalid."""
    value = _parse(body)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        # A misspelt name is both unknown and missing; the unknown one is the cause.
        unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
        raise _refusal((unknown or faults)[0], model) from None


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Refusal("body_invalid") from None
    if not isinstance(value, dict) or not _sound(value, MAX_DEPTH):
        raise Refusal("body_invalid")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _sound(value: object, depth: int) -> bool:
    """Not nested deeper than `depth`, and no text with half a character (a lone surrogate)."""
    if isinstance(value, str):
        return value.isascii() or not _SURROGATE.search(value)
    if isinstance(value, dict):
        return depth > 0 and all(_sound(k, 0) and _sound(v, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_sound(v, depth - 1) for v in value)
    return True


def _refusal(fault: ErrorDetails, model: type[Body]) -> Refusal:
    parts = [str(part) for part in fault["loc"] if part != "[key]"]
    param = ".".join(parts)[:_MAX_PARAM_CHARS]
    match fault["type"]:
        case "extra_forbidden":
            return Refusal("field_unknown", param=param)
        case "missing":
            return Refusal("field_missing", param=param)
        case _:
            return Refusal("field_invalid", param=param, expected=expected_of(model, parts[0]))


def expected_of(model: type[Body], name: str) -> str:
    """What a field must be, as its refusal says it."""
    field = model.model_fields[name]
    marks = [mark for mark in field.metadata if isinstance(mark, Expected)]
    return (marks[0] if marks else _ADDRESS_EXPECTED).text


def _named(metadata: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(f"metadata.{key}", text) for key, text in metadata]
