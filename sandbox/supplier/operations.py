"""What a platform can ask for: create, query, close, refund, refund query and balance."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox.supplier.answers import (
    AMOUNT_OUT_OF_RANGE,
    BAD_PARAMETER,
    CHANNEL_CLOSED,
    CONFLICT,
    OK,
    ORDER_NOT_FOUND,
    REFUND_NOT_FOUND,
    UNKNOWN_PAY_TYPE,
    Answer,
    Facts,
    Refused,
)
from sandbox.supplier.config import Account, Config
from sandbox.supplier.money import parse_yuan, yuan
from sandbox.supplier.orders import Ask, Orders
from sandbox.supplier.refunds import Refunds
from sandbox.supplier.rows import Order, Refund
from sandbox.supplier.store import Store

MAX_URL_CHARS = 512
MAX_TEXT_CHARS = 128

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")

Operation = Callable[[Account, Facts], Answer]


class Operations:
    """The operations by name. Each takes facts whose signature was right and may be `Refused`."""

    def __init__(
        self,
        config: Config,
        store: Store,
        orders: Orders,
        refunds: Refunds,
        base: Callable[[], str],
    ) -> None:
        self._config = config
        self._store = store
        self._orders = orders
        self._refunds = refunds
        self._base = base
        self._by_name: dict[str, Operation] = {
            "create": self._create,
            "query": self._query,
            "close": self._close,
            "refund": self._refund,
            "refund_query": self._refund_query,
            "balance": self._balance,
        }

    def do(self, operation: str, account: Account, facts: Facts) -> Answer:
        """The answer of one operation. `Refused` where it cannot be done, or is not known."""
        known = self._by_name.get(operation)
        if known is None:
            raise Refused(BAD_PARAMETER, "method", "is unknown")
        return known(account, facts)

    def _create(self, account: Account, facts: Facts) -> Answer:
        ask = _read_ask(account, facts)
        order = self._orders.find_of(ask.mch_id, ask.out_trade_no)
        made = order is None
        if order is None:
            self._check_channel(ask)
            order = self._orders.open(ask)
        elif _ask_of(order) != ask:
            raise Refused(CONFLICT, "out_trade_no")
        said = {
            "mch_id": order.mch_id,
            "out_trade_no": order.out_trade_no,
            "trade_no": order.trade_no,
            "pay_url": f"{self._base()}/pay/{order.trade_no}",
            "expires_at": str(order.expires_at),
            "nonce": order.nonce,
        }
        return Answer(OK, "ok", said, made)

    def _check_channel(self, ask: Ask) -> None:
        pay_type = self._config.pay_types.get(ask.pay_type)
        if pay_type is None:
            raise Refused(UNKNOWN_PAY_TYPE, "pay_type")
        if not pay_type.open:
            raise Refused(CHANNEL_CLOSED)
        if not pay_type.min_fen <= ask.amount_fen <= pay_type.max_fen:
            limits = f"{yuan(pay_type.min_fen)} to {yuan(pay_type.max_fen)}"
            raise Refused(AMOUNT_OUT_OF_RANGE, "", limits)

    def _query(self, account: Account, facts: Facts) -> Answer:
        return _standing(self._named(account, facts))

    def _close(self, account: Account, facts: Facts) -> Answer:
        return _standing(self._orders.close(self._named(account, facts)))

    def _refund(self, account: Account, facts: Facts) -> Answer:
        if not _REFERENCE.fullmatch(facts.get("out_refund_no", "")):
            raise Refused(BAD_PARAMETER, "out_refund_no", "must be 1 to 32 of A-Z a-z 0-9 _ -")
        amount_fen = _read_amount(facts, "refund_amount")
        order = self._named(account, facts)
        refund, made = self._refunds.make(order, facts["out_refund_no"], amount_fen)
        return _refund_standing(refund, made)

    def _refund_query(self, account: Account, facts: Facts) -> Answer:
        number = facts.get("out_refund_no", "")
        if not number:
            raise Refused(BAD_PARAMETER, "out_refund_no", "is missing")
        refund = self._refunds.find_of(account.mch_id, number)
        if refund is None:
            raise Refused(REFUND_NOT_FOUND)
        return _refund_standing(refund, made=False)

    def _balance(self, account: Account, facts: Facts) -> Answer:
        balance_fen = self._store.balance_of(account.mch_id, account.fee_ppm)
        said = {
            "mch_id": account.mch_id,
            "balance": yuan(balance_fen),
            "currency": self._config.currency,
        }
        return Answer(OK, "ok", said)

    def _named(self, account: Account, facts: Facts) -> Order:
        out_trade_no = facts.get("out_trade_no", "")
        if not out_trade_no:
            raise Refused(BAD_PARAMETER, "out_trade_no", "is missing")
        order = self._orders.find_of(account.mch_id, out_trade_no)
        if order is None:
            raise Refused(ORDER_NOT_FOUND)
        return order


def _read_ask(account: Account, facts: Facts) -> Ask:
    if not _REFERENCE.fullmatch(facts.get("out_trade_no", "")):
        raise Refused(BAD_PARAMETER, "out_trade_no", "must be 1 to 32 of A-Z a-z 0-9 _ -")
    if not facts.get("pay_type"):
        raise Refused(BAD_PARAMETER, "pay_type", "is missing")
    amount_fen = _read_amount(facts, "amount")
    subject = _read_line(facts, "subject")
    merchant_name = _read_line(facts, "merchant_name") if facts.get("merchant_name") else ""
    client_ip = facts.get("client_ip", "")
    if not 1 <= len(client_ip) <= 45:
        raise Refused(BAD_PARAMETER, "client_ip", "must be 1 to 45 characters")
    return Ask(
        mch_id=account.mch_id,
        out_trade_no=facts["out_trade_no"],
        pay_type=facts["pay_type"],
        amount_fen=amount_fen,
        subject=subject,
        merchant_name=merchant_name,
        notify_url=_read_url(facts, "notify_url"),
        return_url=_read_url(facts, "return_url") if facts.get("return_url") else "",
        client_ip=client_ip,
    )


def _read_amount(facts: Facts, name: str) -> int:
    fen = parse_yuan(facts.get(name, ""))
    if not fen:
        raise Refused(BAD_PARAMETER, name, 'must be yuan with two decimals such as "12.34"')
    return fen


def _read_line(facts: Facts, name: str) -> str:
    value = facts.get(name, "")
    if not 1 <= len(value) <= MAX_TEXT_CHARS or _CONTROL_CHARACTER.search(value):
        detail = f"must be 1 to {MAX_TEXT_CHARS} characters on one line"
        raise Refused(BAD_PARAMETER, name, detail)
    return value


def _read_url(facts: Facts, name: str) -> str:
    value = facts.get(name, "")
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine or len(value) > MAX_URL_CHARS or _CONTROL_CHARACTER.search(value):
        detail = f"must be an http or https URL of at most {MAX_URL_CHARS} characters"
        raise Refused(BAD_PARAMETER, name, detail)
    return value


def _ask_of(order: Order) -> Ask:
    return Ask(
        mch_id=order.mch_id,
        out_trade_no=order.out_trade_no,
        pay_type=order.pay_type,
        amount_fen=order.amount_fen,
        subject=order.subject,
        merchant_name=order.merchant_name,
        notify_url=order.notify_url,
        return_url=order.return_url,
        client_ip=order.client_ip,
    )


def _standing(order: Order) -> Answer:
    said = {
        "mch_id": order.mch_id,
        "out_trade_no": order.out_trade_no,
        "trade_no": order.trade_no,
        "status": order.status,
        "amount": yuan(order.amount_fen),
    }
    if order.status == "SUCCESS":
        said |= {"paid_amount": yuan(order.paid_fen), "paid_at": str(order.paid_at)}
    return Answer(OK, "ok", said)


def _refund_standing(refund: Refund, made: bool) -> Answer:
    said = {
        "mch_id": refund.mch_id,
        "out_trade_no": refund.out_trade_no,
        "out_refund_no": refund.out_refund_no,
        "refund_no": refund.refund_no,
        "refund_status": refund.status,
        "refund_amount": yuan(refund.amount_fen),
    }
    return Answer(OK, "ok", said, made)
