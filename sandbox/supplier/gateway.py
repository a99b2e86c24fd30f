"""The gateway a merchant platform calls: create, query and close, in the dialect "md5 form"."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from sandbox.supplier.config import Account, Config
from sandbox.supplier.faults import Fault, Faults, Kind
from sandbox.supplier.money import parse_yuan, yuan
from sandbox.supplier.orders import Ask, Orders, new_nonce
from sandbox.supplier.signing import signed, verified
from sandbox.supplier.store import Order, Store

MAX_BODY_BYTES = 65_536
MAX_FIELDS = 64
MAX_URL_CHARS = 512
MAX_TEXT_CHARS = 128
MAX_LOG_CHARS = 4_000
GARBAGE = "<html><body><h1>Welcome to nginx!</h1></body></html>\x00\xff{"

# Codes of answers. 0 is success; every other one is definite: nothing was done.
OK = "0"
BAD_SIGNATURE = "1001"
BAD_PARAMETER = "1002"
UNKNOWN_PAY_TYPE = "1003"
CHANNEL_CLOSED = "1004"
AMOUNT_OUT_OF_RANGE = "1005"
CONFLICT = "1009"
ORDER_NOT_FOUND = "1404"

MESSAGES = {
    BAD_SIGNATURE: "bad signature",
    BAD_PARAMETER: "bad parameter",
    UNKNOWN_PAY_TYPE: "unknown pay_type",
    CHANNEL_CLOSED: "channel closed",
    AMOUNT_OUT_OF_RANGE: "amount out of range",
    CONFLICT: "out_trade_no was used with other content",
    ORDER_NOT_FOUND: "order not found",
}

Params = dict[str, str]
Decide = Callable[[Account, Params], Params]

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NONCE = re.compile(r"[\x21-\x7e]{1,64}")
_UNIX_S = re.compile(r"[0-9]{1,10}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


class Refused(Exception):
    """A definite refusal: a code and what it is about."""

    def __init__(self, code: str, detail: str = "") -> None:
        message = MESSAGES.get(code, "refused")
        super().__init__(f"{message}: {detail}" if detail else message)
        self.code = code


class Gateway:
    """The three operations as HTTP handlers; each looks for an ordered fault first."""

    def __init__(
        self,
        config: Config,
        store: Store,
        orders: Orders,
        faults: Faults,
        now: Callable[[], float],
        base: Callable[[], str],
    ) -> None:
        self._config = config
        self._store = store
        self._orders = orders
        self._faults = faults
        self._now = now
        self._base = base

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/gateway/create", self._handler("create", self._create)),
            web.post("/gateway/query", self._handler("query", self._query)),
            web.post("/gateway/close", self._handler("close", self._close)),
        ]

    def _handler(
        self, operation: str, decide: Decide
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            fault = self._faults.take(operation)
            if fault and not fault.after and fault.kind is not Kind.LATE:
                self._log(operation, raw, f"fault: {fault.kind}")
                return await self._spoiled(request, raw, fault)
            answer = self._answer(raw, decide)
            text = json.dumps(answer, ensure_ascii=False)
            self._log(operation, raw, f"fault: {fault.kind}, unsaid: {text}" if fault else text)
            if fault and fault.kind is not Kind.LATE:
                return await self._spoiled(request, raw, fault)
            if fault:
                await asyncio.sleep(fault.delay_s)
            return _json(text)

        return handle

    def _answer(self, raw: bytes, decide: Decide) -> Params:
        """The signed answer; unsigned only when no account can be told from the request."""
        account = None
        try:
            params = read_form(raw)
            account = self._config.accounts.get(params.get("mch_id", ""))
            if account is None:
                code = BAD_SIGNATURE if params.get("mch_id") else BAD_PARAMETER
                raise Refused(code, "mch_id is missing or unknown")
            if not verified(params, account.key):
                raise Refused(BAD_SIGNATURE)
            self._check_fresh(params)
            answer = {"code": OK, "msg": "ok", **decide(account, params)}
        except Refused as refused:
            answer = {"code": refused.code, "msg": str(refused), "nonce": new_nonce()}
        return signed(answer, account.key) if account else answer

    def _check_fresh(self, params: Params) -> None:
        timestamp = params.get("timestamp", "")
        if not _UNIX_S.fullmatch(timestamp):
            raise Refused(BAD_PARAMETER, "timestamp must be unix seconds")
        limit_s = self._config.max_skew_s
        if abs(int(timestamp) - self._now()) > limit_s:
            raise Refused(BAD_PARAMETER, f"timestamp is more than {limit_s} s away from now")
        if not _NONCE.fullmatch(params.get("nonce", "")):
            raise Refused(BAD_PARAMETER, "nonce must be 1 to 64 visible ASCII characters")

    def _create(self, account: Account, params: Params) -> Params:
        ask = _read_ask(account, params)
        order = self._orders.find_of(ask.mch_id, ask.out_trade_no)
        if order is None:
            self._check_channel(ask)
            order = self._orders.open(ask)
        elif _ask_of(order) != ask:
            raise Refused(CONFLICT)
        return {
            "mch_id": order.mch_id,
            "out_trade_no": order.out_trade_no,
            "trade_no": order.trade_no,
            "pay_url": f"{self._base()}/pay/{order.trade_no}",
            "expires_at": str(order.expires_at),
            "nonce": order.nonce,
        }

    def _check_channel(self, ask: Ask) -> None:
        pay_type = self._config.pay_types.get(ask.pay_type)
        if pay_type is None:
            raise Refused(UNKNOWN_PAY_TYPE)
        if not pay_type.open:
            raise Refused(CHANNEL_CLOSED)
        if not pay_type.min_fen <= ask.amount_fen <= pay_type.max_fen:
            limits = f"{yuan(pay_type.min_fen)} to {yuan(pay_type.max_fen)}"
            raise Refused(AMOUNT_OUT_OF_RANGE, limits)

    def _query(self, account: Account, params: Params) -> Params:
        return _state_of(self._named(account, params))

    def _close(self, account: Account, params: Params) -> Params:
        return _state_of(self._orders.close(self._named(account, params)))

    def _named(self, account: Account, params: Params) -> Order:
        out_trade_no = params.get("out_trade_no", "")
        if not out_trade_no:
            raise Refused(BAD_PARAMETER, "out_trade_no is missing")
        order = self._orders.find_of(account.mch_id, out_trade_no)
        if order is None:
            raise Refused(ORDER_NOT_FOUND)
        return order

    async def _spoiled(self, request: web.Request, raw: bytes, fault: Fault) -> web.Response:
        """What the fault puts in the place of the answer."""
        if fault.kind is Kind.TIMEOUT:
            await asyncio.sleep(fault.delay_s)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=504)
        if fault.kind is Kind.ERROR_500:
            return web.Response(status=500, text="internal error")
        if fault.kind is Kind.GARBAGE:
            return web.Response(body=GARBAGE.encode("latin-1"), content_type="text/html")
        refused = Refused(fault.code)
        answer = {"code": refused.code, "msg": str(refused), "nonce": new_nonce()}
        mch_id = dict(parse_qsl(raw.decode("latin-1"))).get("mch_id", "")
        account = self._config.accounts.get(mch_id)
        return _json(json.dumps(signed(answer, account.key) if account else answer))

    def _log(self, operation: str, raw: bytes, answer: str) -> None:
        request = raw.decode("utf-8", "replace")[:MAX_LOG_CHARS]
        self._store.add_log(self._now(), operation, request, answer)


def read_form(raw: bytes) -> Params:
    """URL-encoded fields of a body; `Refused` when they cannot be told apart for certain."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise Refused(BAD_PARAMETER, "the body must be a URL-encoded UTF-8 form") from error
    params = dict(pairs)
    if len(params) != len(pairs):
        raise Refused(BAD_PARAMETER, "a field is given twice")
    return params


def _read_ask(account: Account, params: Params) -> Ask:
    if not _REFERENCE.fullmatch(params.get("out_trade_no", "")):
        raise Refused(BAD_PARAMETER, "out_trade_no must be 1 to 32 of A-Z a-z 0-9 _ -")
    if not params.get("pay_type"):
        raise Refused(BAD_PARAMETER, "pay_type is missing")
    amount_fen = parse_yuan(params.get("amount", ""))
    if not amount_fen:
        raise Refused(BAD_PARAMETER, 'amount must be yuan with two decimals such as "12.34"')
    subject = _read_line(params, "subject")
    merchant_name = _read_line(params, "merchant_name") if params.get("merchant_name") else ""
    client_ip = params.get("client_ip", "")
    if not 1 <= len(client_ip) <= 45:
        raise Refused(BAD_PARAMETER, "client_ip must be 1 to 45 characters")
    return Ask(
        mch_id=account.mch_id,
        out_trade_no=params["out_trade_no"],
        pay_type=params["pay_type"],
        amount_fen=amount_fen,
        subject=subject,
        merchant_name=merchant_name,
        notify_url=_read_url(params, "notify_url"),
        return_url=_read_url(params, "return_url") if params.get("return_url") else "",
        client_ip=client_ip,
    )


def _read_line(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not 1 <= len(value) <= MAX_TEXT_CHARS or _CONTROL_CHARACTER.search(value):
        detail = f"{name} must be 1 to {MAX_TEXT_CHARS} characters on one line"
        raise Refused(BAD_PARAMETER, detail)
    return value


def _read_url(params: Params, name: str) -> str:
    value = params.get(name, "")
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine or len(value) > MAX_URL_CHARS or _CONTROL_CHARACTER.search(value):
        detail = f"{name} must be an http or https URL of at most {MAX_URL_CHARS} characters"
        raise Refused(BAD_PARAMETER, detail)
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


def _state_of(order: Order) -> Params:
    answer = {
        "mch_id": order.mch_id,
        "out_trade_no": order.out_trade_no,
        "trade_no": order.trade_no,
        "status": order.status,
        "amount": yuan(order.amount_fen),
        "nonce": new_nonce(),
    }
    if order.status == "SUCCESS":
        answer |= {"paid_amount": yuan(order.paid_fen), "paid_at": str(order.paid_at)}
    return answer


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
