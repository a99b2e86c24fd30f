"""`python -m bot connector`: check, try out and explain a connector document. No desk is needed.

    check FILE                 every fault with its line, then the fixtures
    dry-run FILE OPERATION     the request as it would be sent, and what was signed
    dry-run FILE query --answer FILE
    dry-run FILE callback --callback FILE      how a message is read, step by step
    explain FILE               what it does, believes and promises, in words
    schema                     the JSON Schema for editors

A code of 0 means good, 1 that something is wrong with the document or with what was read, 2 that
the command could not be done at all.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.connector_words import explanation, read_lines, sent_lines
from core.connectors import Connector, DocumentFaults, DryRun, check, json_schema, load, tried_facts
from core.kernel.errors import Refusal

EXIT_WRONG: Final = 1
EXIT_MISUSED: Final = 2
MAX_FILE_BYTES: Final = 1024 * 1024


class Misused(Exception):
    """The command cannot be done as it was given; the text says why."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's words, for the parser."""
    what = "check, try out and explain a connector document"
    verbs = commands.add_parser("connector", help=what, description=what).add_subparsers(
        dest="verb", required=True
    )
    for verb, about in (
        ("check", "every fault with its line, then its fixtures"),
        ("dry-run", "a request as it would be sent, or how an answer or callback is read"),
        ("explain", "what a document does, believes and promises"),
    ):
        command = verbs.add_parser(verb, help=about, description=about)
        command.add_argument("file", type=Path, help="the document")
        if verb == "dry-run":
            _add_dry_run(command)
    about = "print the JSON Schema of documents, for editors"
    verbs.add_parser("schema", help=about, description=about)


def _add_dry_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("operation", help="create, query, …, or callback")
    command.add_argument("--way", help="the channel's code")
    command.add_argument("--amount", help="like 12.34")
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="any other fact, like attempt_no=B2A… or upstream_no=…; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--credentials", type=Path, help="JSON with real ones; else those of the fixtures"
    )
    command.add_argument("--at", help="the moment, or now; else that of the fixtures")
    came = command.add_mutually_exclusive_group()
    came.add_argument("--answer", type=Path, help="an answer: its body, or all of it (curl -i)")
    came.add_argument("--callback", type=Path, help="a callback: its body, or the whole request")
    command.add_argument("--address", default="", help="who calls back")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and say how it went, by a code."""
    try:
        match options.verb:
            case "schema":
                print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
                return 0
            case "check":
                return _check(options.file)
            case "explain":
                print(explanation(_loaded(options.file).explained()))
                return 0
            case _:
                return _dry_run(options)
    except DocumentFaults as error:
        for fault in error.faults:
            where = f"{options.file}:{fault.line}: {fault.path or 'document'}"
            print(f"{where}: {fault.found}; {fault.expected}")
        print(f"{_counted(len(error.faults), 'fault')}")
        return EXIT_WRONG
    except Misused as error:
        return _misused(str(error))
    except Refusal as refusal:
        return _misused(refusal.message)


def _check(path: Path) -> int:
    connector = _loaded(path)
    failures = check(connector)
    for failure in failures:
        print(f"{path}:{failure.line}: {failure.case}: {failure.why}")
    cases = len(connector.fixtures.cases)
    lacks_callback = "callback" not in connector.operations
    if lacks_callback:
        print(f"{path}:1: callback: nothing; without one no supplier of this kind goes live")
    if failures or lacks_callback:
        count = len(failures) + lacks_callback
        print(f"{_counted(count, 'failure')}; {_counted(cases, 'fixture')}")
        return EXIT_WRONG
    print(f"{connector.code}: good; {_counted(cases, 'fixture')}")
    return 0


def _dry_run(options: argparse.Namespace) -> int:
    connector = _loaded(options.file)
    tried = DryRun(
        connector,
        facts=tried_facts(connector, _facts(options)),
        credentials=_credentials(options.credentials) if options.credentials else None,
        now=_moment(options.at) if options.at else None,
    )
    if options.callback is not None:
        if options.operation != "callback":
            raise Misused("--callback goes with the operation callback")
        address = {"address": options.address} if options.address else {}
        read = tried.callback(_text(options.callback), **address)
    elif options.answer is not None:
        read = tried.answer(options.operation, _text(options.answer))
    else:
        if options.operation == "callback":
            raise Misused("callback needs --callback FILE: what the supplier sent")
        print(sent_lines(tried.request(options.operation)))
        return 0
    print(read_lines(read))
    return 0 if all(step.ok for step in read.steps) else EXIT_WRONG


def _facts(options: argparse.Namespace) -> Mapping[str, str]:
    given = {}
    for pair in options.set:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Misused(f"--set {pair}: write it like --set upstream_no=S2026")
        given[name.strip()] = value
    known = {"channel_code": options.way, "amount": options.amount}
    return given | {name: text for name, text in known.items() if text is not None}


def _credentials(path: Path) -> Mapping[str, str]:
    try:
        found = json.loads(_text(path))
    except ValueError as error:
        raise Misused(f"{path}: no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise Misused(f'{path}: one table of texts, like {{"base_url": "https://…", "key": "…"}}')
    return found


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Misused(f"--at {text}: now, or an instant like 2026-01-02T03:04:05Z")
    return moment


def _loaded(path: Path) -> Connector:
    return load(_text(path))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Misused(f"{path}: {error.strerror or error}") from None
    if len(content) > MAX_FILE_BYTES:
        raise Misused(f"{path}: larger than {MAX_FILE_BYTES // 1024} KB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Misused(f"{path}: not UTF-8") from None


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _misused(message: str) -> int:
    print(f"paydesk: {message}", file=sys.stderr)
    return EXIT_MISUSED
