"""Every call to a supplier leaves a row without secrets, and a broken supplier is left alone."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connectors import Connector
from core.kernel.masking import KEPT_CHARS, MASK
from core.kernel.wire import HttpAnswer, HttpRequest
from core.parties.merchants import App, Merchant
from core.parties.suppliers import Call, CallAbout, Supplier
from core.parties.suppliers.calls import OF_ATTEMPT
from core.runtime import Runtime
from core.system.gateway import FAILURES_TO_OPEN, OPEN_S, MayHaveHappened, NeverSent, Timeouts
from core.system.retention import SUPPLIER_CALLS
from tests.conftest import Servers
from tests.core.peers import Held, closed_port, listening, ok, saying, silence
from tests.core.support import SetClock, owner
from tests.sizes import size

SHORT = Timeouts(connect_s=1.0, read_s=0.2, total_s=1.0)


@dataclass
class Line:
    """A supplier that is spoken to about one attempt of M1001, by requests that tests write."""

    runtime: Runtime
    merchant: Merchant
    supplier: Supplier
    connector: Connector
    attempt_no: str

    async def say(
        self, url: str, operation: str = "query", timeouts: Timeouts = SHORT, **request: Any
    ) -> HttpAnswer:
        asked = Asked(HttpRequest(**{"method": "POST", "url": url, "headers": {}, "body": b"",
                                     "signed": ""} | request))  # fmt: skip
        return await self.runtime.parties.calls.send(
            self.supplier,
            self.connector,
            operation,
            asked,
            timeouts=timeouts,
            about=CallAbout(self.merchant.id, self.attempt_no),
        )

    async def rows(self) -> list[dict[str, Any]]:
        """Everything that is kept, as it is, oldest first."""
        await self.runtime.system.store.settle()
        rows = await self.runtime.system.store.fetch("SELECT * FROM supplier_call ORDER BY at, id")
        return [dict(row) for row in rows]

    async def kept(self) -> list[Call]:
        """What is kept about the attempt, newest last."""
        await self.runtime.system.store.settle()
        return await self.runtime.parties.calls.of_attempt(self.merchant.id, self.attempt_no)


@dataclass
class Asked:
    """Gives the same request each time and remembers what it was given."""

    request: HttpRequest
    given: list[tuple[datetime, str, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, *, now: datetime, nonce: str, resources: Mapping[str, str]) -> HttpRequest:
        self.given.append((now, nonce, resources))
        return self.request


@pytest.fixture
async def line(runtime: Runtime, shop: tuple[Merchant, App]) -> Line:
    supplier = await runtime.parties.suppliers.by_no("S01")
    connector = await runtime.parties.suppliers.connector(supplier.document_id)
    merchant, _ = shop
    number = runtime.system.ids.number("attempt", "live", merchant.tag)
    return Line(runtime, merchant, supplier, connector, number)


async def test_every_call_leaves_a_row_whatever_became_of_it(line: Line) -> None:
    async with listening(ok(b'{"code":"0"}', more=b"X-One: 1\r\n")) as (url, _):
        answer = await line.say(
            f"{url}/create?a=1",
            "create",
            headers={"Content-Type": "application/json"},
            body='{"subject":"茶"}'.encode(),
            signed="a=1&key=***",
        )
        assert answer.body == b'{"code":"0"}'
    async with listening(ok(b"oh", b"500 Oh")) as (broken, _):
        assert (await line.say(broken)).status == 500
    async with listening(silence) as (silent, _):
        with pytest.raises(MayHaveHappened):
            await line.say(silent)
    with pytest.raises(NeverSent):
        await line.say(f"http://127.0.0.1:{closed_port()}/", "close", method="GET")
    with pytest.raises(NeverSent):
        await line.say("http://not a url/", "close")

    calls = await line.kept()
    assert [(c.operation, c.outcome, c.status) for c in calls] == [
        ("create", "answered", 200),
        ("query", "answered", 500),
        ("query", "may_have_happened", None),
        ("close", "never_sent", None),
        ("close", "never_sent", None),
    ]
    first = calls[0]
    assert (first.method, first.url, first.signed) == ("POST", f"{url}/create?a=1", "a=1&key=***")
    assert first.request_headers == "Content-Type: application/json"
    assert first.request_body == '{"subject":"茶"}'
    assert first.answer_headers == "content-length: 12\nx-one: 1"
    assert first.answer_body == '{"code":"0"}'
    assert first.supplier_id == line.supplier.id
    assert 0 <= first.took_ms < 10_000
    assert [c.why for c in calls] == [
        "", "", "no whole answer in time", calls[3].why, "the address is not a plain URL",
    ]  # fmt: skip
    assert "no connection" in calls[3].why
    assert [c.at for c in calls] == sorted(c.at for c in calls)


async def test_calls_are_found_by_their_attempt_and_merchant_and_no_more_than_so_many(
    line: Line,
) -> None:
    calls = line.runtime.parties.calls
    async with listening(ok(b"yes")) as (url, _):
        await line.say(url)
        await line.runtime.parties.calls.send(
            line.supplier, line.connector, "query", Asked(HttpRequest("GET", url, {}, b"", "")),
            timeouts=SHORT,
        )  # fmt: skip
    (alone, about) = sorted(await line.rows(), key=lambda row: row["attempt_no"])
    assert (alone["holder_id"], alone["attempt_no"]) == (line.supplier.id, "")
    assert (about["holder_id"], about["attempt_no"]) == (line.merchant.id, line.attempt_no)
    other = (await line.runtime.parties.merchants.by_no("M1002")).id
    assert await calls.of_attempt(other, line.attempt_no) == []
    for number in ("", "A", "A" * 20, line.attempt_no[:-1], "' OR 1=1 --"):
        assert await calls.of_attempt(line.merchant.id, number) == []
    await line.runtime.system.store.execute(
        "INSERT INTO supplier_call SELECT holder_id, at + n * interval '1 ms', gen_random_uuid(),"
        " supplier_id, attempt_no, refund_no, operation, method, url, request_headers,"
        " request_body, signed, status, answer_headers, answer_body, outcome, why, n"
        " FROM supplier_call, generate_series(1, $2) n WHERE holder_id = $1",
        line.merchant.id,
        OF_ATTEMPT + 5,
    )
    await line.runtime.system.store.settle()
    found = await calls.of_attempt(line.merchant.id, line.attempt_no.lower())
    assert [c.took_ms for c in found] == list(range(6, OF_ATTEMPT + 6)), "the newest ones"


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────
def examples(number: int) -> list[str]:
    """Secrets as hypothesis thinks of them."""
    drawn: list[str] = []

    @settings(max_examples=number, database=None)
    @given(st.text(min_size=4, max_size=80).filter(lambda text: len(text.strip()) >= 4))
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    return drawn


def forms_of(secret: str) -> dict[str, str]:
    raw = secret.encode()
    return {
        "raw": secret,
        "percent": quote(raw, safe=""),
        "form": urlencode({"k": raw})[2:],
        "json": json.dumps(secret)[1:-1],
        "json as it is": json.dumps(secret, ensure_ascii=False)[1:-1],
        "base64": b64encode(raw).decode(),
        "basic": b64encode(b"id:" + raw).decode(),
    }


async def test_no_credential_is_in_a_row_in_any_form(line: Line) -> None:
    (name,) = line.connector.secrets & set(line.supplier.credentials)
    drawn = examples(size(15, 100))
    secrets = [*drawn, r'p"a\s/s&w<r>d', "密钥密钥", "0000", "key=key=", MASK[0] + "abcd"]
    answers: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ok(answers.pop())(reader, writer)

    async with listening(talk) as (url, _):
        for secret in secrets:
            credentials = {**line.supplier.credentials, name: secret}
            line.supplier = replace(line.supplier, credentials=credentials)
            forms = forms_of(secret)
            answers.append(json.dumps({"you": secret, **forms}, ensure_ascii=False).encode())
            await line.say(
                f"{url}/?key={forms['percent']}&k={forms['base64']}",
                headers={"Authorization": f"Basic {forms['basic']}", "X-Key": forms["percent"]},
                body="|".join(forms.values()).encode(),
                signed=f"a=1&key={secret}",
            )
    rows = await line.rows()
    assert len(rows) == len(secrets)
    for secret, row in zip(secrets, rows, strict=True):
        kept = {k: v for k, v in row.items() if isinstance(v, str)}
        for where_kept in ("operation", "method", "outcome", "attempt_no", "refund_no"):
            del kept[where_kept]
        kept["url"] = kept["url"].split("/", 3)[3]
        for form in forms_of(secret).values():
            for column, text in kept.items():
                assert form.strip() not in text, (column, secret)


async def test_what_is_long_or_odd_is_kept_in_part_and_as_text(line: Line) -> None:
    odd = b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\xe8\r\nContent-Length: 4\r\n\r\n\x00\xff\x00a"
    async with listening(saying(odd)) as (url, _):
        assert (await line.say(url, body=b"\x00" * 3, signed="a\x00b")).body == b"\x00\xff\x00a"
    async with listening(ok(b"x" * 200_000, more=b"X-Long: " + b"y" * 7000 + b"\r\n")) as (url, _):
        await line.say(f"{url}/{'z' * 4000}", body="é".encode() * 10_000)
    first, second = await line.kept()
    assert (first.answer_body, first.request_body) == ("\ufffd" * 3 + "a", "\ufffd" * 3)
    assert first.signed == "a\ufffdb"
    assert "x-odd: " in first.answer_headers
    assert second.answer_body == "x" * KEPT_CHARS + "\n… (200000 characters)"
    assert second.request_body == "é" * KEPT_CHARS + "\n… (10000 characters)"


async def test_a_log_that_fails_changes_nothing_about_the_call(
    line: Line, servers: Servers, database: str
) -> None:
    async with owner(servers, database) as connection:
        await connection.execute("ALTER TABLE supplier_call RENAME TO away")
        async with listening(ok(b"yes")) as (url, _), listening(silence) as (silent, _):
            assert (await line.say(url)).body == b"yes"
            with pytest.raises(MayHaveHappened):
                await line.say(silent)
            await line.runtime.system.store.settle()
            await connection.execute("ALTER TABLE away RENAME TO supplier_call")
            async with connection.transaction():  # somebody holds the table for long
                await connection.execute("LOCK TABLE supplier_call")
                assert (await line.say(url)).body == b"yes"
                await line.runtime.system.store.settle()
    assert await line.rows() == []


async def test_rows_are_never_changed_and_go_by_whole_months(
    line: Line, clock: SetClock, servers: Servers, database: str
) -> None:
    store, calls = line.runtime.system.store, line.runtime.parties.calls
    async with listening(ok(b"yes")) as (url, _):
        await line.say(url)
        for sql in ("UPDATE supplier_call SET why = ''", "DELETE FROM supplier_call"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await store.execute(sql)
        assert await calls.forget_old() == 0
        month = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        ends = (month + timedelta(days=32)).replace(day=1)
        clock.go_to(ends + SUPPLIER_CALLS - timedelta(minutes=1))
        await store.make_months(clock.now().date(), 2)
        await line.say(url)
        await calls.forget_old()  # a month before the desk's may be there
        assert len(await line.rows()) == 2
        clock.advance(120)
        async with owner(servers, database) as connection, connection.transaction():
            await connection.execute("LOCK TABLE supplier_call IN ACCESS SHARE MODE")
            assert await calls.forget_old() == 0, "it does not wait for those who read"
        assert await calls.forget_old() == 1
        assert await calls.forget_old() == 0
        assert len(await line.rows()) == 1


# ── who is broken ────────────────────────────────────────────────────────────────────────────────
async def test_a_broken_supplier_is_left_alone_and_its_neighbour_is_not(
    line: Line, clock: SetClock
) -> None:
    calls = line.runtime.parties.calls
    assert calls.health() == {}
    second = replace(line, supplier=await line.runtime.parties.suppliers.by_no("S02"))
    async with listening(ok(b"oh", b"502 Oh")) as (url, listener):
        for _ in range(FAILURES_TO_OPEN):
            assert (await line.say(url)).status == 502
        with pytest.raises(NeverSent, match="left alone"):
            await line.say(url)
        assert listener.calls == FAILURES_TO_OPEN
        assert (await second.say(url)).status == 502, "the same host, another supplier"
        health = calls.health()
        assert (health[line.supplier.id].open, health[second.supplier.id].open) == (True, False)
        assert health[line.supplier.id].failures == FAILURES_TO_OPEN
        assert health[line.supplier.id].last_error == "HTTP status 502"
    clock.advance(OPEN_S)
    async with listening(ok(b"no", b"400 No")) as (url, _):
        assert (await line.say(url)).status == 400
        assert (await line.say(url)).status == 400
    assert not calls.health()[line.supplier.id].open
    assert calls.health()[line.supplier.id].failures == 0
    kept = await line.kept()
    assert [c.outcome for c in kept].count("never_sent") == 1


async def test_a_slow_supplier_does_not_take_its_neighbours_room(line: Line) -> None:
    held = Held()
    second = replace(line, supplier=await line.runtime.parties.suppliers.by_no("S02"))
    async with listening(held.talk) as (url, _):
        slow = [asyncio.create_task(line.say(url, timeouts=Timeouts())) for _ in range(20)]
        await held.wait(20)
        assert line.runtime.parties.calls.health()[line.supplier.id].in_flight == 20
        free = asyncio.create_task(second.say(url, timeouts=Timeouts()))
        await held.wait(1)
        held.leave.set()
        assert (await free).body == b"done"
        assert {answer.body for answer in await asyncio.gather(*slow)} == {b"done"}
