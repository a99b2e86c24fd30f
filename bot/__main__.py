"""`python -m bot`: run · demo · migrate · doctor · verify-books."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from bot.app import PortTaken
from bot.demo import DemoRefused, default_home, demo_master_key, run_demo
from bot.embedded import EmbeddedError, HomeInUse
from bot.neighbours import NeighbourFailed
from bot.production import Servers, run_production, servers_of
from core.runtime import Runtime, build
from core.settings import Settings, SettingsError, load_settings
from core.store import WrongKind, migrate

EXIT_DIFFERENCES: Final = 1
EXIT_REFUSED: Final = 2
EXIT_HOME_IN_USE: Final = 3


def main() -> int:
    """Parse the command line, run, and turn expected failures into a sentence and a code."""
    options = _parser().parse_args()
    try:
        return asyncio.run(_run(options))
    except HomeInUse as error:
        return _fail(str(error), EXIT_HOME_IN_USE)
    except (
        DemoRefused,
        EmbeddedError,
        NeighbourFailed,
        PortTaken,
        SettingsError,
        WrongKind,
        ConnectionError,
    ) as error:
        return _fail(str(error), EXIT_REFUSED)
    except asyncpg.UndefinedTableError:
        return _fail("the database has no tables yet: run python -m bot migrate", EXIT_REFUSED)
    except asyncpg.InsufficientPrivilegeError as error:
        return _fail(f"the database does not allow it: {error}", EXIT_REFUSED)
    except KeyboardInterrupt:
        return 130


async def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "demo":
            home = options.home or default_home()
            await run_demo(
                home, port=options.port, fresh=options.fresh, ready_file=options.ready_file
            )
            return 0
        case "run":
            await run_production(_settings(options))
            return 0
        case "migrate":
            return await _migrate(_settings(options))
        case "doctor":
            return await _doctor(_settings(options))
        case _:
            return await _verify_books(_settings(options))


def _settings(options: argparse.Namespace) -> Settings:
    given = {"paydesk_home": options.home} if options.home else {}
    return load_settings(**given)


async def _migrate(settings: Settings) -> int:
    async with servers_of(settings) as servers:
        await migrate(
            servers.owner_url or servers.database_url,
            kind="production",
            today=datetime.now(UTC).date(),
        )
    print("the database is up to date")
    return 0


async def _verify_books(settings: Settings) -> int:
    async with _business(settings) as runtime:
        differences = await runtime.verify.books()
    for difference in differences:
        print(f"DIFFERENCE  {difference}")
    print(
        f"verify-books: {len(differences)} difference(s)"
        if differences
        else "verify-books: no difference"
    )
    return EXIT_DIFFERENCES if differences else 0


async def _doctor(settings: Settings) -> int:
    """Says what is set and what answers, in words; secrets are never shown."""
    async with _business(settings) as runtime:
        rows = {
            "database": f"answers; marked {await runtime.store.kind()}",
            "redis": "answers" if await runtime.throttle.answers() else "DOES NOT ANSWER",
            "bot token": "set" if settings.bot_token else "not set",
            "public url": settings.public_url or "not set",
            "merchants": str(len(await runtime.merchants.everybody())),
            "suppliers": str(len(await runtime.channels.suppliers())),
            "updates that wait": str(await runtime.inbox.backlog()),
            "messages that wait": str(await runtime.outbox.backlog()),
        }
    for name, found in rows.items():
        print(f"{name:20} {found}")
    return 0


@asynccontextmanager
async def _business(settings: Settings) -> AsyncIterator[Runtime]:
    """The business without a server around it, on the settings' database or a home's."""
    async with servers_of(settings) as servers:
        runtime = await _build(settings, servers)
        try:
            yield runtime
        finally:
            await runtime.close()


async def _build(settings: Settings, servers: Servers) -> Runtime:
    kept = settings.master_key
    master_key = kept.get_secret_value() if kept else demo_master_key(settings.paydesk_home)
    if master_key is None:
        raise SettingsError("MASTER_KEY: is missing (expected: base64 of 32 bytes)")
    return await build(
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        master_key=master_key,
        public_url=settings.public_url or "http://127.0.0.1",
        allow_private_targets=False,
        pool_max=2,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Paydesk")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("run", "the production desk"),
        ("demo", "the whole desk in a browser, with a sandbox around it"),
        ("migrate", "bring the production database up to date"),
        ("doctor", "say what is set and what answers"),
        ("verify-books", "re-add the books; exit code 1 where they differ"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--home", type=Path, help="folder of the embedded servers' data")
        if name == "demo":
            command.add_argument("--port", type=_port, default=8080, help="0 chooses a free one")
            command.add_argument("--fresh", action="store_true", help="forget the old demo first")
            command.add_argument(
                "--ready-file", type=Path, help="JSON with addresses and keys, once it is ready"
            )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if port and not 1024 <= port <= 32_760:
        raise argparse.ArgumentTypeError("a port between 1024 and 32760, or 0 for a free one")
    return port


def _fail(message: str, code: int) -> int:
    print(f"paydesk: {message}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
