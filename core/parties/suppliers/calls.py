"""Every call to a supplier: in the supplier's turn, with its token, and with a row about it.

Rows of the moment are written together, and nobody's answer waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal, Protocol
from uuid import UUID

import structlog

from core.connectors import Connector, TokenRefused
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.ids import Ids, read_number
from core.kernel.masking import Mask
from core.kernel.wire import HttpAnswer, HttpRequest
from core.parties.suppliers.suppliers import Supplier
from core.parties.suppliers.tokens import Tokens
from core.system import retention
from core.system.batch import Batch
from core.system.gateway import Circuit, Gateway, Health, MayHaveHappened, NeverSent, Timeouts
from core.system.store import Store

_LOG = structlog.get_logger(__name__)
OF_ATTEMPT: Final = 200
# They change nothing at the supplier, so it does no harm to send them twice.
_QUESTIONS: Final = frozenset({"query", "refund_query", "balance"})
TOKEN: Final = "token"  # noqa: S105 (the name of an operation and of what it gives)
_KEEP_S: Final = 3.0
# What the desk itself may take around a call: to build it, to wait for a turn of the loop.
_OURS_S: Final = 1.0
_LEAST_S: Final = 0.5
# What is not counted, so that most calls have the same limits, which are made once.
_UNCOUNTED_S: Final = 0.02

Outcome = Literal["answered", "never_sent", "may_have_happened"]
_Came = HttpAnswer | NeverSent | MayHaveHappened


class Build(Protocol):
    """Makes a call's request; `Connector.build` is one when it has its facts and credentials.

    It is asked again for a second try. resources: what the desk fetched for the supplier.
    """

    def __call__(
        self, *, now: datetime, nonce: str, resources: Mapping[str, str]
    ) -> HttpRequest: ...


@dataclass(frozen=True, slots=True)
class CallAbout:
    """Whose call it is. refund_no: the merchant's own number of a refund."""

    merchant_id: UUID
    attempt_no: str = ""
    refund_no: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is kept, without its secrets. Headers are lines of `name: value`.

    at: when it left. signed: the exact string that was signed. status: none where no answer came.
    why: in words, where there is no answer or a token was refused.
    """

    id: UUID
    at: datetime
    supplier_id: UUID
    attempt_no: str
    refund_no: str
    operation: str
    method: str
    url: str
    request_headers: str
    request_body: str
    signed: str
    status: int | None
    answer_headers: str
    answer_body: str
    outcome: Outcome
    why: str
    took_ms: int


class Calls:
    """Talks to suppliers. What it knows of tokens and of who is broken is this process's own."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, gateway: Gateway, nonce: Callable[[], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._gateway = gateway
        self._nonce = nonce
        self._circuits: dict[UUID, Circuit] = {}
        self._tokens = Tokens(clock)
        self._masks: dict[UUID, tuple[Supplier, Connector, Mask]] = {}
        self._rows = Batch(self._write_together, self._write_alone)
        self._keeping: set[asyncio.Task[None]] = set()

    async def send(
        self,
        supplier: Supplier,
        connector: Connector,
        operation: str,
        build: Build,
        *,
        timeouts: Timeouts,
        about: CallAbout | None = None,
    ) -> HttpAnswer:
        """The supplier's answer, whatever its status. No transaction may be open.

        about: the merchant's order or refund; none for what concerns the supplier alone. All of it,
        tokens and a second try included, takes no longer than `longest_call`. Raises NeverSent,
        also where the request cannot be built, no token can be had or the supplier's circuit is
        open, and MayHaveHappened.
        """
        ends = asyncio.get_running_loop().time() + timeouts.connect_s + timeouts.total_s
        line = _Line(supplier, connector, about or CallAbout(supplier.id), timeouts, ends)
        if not connector.needs_token(operation):
            return await self._send(line, operation, build, None)
        answer = HttpAnswer(0, {}, b"")
        for _ in range(2):  # a token that is over says that nothing was done: one more time
            token = await self._token(line)
            answer = await self._send(line, operation, build, token)
            if not connector.token_lost(answer):
                return answer
            self._tokens.drop(supplier, connector, token)
        raise NeverSent("the supplier takes none of the tokens that it gives")

    async def of_attempt(self, merchant_id: UUID, attempt_no: str) -> list[Call]:
        """The calls about an attempt, newest last; of very many the newest OF_ATTEMPT. The row of
        one that has just been made may still be on its way."""
        number = read_number(attempt_no)
        if number is None:
            return []
        rows = await self._store.fetch(
            _OF_ATTEMPT,
            merchant_id,
            attempt_no.strip().upper(),
            datetime.combine(number.month, time(), UTC),
            OF_ATTEMPT,
        )
        return [Call(**dict(row)) for row in reversed(rows)]

    async def settle(self) -> None:
        """Wait until the rows of the calls that this process made are written."""
        if self._keeping:
            await asyncio.wait(set(self._keeping))

    def health(self) -> dict[UUID, Health]:
        """How each supplier stands that was called since this process began."""
        return {supplier_id: circuit.health() for supplier_id, circuit in self._circuits.items()}

    async def forget_old(self) -> int:
        """Drop the months that ended long ago; how many. One that is in use stays."""
        before = self._clock.now() - retention.SUPPLIER_CALLS
        return int(await self._store.fetchval("SELECT drop_call_months($1)", before))

    async def _token(self, line: _Line) -> str:
        async def fetch() -> tuple[str, int]:
            credentials, now = line.supplier.credentials, self._clock.now()
            with _building(line, TOKEN):
                request = line.connector.build_token(credentials, now=now, nonce=self._nonce())
            started = self._clock.now()
            came = await self._exchange(line, request, twice=False)
            try:
                if not isinstance(came, HttpAnswer):
                    raise TokenRefused(str(came))
                token = line.connector.read_token(
                    came, line.supplier.credentials, now=self._clock.now()
                )
            except TokenRefused as refused:
                self._keep(line, TOKEN, request, started, came, [], str(refused))
                raise NeverSent(f"no token: {refused}") from None
            self._keep(line, TOKEN, request, started, came, [token.value])
            return token.value, token.lives_s

        with self._store.elsewhere():  # also where another call is the one that fetches it
            return await self._tokens.get(line.supplier, line.connector, fetch)

    async def _send(
        self, line: _Line, operation: str, build: Build, token: str | None
    ) -> HttpAnswer:
        resources = {} if token is None else {TOKEN: token}
        started = self._clock.now()
        with _building(line, operation):
            request = build(now=started, nonce=self._nonce(), resources=resources)
        came = await self._exchange(line, request, twice=operation in _QUESTIONS)
        self._keep(line, operation, request, started, came, resources.values())
        if isinstance(came, HttpAnswer):
            return came
        raise came

    async def _exchange(self, line: _Line, request: HttpRequest, *, twice: bool) -> _Came:
        try:
            with self._store.elsewhere():
                return await self._gateway.send(
                    request,
                    timeouts=line.patience(),
                    circuit=self._circuit(line.supplier.id),
                    twice=twice,
                )
        except (NeverSent, MayHaveHappened) as error:
            return error

    def _circuit(self, supplier_id: UUID) -> Circuit:
        """The supplier's own: two at one host do not share a fate, nor each other's room."""
        if supplier_id not in self._circuits:
            self._circuits[supplier_id] = Circuit(clock=self._clock, judges_status=True)
        return self._circuits[supplier_id]

    def _keep(
        self,
        line: _Line,
        operation: str,
        request: HttpRequest,
        started: datetime,
        came: _Came,
        tokens: Collection[str],
        why: str = "",
    ) -> None:
        """Have the row written, which nobody waits for. Whatever becomes of that, the call means
        what it means."""
        took_ms = int((self._clock.now() - started).total_seconds() * 1000)
        status = came.status if isinstance(came, HttpAnswer) else None
        _LOG.info(
            "supplier called",
            supplier_no=line.supplier.supplier_no,
            operation=operation,
            attempt_no=line.about.attempt_no,
            outcome=_outcome(came),
            status=status,
            took_ms=took_ms,
        )
        row = _Row(line, operation, request, started, came, tuple(tokens), why, took_ms)
        keeping = self._store.leave(self._write_row(row))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)

    async def _write_row(self, row: _Row) -> None:
        try:
            async with asyncio.timeout(_KEEP_S):
                await self._rows.write(self._masked(row))
        except Exception:  # noqa: BLE001 (a log that fails must not undo what was said)
            _LOG.exception(
                "supplier call not kept",
                operation=row.operation,
                attempt_no=row.line.about.attempt_no,
            )

    def _masked(self, row: _Row) -> dict[str, object]:
        line, request, came = row.line, row.request, row.came
        mask = self._mask(line, row.tokens)
        answer = came if isinstance(came, HttpAnswer) else HttpAnswer(0, {}, b"")
        return {
            "holder_id": line.about.merchant_id,
            "at": row.started,
            "id": self._ids.uuid7(row.started),
            "supplier_id": line.supplier.id,
            "attempt_no": line.about.attempt_no,
            "refund_no": line.about.refund_no,
            "operation": row.operation,
            "method": request.method,
            "url": mask.text(request.url),
            "request_headers": mask.headers(request.headers),
            "request_body": mask.body(request.body),
            "signed": mask.text(request.signed),
            "status": came.status if isinstance(came, HttpAnswer) else None,
            "answer_headers": mask.headers(answer.headers),
            "answer_body": mask.body(answer.body),
            "outcome": _outcome(came),
            "why": mask.text(row.why if isinstance(came, HttpAnswer) else came.why),
            "took_ms": row.took_ms,
        }

    def _mask(self, line: _Line, tokens: tuple[str, ...]) -> Mask:
        """Hides a supplier's secrets. The last one without tokens is kept: most calls need it."""
        if tokens:
            return Mask([*line.secrets, *tokens])
        supplier, connector = line.supplier, line.connector
        kept = self._masks.get(supplier.id)
        if kept is None or kept[0] is not supplier or kept[1] is not connector:
            kept = self._masks[supplier.id] = (supplier, connector, Mask(line.secrets))
        return kept[2]

    async def _write_together(self, rows: Sequence[dict[str, object]]) -> Sequence[bool]:
        await self._store.execute(_KEEP, rows)
        return [True] * len(rows)

    async def _write_alone(self, row: dict[str, object]) -> bool:
        await self._store.execute(_KEEP, [row])
        return True


@dataclass(frozen=True, slots=True)
class _Line:
    """Who is spoken to, through what, about what, and until when, by the loop's time."""

    supplier: Supplier
    connector: Connector
    about: CallAbout
    timeouts: Timeouts
    ends: float

    def patience(self) -> Timeouts:
        """What is left of the time, one wait for room included. Raises NeverSent at its end."""
        left = self.ends - asyncio.get_running_loop().time() - self.timeouts.connect_s
        if left < min(_LEAST_S, self.timeouts.total_s / 2):
            raise NeverSent("the token took so long that no time is left for the call")
        if left > self.timeouts.total_s - _UNCOUNTED_S:
            return self.timeouts
        return replace(self.timeouts, total_s=min(left, self.timeouts.total_s))

    @property
    def secrets(self) -> list[str]:
        """Credentials that nobody is to see, and what the document makes of them."""
        facts, now = self.connector.fixtures.facts, self.connector.fixtures.now
        return [*self.connector.secret_texts(self.supplier.credentials, facts, now)]


@dataclass(frozen=True, slots=True)
class _Row:
    """A call that is to be kept. why: in words, where an answer's token was refused."""

    line: _Line
    operation: str
    request: HttpRequest
    started: datetime
    came: _Came
    tokens: tuple[str, ...]
    why: str
    took_ms: int


@contextmanager
def _building(line: _Line, operation: str) -> Iterator[None]:
    """What cannot be built is not sent: whoever asked may go elsewhere."""
    try:
        yield
    except Bug as bug:
        _LOG.exception(
            "supplier call not built",
            supplier_no=line.supplier.supplier_no,
            operation=operation,
            attempt_no=line.about.attempt_no,
        )
        raise NeverSent(str(bug)) from bug


def longest_call(timeouts: Timeouts) -> timedelta:
    """How long `Calls.send` may take, tokens and a second try included."""
    return timedelta(seconds=timeouts.connect_s + timeouts.total_s + _OURS_S)


def _outcome(came: _Came) -> Outcome:
    if isinstance(came, HttpAnswer):
        return "answered"
    return "never_sent" if isinstance(came, NeverSent) else "may_have_happened"


# A batch whose answer was lost may have written it.
_KEEP: Final = """
INSERT INTO supplier_call SELECT * FROM jsonb_populate_recordset(NULL::supplier_call, $1)
ON CONFLICT DO NOTHING
"""
# The number says its month: older ones are not looked into.
_OF_ATTEMPT: Final = """
SELECT id, at, supplier_id, attempt_no, refund_no, operation, method, url, request_headers,
    request_body, signed, status, answer_headers, answer_body, outcome, why, took_ms
FROM supplier_call WHERE holder_id = $1 AND attempt_no = $2 AND at >= $3
ORDER BY at DESC, id DESC LIMIT $4
"""
