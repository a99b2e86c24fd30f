"""The gateway a merchant platform calls: every dialect's addresses, and the faults on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from sandbox.supplier.answers import BAD_PARAMETER, BAD_SIGNATURE, OK, Answer, Refused
from sandbox.supplier.config import Account, Config, DialectName
from sandbox.supplier.dialects import PAGE, Dialect, Heading, Route, Sent, Wire
from sandbox.supplier.faults import Fault, Faults, Kind
from sandbox.supplier.operations import Operations
from sandbox.supplier.store import Store

MAX_BODY_BYTES = 65_536
MAX_LOG_CHARS = 4_000
GARBAGE = "<html><body><h1>Welcome to nginx!</h1></body></html>\x00\xff{"

RefusedPage = Callable[[web.Request, str], web.Response]
"""A page that tells a payer why there is nothing to pay."""
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """The operations as HTTP handlers; each looks for an ordered fault first."""

    def __init__(
        self,
        config: Config,
        store: Store,
        operations: Operations,
        faults: Faults,
        dialects: Mapping[DialectName, Dialect],
        refused_page: RefusedPage,
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._store = store
        self._operations = operations
        self._faults = faults
        self._dialects = dialects
        self._refused_page = refused_page
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route(route.method, route.path, self._handler(name, dialect, route))
            for name, dialect in self._dialects.items()
            for route in dialect.routes
        ]

    def _handler(self, name: DialectName, dialect: Dialect, route: Route) -> Handle:
        async def handle(request: web.Request) -> web.StreamResponse:
            sent = Sent(
                method=request.method,
                target=request.raw_path,
                headers=request.headers,
                body=await request.read(),
                operation=route.operation,
                names=dict(request.match_info),
            )
            claimed = dialect.heading(sent)
            account = self._account(name, claimed)
            # A payer who brings a create asks for what a platform would ask for.
            operation = "create" if claimed.operation == PAGE else claimed.operation

            def said(answer: Answer) -> web.StreamResponse:
                if claimed.operation == PAGE:
                    return self._page(request, answer)
                wire = dialect.answer(operation, answer, account, int(self._now()))
                return _response(wire)

            def decided() -> Answer:
                try:
                    return self._decide(dialect, sent, operation, account, claimed)
                except Refused as refused:
                    return Answer(refused.code, refused.said(dialect.names))

            return await self._spoiled_or(request, sent, operation, decided, said)

        return handle

    def _account(self, name: DialectName, claimed: Heading) -> Account | None:
        account = self._config.accounts.get(claimed.mch_id)
        return account if account and account.dialect == name else None

    def _decide(
        self,
        dialect: Dialect,
        sent: Sent,
        operation: str,
        account: Account | None,
        claimed: Heading,
    ) -> Answer:
        """Check who asks and when, then do it; may be `Refused`."""
        if account is None:
            code = BAD_SIGNATURE if claimed.mch_id else BAD_PARAMETER
            raise Refused(code, "mch_id", "is missing or unknown")
        asked = dialect.read(sent, account)
        # A page is opened when the payer gets there, which may be much later.
        settings = self._config
        limit_s = settings.expires_in_s if claimed.operation == PAGE else settings.max_skew_s
        if abs(asked.sent_at - self._now()) > limit_s:
            raise Refused(BAD_PARAMETER, "timestamp", f"is more than {limit_s} s away from now")
        return self._operations.do(operation, account, asked.facts)

    async def _spoiled_or(
        self,
        request: web.Request,
        sent: Sent,
        operation: str,
        decided: Callable[[], Answer],
        said: Callable[[Answer], web.StreamResponse],
    ) -> web.StreamResponse:
        """The answer, or what a waiting fault puts in its place, before or after the work."""
        fault = self._faults.take(operation)
        if fault and not fault.after and fault.kind is not Kind.LATE:
            self._log(operation, sent, f"fault: {fault.kind}")
            return await _spoiled(request, fault, said)
        answer = said(decided())
        text = _text_of(answer)
        self._log(operation, sent, f"fault: {fault.kind}, unsaid: {text}" if fault else text)
        if fault and fault.kind is not Kind.LATE:
            return await _spoiled(request, fault, said)
        if fault:
            await asyncio.sleep(fault.delay_s)
        return answer

    def _page(self, request: web.Request, answer: Answer) -> web.Response:
        """Where a payer's browser goes who brought a create."""
        if answer.code == OK:
            return web.Response(status=303, headers={"Location": answer.facts["pay_url"]})
        return self._refused_page(request, f"{answer.code} {answer.message}")

    def _log(self, operation: str, sent: Sent, answer: str) -> None:
        request = (sent.body.decode("utf-8", "replace") or sent.target)[:MAX_LOG_CHARS]
        self._store.add_log(self._now(), operation or "unknown", request, answer)


async def _spoiled(
    request: web.Request, fault: Fault, said: Callable[[Answer], web.StreamResponse]
) -> web.StreamResponse:
    if fault.kind is Kind.TIMEOUT:
        await asyncio.sleep(fault.delay_s)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=504)
    if fault.kind is Kind.ERROR_500:
        return web.Response(status=500, text="internal error")
    if fault.kind is Kind.GARBAGE:
        return web.Response(body=GARBAGE.encode("latin-1"), content_type="text/html")
    return said(Answer(fault.code, Refused(fault.code).said({})))


def _response(wire: Wire) -> web.Response:
    return web.Response(
        body=wire.body,
        status=wire.status,
        headers={**wire.headers, "Content-Type": wire.content_type},
    )


def _text_of(answer: web.StreamResponse) -> str:
    """What the log keeps of an answer: its text, or where it leads."""
    if location := answer.headers.get("Location"):
        return location
    return (answer.text or "") if isinstance(answer, web.Response) else ""
