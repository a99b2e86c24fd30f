"""The entrance: addresses behind proxies, failures of our own, request ids."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from core.runtime import Runtime
from payapi import add_payapi
from payapi.answers import status_of
from payapi.app import PATIENCE_S
from tests.codes import REFUSALS
from tests.conftest import Servers
from tests.core.support import owner
from tests.core.system.test_redis_link import own_valkey
from tests.payapi.client import Answer, Caller
from tests.payapi.conftest import server_of, serving

Desk = tuple[Runtime, str]


@pytest.fixture
async def behind_proxy(desk: Desk, caller: Caller) -> AsyncIterator[Caller]:
    """M1001's server as it reaches a desk that trusts proxies on this machine and in 10/8."""
    app = web.Application()
    trusted = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))
    add_payapi(app, desk[0], trusted_proxies=trusted)
    server = TestServer(app)
    await server.start_server()
    yield replace(caller, url=str(server.make_url("")).rstrip("/"))
    await server.close()


async def test_the_address_behind_trusted_proxies_counts(behind_proxy: Caller, desk: Desk) -> None:
    change = "UPDATE app SET ip_allow = $2 WHERE key_id = $1"
    await desk[0].system.store.execute(change, behind_proxy.key, ["203.0.113.7"])

    async def call(forwarded: str) -> Answer:
        headers = behind_proxy.headers("GET", "/v1/balance", "", datetime.now(UTC))
        headers["X-Forwarded-For"] = forwarded
        return await behind_proxy.send("GET", "/v1/balance", b"", headers)

    for forwarded in (
        "203.0.113.7",
        "1.1.1.1, 203.0.113.7, 10.1.1.1",
        "::ffff:203.0.113.7",
        "203.0.113.7:51234",
        "1.1.1.1:80, 203.0.113.7:1 ,10.1.1.1:65535",
        "[::ffff:203.0.113.7]:443",
        "[::ffff:203.0.113.7]",
    ):
        assert (await call(forwarded)).status == 200, forwarded
    for forwarded, address in (
        ("203.0.113.7, 1.1.1.1", "1.1.1.1"),  # what the caller wrote itself is not believed
        ("203.0.113.7, nonsense", "127.0.0.1"),
        ("203.0.113.7, 203.0.113.7:", "127.0.0.1"),
        ("203.0.113.7, 203.0.113.7:http", "127.0.0.1"),
        ("203.0.113.7, [203.0.113.7", "127.0.0.1"),
        ("203.0.113.7, [2001:db8::1]:443", "2001:db8::1"),
        ("203.0.113.7, 2001:db8::1", "2001:db8::1"),
        ("", "127.0.0.1"),
    ):
        answer = await call(forwarded)
        assert answer.code == "address_not_allowed"
        assert address in answer.json["error"]["message"]


async def test_a_fault_of_ours_says_nothing_but_its_id(caller: Caller, desk: Desk) -> None:
    await desk[0].system.store.execute("UPDATE app SET secrets_sealed = '\\x00'")
    with capture_logs() as logs:
        answer = await caller.call("GET", "/v1/balance")
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.json["error"]["request_id"] == answer.headers["Paydesk-Request-Id"]
    assert "sealed" not in str(answer.json)
    told = [log["event"] for log in logs if log["log_level"] == "error"]
    assert told.count("request failed") == 1
    assert set(told) == {"request failed", "reference data not read"}


class Line:
    """A socket that leads to the real database until it is cut, or says nothing any more."""

    def __init__(self, folder: Path, real: str) -> None:
        self._path = folder / ".s.PGSQL.5432"
        self._real = real
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._join, self._path)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        self._path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Whoever asks hears nothing, as from a database that hangs."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._real)
        self._writers += [writer, there_writer]
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                await self._flows.wait()
                writer.write(part)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def led(
    servers: Servers, database: str, supplier: dict[str, str]
) -> AsyncIterator[tuple[Line, Desk]]:
    """A desk whose database is at the end of a line."""
    dsn = servers.desk_dsn(database)
    folder = parse_qs(urlsplit(dsn).query)["host"][0]
    with TemporaryDirectory(prefix="paydesk-line-") as place:
        line = Line(Path(place), f"{folder}/.s.PGSQL.5432")
        await line.start()
        through = dsn.replace(quote(folder, safe=""), place).replace(folder, place)
        async with serving(through, servers.valkey_url, supplier) as desk:
            yield line, desk
            line.thaw()
            await line.cut()


async def test_without_its_database_the_desk_asks_for_patience(
    servers: Servers, database: str, supplier: dict[str, str], http: ClientSession
) -> None:
    async with led(servers, database, supplier) as (line, desk):
        caller = await server_of("M1001", desk, http)
        order = (await caller.create()).json
        await line.cut()
        answer = await caller.call("GET", "/v1/balance")
        assert (answer.status, answer.code) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        async with http.get(order["cashier_url"]) as response:
            assert response.status == 503
            assert "Please try again" in await response.text()
        async with http.post(f"{desk[1]}/callbacks/{order['order_no']}") as response:
            assert response.status == 503
        await line.start()
        assert (await caller.call("GET", "/v1/balance")).status == 200


async def test_a_database_that_hangs_is_told_within_five_seconds(
    servers: Servers, database: str, supplier: dict[str, str], http: ClientSession
) -> None:
    """Some waited for 41 s: for a statement of the ORM, and for the connection behind it."""
    async with led(servers, database, supplier) as (line, desk):
        caller = await server_of("M1001", desk, http)
        made = (await caller.create()).json
        # As many connections as there are, each used.
        await asyncio.gather(*(caller.call("GET", "/v1/balance") for _ in range(8)))

        async def status(method: str, url: str) -> int:
            async with http.request(method, url) as response:
                assert response.headers["Retry-After"]
                return response.status

        async def asked(number: str) -> list[int]:
            answers = await asyncio.gather(
                caller.call("GET", "/v1/balance"),
                caller.call("GET", "/v1/products"),
                caller.call("GET", f"/v1/orders/{made['order_no']}"),
                caller.create(merchant_order_no=number),
            )
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
            return [answer.status for answer in answers]

        line.freeze()
        for number in ("S-2", "S-3"):
            began = time.monotonic()
            with capture_logs() as logs:
                api, page, ready = await asyncio.gather(
                    asked(number),
                    status("GET", made["cashier_url"]),
                    desk[0].reports.instance.beat(),
                )
            assert [log["status"] for log in logs if log["event"] == "request"] == [503] * 5
            assert {*api, page} == {503}
            assert not ready.writes
            assert time.monotonic() - began < PATIENCE_S + 0.5
        line.thaw()
        assert (await caller.create(merchant_order_no="S-3")).status == 201
        assert (await desk[0].reports.instance.beat()).writes


async def test_a_database_that_only_reads_is_told_as_well(
    servers: Servers, database: str, caller: Caller, desk: Desk
) -> None:
    assert (await caller.create()).status == 201
    read_only = f"ALTER DATABASE {database} SET default_transaction_read_only"
    async with owner(servers, database) as connection:
        for setting, status in (("on", 503), ("off", 201)):
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(f"{read_only} = {setting}")
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
                " WHERE datname = $1 AND usename = 'paydesk_desk'",
                database,
            )
            answers = [await caller.create(merchant_order_no=f"R-{n}") for n in range(3)]
            assert answers[-1].status == status
            assert {answer.status for answer in answers} <= {status, 503}
            if status == 503:
                assert answers[-1].code == "unavailable"
                assert (await caller.call("GET", "/v1/balance")).status == 200, "it reads"
                assert not (await desk[0].reports.instance.beat()).writes
    assert (await desk[0].reports.instance.beat()).writes


async def test_one_line_per_request_without_its_query(caller: Caller) -> None:
    with capture_logs() as logs:
        await caller.call("GET", "/v1/orders?merchant_order_no=S-1")
    lines = [log for log in logs if log["event"] == "request"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/v1/orders", 200)
    ]
    assert lines[0]["ms"] > 0


async def test_request_ids_are_ours(caller: Caller) -> None:
    answers = []
    for _ in range(2):
        headers = caller.headers("GET", "/v1/balance", "", datetime.now(UTC))
        headers["Paydesk-Request-Id"] = "mine"
        answers.append(await caller.send("GET", "/v1/balance", b"", headers))
    given = {answer.headers["Paydesk-Request-Id"] for answer in answers}
    assert len(given) == 2
    assert "mine" not in given


def test_every_refusal_has_a_status() -> None:
    assert all(400 <= status_of(code) < 600 for code in REFUSALS)


async def test_a_redis_that_hangs_holds_up_no_order(
    servers: Servers, database: str, supplier: dict[str, str], http: ClientSession, tmp_path: Path
) -> None:
    """With limits of the day, which are counted there as well."""
    async with (
        own_valkey(tmp_path) as valkey,
        serving(servers.desk_dsn(database), valkey.url, supplier) as desk,
    ):
        await desk[0].system.store.execute("UPDATE channel SET day_limit_count = 1000")
        caller = await server_of("M1001", desk, http)
        assert (await caller.create()).status == 201
        valkey.freeze()
        took_s = []
        for number in range(5):
            began = time.monotonic()
            answer = await caller.create(merchant_order_no=f"H-{number}")
            took_s.append(time.monotonic() - began)
            assert answer.status == 201
        # Each waited for two seconds, several times over.
        assert sorted(took_s)[2] < 1.0, took_s
        used = await desk[0].supply.routing.used([await desk[0].supply.channels.by_no("C01")])
        assert used["C01"].count == 6, "what is counted stays right"
