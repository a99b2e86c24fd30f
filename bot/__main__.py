"""`python -m bot`: run · demo · migrate · doctor · verify-books · connector."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
import uvloop

from bot import connector_command
from bot.demo import DemoRefused, default_home, run_demo
from bot.embedded import EmbeddedError, HomeInUse
from bot.neighbours import NeighbourFailed
from bot.process import PortTaken
from core.kernel.errors import WrongDatabase
from core.system.settings import Settings, SettingsError, load_settings

EXIT_REFUSED: Final = 2
EXIT_HOME_IN_USE: Final = 3
EXIT_INTERRUPTED: Final = 130


def main(words: Sequence[str] | None = None) -> int:
    """Parse the command line, run, and turn expected failures into a sentence and a code."""
    options = _parser().parse_args(words)
    # Whatever a desk and its servers write is for nobody else on this machine.
    os.umask(0o077)
    if options.command == "connector":
        return connector_command.run(options)
    try:
        return uvloop.run(_run(options))
    except HomeInUse as error:
        return _fail(str(error), EXIT_HOME_IN_USE)
    except (
        DemoRefused,
        EmbeddedError,
        NeighbourFailed,
        PortTaken,
        SettingsError,
        WrongDatabase,
        ConnectionError,
    ) as error:
        return _fail(str(error), EXIT_REFUSED)
    except asyncpg.UndefinedTableError:
        return _fail("the database has no tables yet: run python -m bot migrate", EXIT_REFUSED)
    except asyncpg.InsufficientPrivilegeError as error:
        return _fail(f"the database does not allow it: {error}", EXIT_REFUSED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


async def _run(options: argparse.Namespace) -> int:
    if options.command == "demo":
        home = options.home or default_home()
        await run_demo(
            home,
            port=options.port,
            fresh=options.fresh,
            ready_file=options.ready_file,
            empty=options.empty,
        )
        return 0
    # The desk's own modules take a while to import; a demo does that beside other work.
    from bot import inspection, production

    settings = _settings(options)
    match options.command:
        case "run":
            await production.run_production(settings)
            return 0
        case "front":
            await production.run_front(settings, options.place)
            return 0
        case "migrate":
            return await inspection.migrate_production(settings)
        case "doctor":
            return await inspection.doctor(settings)
        case _:
            return await inspection.verify_books(settings, whole=options.all)


def _settings(options: argparse.Namespace) -> Settings:
    said = {"paydesk_home": options.home, "workers": getattr(options, "workers", None)}
    return load_settings(**{name: value for name, value in said.items() if value is not None})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Paydesk")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("run", "the production desk"),
        ("front", "one more process on a desk's port; `run` starts it"),
        ("demo", "the whole desk in a browser, with a sandbox around it"),
        ("migrate", "bring the production database up to date"),
        ("doctor", "say what answers and what to do; exit code 1 where there is something to do"),
        ("verify-books", "re-add the books; exit code 1 where they differ"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--home", type=Path, help="folder of the embedded servers' data")
        if name == "verify-books":
            command.add_argument(
                "--all", action="store_true", help="also all old days whose turn it is not"
            )
        if name == "front":
            command.add_argument("place", type=int, help="which of the further processes it is")
        if name == "run":
            command.add_argument(
                "--workers", type=int, help="processes that serve the port; default WORKERS, or 1"
            )
        if name == "demo":
            command.add_argument("--port", type=_port, default=8080, help="0 chooses a free one")
            command.add_argument("--fresh", action="store_true", help="forget the old demo first")
            command.add_argument(
                "--empty", action="store_true", help="a new desk without thirty days of a past"
            )
            command.add_argument(
                "--ready-file", type=Path, help="JSON with addresses and keys, once it is ready"
            )
    connector_command.add_to(commands)
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
