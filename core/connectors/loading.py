"""From a document's text to a checked Document: one pass, every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from core.connectors.document import (
    Answers,
    CallbackRule,
    Document,
    Operation,
    Pairs,
    Path,
    Reads,
    SignRule,
    Value,
)
from core.connectors.fixtures import read_fixtures
from core.connectors.section import FIELD, PATH, Faults, Section, nearest
from core.connectors.tree import parse, shorten
from core.connectors.types import CallbackState, PayKind, Reply
from core.connectors.values import FACTS

OPERATIONS: Final = ("create", "query", "close")
_TOP: Final = (
    "connector", "name", "sandbox_only", "create_is_idempotent", "not_found_is_final",
    "credentials", "hosts", "amounts", "times", "zone", "body", "sign", "fields", "reads",
    "must_equal", "states", "answers", *OPERATIONS, "callback", "fixtures",
)  # fmt: skip
_READS: Final = ("attempt_no", "upstream_no", "state", "amount", "paid")
_STATES: Final[tuple[CallbackState, ...]] = ("paid", "pending", "failed", "closed")
_PAYS: Final[tuple[PayKind, ...]] = ("url", "qr", "app", "jsapi")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_URL_PATH: Final = re.compile(r"/[A-Za-z0-9/_.\-~]{0,200}", re.ASCII)
_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.\-]{0,250}[a-z0-9])?", re.ASCII)
_CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+\-]+(?:; ?charset=[a-zA-Z0-9\-]+)?", re.ASCII)
_CODE_WORDS: Final = "a small letter, then small letters, digits or _ (2 to 32)"
_PATH_WORDS: Final = "a field's name, or names joined by dots"


def load_document(text: str) -> Document:
    """Raises DocumentFaults."""
    faults = Faults()
    root = Section(parse(text), "", faults, _TOP)
    document = _Loading(root).document()
    faults.raise_any()
    return document


class _Loading:
    """One document being read; holds what several sections need to know of each other."""

    def __init__(self, root: Section) -> None:
        self._root = root
        self._credentials = self._credential_names()
        self._sign = self._read_sign()
        self._shared_reads = root.table("reads", _READS)
        answers = root.table("answers", ("signed", "ok", "code", "message", "refused", "not_found"))
        self._signed = answers.flag("signed", default=True)
        self._answers = self._read_answers(answers)
        self._states = self._read_states()

    def document(self) -> Document:
        root = self._root
        operations = {name: self._operation(name) for name in OPERATIONS if name in root}
        if "create" not in operations:
            root.fault("create", "nothing", "the operation `create` (required)")
        callback = self._callback() if "callback" in root else None
        offered = (*operations, "callback") if callback else tuple(operations)
        fixtures = root.table("fixtures", ("credentials", "attempt", "now", "nonce", "cases"))
        return Document(
            code=root.matching("connector", _CODE, _CODE_WORDS),
            name=root.text("name"),
            sandbox_only=root.flag("sandbox_only"),
            create_is_idempotent=root.flag("create_is_idempotent"),
            not_found_is_final=root.flag("not_found_is_final"),
            credentials=("base_url", *self._credentials),
            hosts=self._hosts(),
            amounts=root.choice("amounts", ("decimal", "minor"), "decimal"),
            times=root.choice(
                "times", ("unix_s", "unix_ms", "yyyyMMddHHmmss", "yyyy-MM-dd HH:mm:ss"), "unix_s"
            ),
            zone=self._zone(),
            body=root.choice("body", ("form", "json"), "form"),
            sign=self._sign,
            must_equal=self._must_equal(),
            states=self._states,
            answers=self._answers,
            operations=operations,
            callback=callback,
            fixtures=read_fixtures(fixtures, offered),
        )

    def _credential_names(self) -> tuple[str, ...]:
        names = self._root.words("credentials")
        for name in names:
            if not _CODE.fullmatch(name):
                self._root.fault("credentials", f"“{shorten(name)}”", _CODE_WORDS)
            elif name in FACTS or name == "base_url":
                self._root.fault("credentials", f"“{name}”", "a name that is not ours already")
        return names

    def _hosts(self) -> tuple[str, ...]:
        hosts = self._root.words("hosts")
        for host in hosts:
            if not _HOST.fullmatch(host):
                self._root.fault(
                    "hosts", f"“{shorten(host)}”", "a host like pay.example.com or *.example.com"
                )
        return hosts

    def _zone(self) -> str:
        zone = self._root.text("zone", "Asia/Shanghai")
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError):
            self._root.fault("zone", f"“{shorten(zone)}”", "an IANA zone like Asia/Shanghai")
        return zone

    def _read_sign(self) -> SignRule:
        section = self._root.table("sign", ("key", "join", "digest", "case", "field", "unsigned"))
        key = self._value(section, "key", section.text("key", "$key"), facts=False)
        if key.ref is None:
            section.fault("key", "a key in the document", "a credential, like $key")
        return SignRule(
            key=key.ref or "",
            join=section.text("join", "&key="),
            digest=section.choice("digest", ("md5", "sha256"), "md5"),
            case=section.choice("case", ("upper", "lower"), "upper"),
            field=section.matching("field", FIELD, "a field's name", "sign"),
            unsigned=frozenset(section.words("unsigned")),
        )

    def _read_states(self) -> dict[str, CallbackState]:
        section = self._root.table("states", None)
        if "" in section:
            section.fault("", "an empty word", "a word: an absent state must mean nothing")
        return section.each(lambda table, word: table.choice(word, _STATES, "pending"))

    def _read_answers(self, section: Section) -> Answers:
        ok = section.table("ok", None)
        if not list(ok):
            section.fault("ok", "nothing", "what a good answer says, like { code: 0 } (required)")
        refused = frozenset(section.words("refused"))
        not_found = frozenset(section.words("not_found"))
        answers = Answers(
            signed=self._signed,
            ok=tuple((self._path_of(ok, name), ok.text(name)) for name in ok),
            code=_dotted(section.matching("code", PATH, _PATH_WORDS, "code")),
            message=self._path(section, "message"),
            refused=refused,
            not_found=not_found,
        )
        good = {value for path, value in answers.ok if path == answers.code}
        for key, codes in (("refused", refused), ("not_found", not_found)):
            for code in sorted(codes & (good | (refused if key == "not_found" else set()))):
                section.fault(key, f"“{shorten(code)}”", "a code that means nothing else")
        return answers

    def _must_equal(self) -> tuple[tuple[Path, Value], ...]:
        section = self._root.table("must_equal", None)
        return tuple(
            (
                self._path_of(section, name),
                self._value(section, name, section.text(name), facts=False),
            )
            for name in section
        )

    def _reads(self, section: Section, needed: Sequence[str]) -> Reads:
        """The document's `reads`, with what this operation reads elsewhere."""
        own = section.table("reads", _READS)
        paths: dict[str, Path | None] = {}
        for key in _READS:
            source = own if key in own else self._shared_reads
            paths[key] = self._path(source, key)
            if paths[key] is None and key in needed and key not in source:
                section.fault("reads", f"no `{key}`", f"where `{key}` is found (here or above)")
        return Reads(paths["attempt_no"] or (), *(paths[key] for key in _READS[1:]))

    def _operation(self, name: str) -> Operation:
        legal = ("method", "path", "fields", "reads")
        section = self._root.table(name, (*legal, "pay") if name == "create" else legal)
        needed = ["attempt_no"]
        if name != "create":
            needed += self._state_needs()
        return Operation(
            method=section.choice("method", ("POST", "GET"), "POST"),
            path=section.matching("path", _URL_PATH, "a path like /pay/create"),
            fields=self._fields(section),
            reads=self._reads(section, needed),
            pay=self._pay(section) if name == "create" else (),
        )

    def _state_needs(self) -> list[str]:
        if not self._states:
            self._root.fault(
                "states", "nothing", "what the supplier's words mean, like { SUCCESS: paid }"
            )
        return ["state", *(["paid", "upstream_no"] if "paid" in self._states.values() else [])]

    def _pay(self, section: Section) -> tuple[tuple[PayKind, Path], ...]:
        pay = section.table("pay", _PAYS)
        found = tuple(
            (kind, self._path_of(pay, key, pay.text(key)))
            for key in pay
            for kind in _PAYS
            if kind == key
        )
        if not found:
            section.fault("pay", "nothing", "where to pay, like { url: pay_url } (required)")
        return found

    def _fields(self, section: Section) -> Pairs:
        """The document's fields, then the operation's; one that comes again is replaced."""
        fields: dict[str, Value] = {}
        for table in (self._root.table("fields", None), section.table("fields", None)):
            for name in table:
                if not FIELD.fullmatch(name):
                    table.fault(name, "no field's name", "letters, digits, _ . - [ ]")
                fields[name] = self._value(table, name, table.text(name))
        return tuple(fields.items())

    def _callback(self) -> CallbackRule:
        section = self._root.table("callback", ("from", "reads", "success", "failure"))
        reads = self._reads(section, ["attempt_no", "upstream_no", *self._state_needs()])
        paths = (reads.attempt_no, reads.upstream_no, reads.state, reads.amount, reads.paid)
        for path in (*paths, *(path for path, _ in self._must_equal())):
            self._refuse_unsigned(section, "reads", path or ())
        return CallbackRule(
            source=section.choice("from", ("form", "json", "query"), "form"),
            reads=reads,
            success=_reply(section, "success", 200),
            failure=_reply(section, "failure", 400),
        )

    def _value(self, section: Section, key: str, text: str, *, facts: bool = True) -> Value:
        """`$name` is a fact or a credential, `$$` begins a text with a dollar sign."""
        if text.startswith("$$") or not text.startswith("$"):
            return Value(None, text.removeprefix("$") if text.startswith("$$") else text)
        name = text[1:]
        legal = ("base_url", *self._credentials, *(FACTS if facts else ()))
        if name not in legal:
            section.fault(key, f"“{shorten(text)}”", nearest(name, legal))
        return Value(name)

    def _path(self, section: Section, key: str) -> Path | None:
        if key not in section:
            return None
        return self._path_of(section, key, section.matching(key, PATH, _PATH_WORDS))

    def _path_of(self, section: Section, key: str, text: str | None = None) -> Path:
        """A path that is a table's name, or one of its values."""
        path = key if text is None else text
        if path and not PATH.fullmatch(path):
            section.fault(key, f"“{shorten(path)}”", _PATH_WORDS)
        if self._signed:
            self._refuse_unsigned(section, key, _dotted(path))
        return _dotted(path)

    def _refuse_unsigned(self, section: Section, key: str, path: Path) -> None:
        """What is not signed may decide nothing: nested fields, and those left out by name."""
        if len(path) > 1:
            section.fault(key, f"“{'.'.join(path)}”", "a field at the root: others are not signed")
        elif path and path[0] in (self._sign.field, *self._sign.unsigned):
            section.fault(key, f"“{path[0]}”", "a field that is signed")


def _dotted(text: str) -> Path:
    return tuple(text.split("."))


def _reply(section: Section, key: str, status: int) -> Reply:
    """`success: OK`, or a table where status or content type are not the usual ones."""
    kind = "text/plain"
    if section.is_table(key):
        table = section.table(key, ("status", "type", "body"))
        status = table.number("status", status, 200, 599)
        kind = table.matching("type", _CONTENT_TYPE, "a content type like text/plain", kind)
        body = table.text("body", "")
    else:
        body = section.text(key)
    return Reply(status, kind, body.encode())
