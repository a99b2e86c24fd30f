"""From a document's text to a checked Document: one pass, every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from core.connectors.document import (
    AmountForm,
    Answers,
    CallbackRule,
    Document,
    Envelope,
    Fields,
    Holds,
    Method,
    Operation,
    Order,
    Params,
    Reads,
    Sign,
)
from core.connectors.fixtures import read_fixtures
from core.connectors.messages import BodyForm, Path
from core.connectors.pipes import Vocabulary, Words
from core.connectors.section import FIELD, PATH, Faults, Section
from core.connectors.tree import parse, shorten
from core.connectors.types import CallbackState, PayKind, Reply
from core.connectors.wording import FACTS, Wording

LANGUAGE: Final = 1
OPERATIONS: Final = ("create", "query", "close")
SHARED: Final = ("body", "headers", "fields", "sign", "verify", "reads", "states", "answers")
TOP: Final = (
    "connector", "language", "name", "sandbox_only", "create_is_idempotent",
    "not_found_is_final", "credentials", "hosts", "amounts", "tables", "values", "must_equal",
    *SHARED, *OPERATIONS, "callback", "fixtures",
)  # fmt: skip
OPERATION: Final = ("method", "path", "within", *SHARED)
CALLBACK: Final = ("from", "verify", "open", "reads", "states", "success", "failure")
READS: Final = ("attempt_no", "upstream_no", "state", "amount", "paid", "currency")
ANSWERS: Final = (
    "from", "signed", "ok", "statuses", "code", "message", "refused", "refused_statuses",
    "not_found", "not_found_statuses", "faults",
)  # fmt: skip
SIGN: Final = ("text", "params", "steps", "field")
VERIFY: Final = ("text", "params", "steps", "from")
PARAMS: Final = ("order", "without", "empty", "write", "url", "join", "nested")
METHODS: Final[tuple[Method, ...]] = ("POST", "GET", "PUT", "DELETE")
ORDERS: Final[tuple[Order, ...]] = ("name", "caseless", "written")
STATES: Final[tuple[CallbackState, ...]] = ("paid", "pending", "failed", "closed")
PAYS: Final[tuple[PayKind, ...]] = ("url", "qr", "app", "jsapi")
BODIES: Final[tuple[BodyForm, ...]] = ("form", "json", "xml", "query")
_ROOTS: Final = ("body", "header", "query")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.\-]{0,250}[a-z0-9])?", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9\-]{0,63}", re.ASCII)
_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+\-]+(?:; ?charset=[a-zA-Z0-9\-]+)?", re.ASCII)
_CODE_WORDS: Final = "a small letter, then small letters, digits or _ (2 to 32)"
_PATH_WORDS: Final = "a field's name, or names joined by dots"


def load_document(text: str) -> Document:
    """Raises DocumentFaults."""
    faults = Faults()
    root = Section(parse(text), "", faults, TOP)
    document = _Loading(root).document()
    faults.raise_any()
    return document


class _Loading:
    """One document being read. What stands above the operations counts for all of them; one that
    says the same thing itself says it for itself alone."""

    def __init__(self, root: Section) -> None:
        self._root = root
        root.number("language", LANGUAGE, LANGUAGE, LANGUAGE)
        self._credentials = self._credential_names()
        self._amounts: AmountForm = root.choice("amounts", ("decimal", "minor"), "decimal")
        self._wording = Wording(root, self._credentials, self._amounts)
        self._must_equal = self._read_must_equal()

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
            amounts=self._amounts,
            values=self._wording.values,
            must_equal=self._must_equal,
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

    def _read_must_equal(self) -> tuple[tuple[Path, Words], ...]:
        section = self._root.table("must_equal", None)
        constant = self._wording.constant
        return tuple(
            (
                _dotted(section, name),
                self._wording.words(section, name, section.text(name), constant),
            )
            for name in section
        )

    # ── operations ───────────────────────────────────────────────────────────────────────────────
    def _operation(self, name: str) -> Operation:
        own = {"create": ("pay",), "close": ("gives",)}
        legal = (*OPERATION, *own.get(name, ()))
        section = self._root.table(name, legal)
        method = section.choice("method", METHODS, "POST")
        body: BodyForm = "query" if method == "GET" else self._body(section)
        sign = self._sign(section)
        within = section.matching("within", PATH, _PATH_WORDS, "")
        self._within: Path = tuple(within.split(".")) if within else ()
        answers = self._answers(section)
        states = self._states(section)
        gives: CallbackState | None = (
            section.choice("gives", STATES, "closed") if "gives" in section else None
        )
        if gives is not None:
            needed: list[str] = []
        else:
            needed = ["attempt_no"] if name == "create" else self._needed(section, states)
        return Operation(
            method=method,
            path=self._path_of_call(section),
            body=body,
            root=self._xml_root(section),
            headers=self._headers(section, sign),
            fields=self._fields(section),
            sign=sign,
            answers=answers,
            reads=self._reads(section, needed, answers.verify),
            states=states,
            pay=self._pay(section, answers.verify) if name == "create" else (),
            gives=gives,
            within=self._within,
        )

    def _path_of_call(self, section: Section) -> Words:
        text = section.text("path", expected="a path like /pay/create")
        if text and (not text.startswith("/") or any(c in text for c in " ?#\\")):
            section.fault("path", f"“{shorten(text)}”", "a path like /pay/create")
        return self._wording.words(section, "path", text, self._wording.asked)

    def _body(self, section: Section) -> BodyForm:
        place = section if "body" in section else self._root
        if place.is_table("body"):
            place.table("body", ("xml",))
            return "xml"
        return place.choice("body", BODIES, "form")

    def _xml_root(self, section: Section) -> str:
        place = section if "body" in section else self._root
        if place.is_table("body"):
            return place.table("body", ("xml",)).matching("xml", FIELD, "the root's name", "xml")
        return "xml"

    def _headers(self, section: Section, sign: Sign | None) -> dict[str, Words]:
        vocabulary = self._wording.asked if sign is None else self._wording.heading
        headers: dict[str, Words] = {}
        for table in (self._root.table("headers", None), section.table("headers", None)):
            for name in table:
                if not _HEADER.fullmatch(name):
                    table.fault(name, "no header's name", "letters, digits and -")
                text = table.text(name)
                headers[name] = self._wording.words(table, name, text, vocabulary)
        return headers

    def _fields(self, section: Section) -> Fields:
        """The document's fields, then the operation's; one that comes again is replaced."""
        return {
            **self._wording.fields(self._root.table("fields", None)),
            **self._wording.fields(section.table("fields", None)),
        }

    def _pay(self, section: Section, verify: Sign | None) -> tuple[tuple[PayKind, Path], ...]:
        pay = section.table("pay", PAYS)
        found = tuple(
            (kind, self._trusted(pay, key, pay.text(key), verify))
            for key in pay
            for kind in PAYS
            if kind == key
        )
        if not found:
            section.fault("pay", "nothing", "where to pay, like { url: pay_url } (required)")
        return found

    # ── signatures ───────────────────────────────────────────────────────────────────────────────
    def _sign(self, section: Section) -> Sign | None:
        place = section if "sign" in section else self._root
        if place.text_is("sign", "none"):
            return None
        rule = place.table("sign", SIGN)
        self._need_key(rule, "sign")
        own = rule.text("field", "sign")
        return self._rule(rule, self._wording.signing, None if own == "none" else own, None)

    def _verify(self, section: Section) -> Sign:
        """`verify`, where it is said; what it does not say is as in `sign`."""
        place = section if "verify" in section else self._root
        unsigned = self._root.text_is("sign", "none")
        rule = place.table("verify", VERIFY)
        ours = self._root.table("" if unsigned else "sign", SIGN)
        where = rule.text("from", ours.text("field", "sign"))
        own = None
        if not where.startswith("$"):
            in_place = where.partition(".")[0] in _ROOTS and "." in where
            own = None if in_place else where
            where = f"${where}" if in_place else f"$body.{where}"
        came = self._wording.words(rule, "from", where, self._wording.incoming)
        sign = self._rule(rule, self._wording.incoming, own, came, ours)
        if "steps" not in rule and any(step.operator.proves for step in sign.steps):
            place.fault(
                "verify", "no steps", "whose key proves it, like rsa-sha256 $supplier_key | base64"
            )
        return sign

    def _need_key(self, rule: Section, where: str) -> None:
        if "text" not in rule and "key" not in self._credentials:
            self._root.fault(where, "no text", "a credential named key, or what is signed")

    def _rule(
        self,
        rule: Section,
        vocabulary: Vocabulary,
        own: str | None,
        came: Words | None,
        other: Section | None = None,
    ) -> Sign:
        def said(key: str, usual: str) -> tuple[Section, str]:
            source = other if other is not None and key not in rule else rule
            return source, source.text(key, usual)

        text_from, text = said("text", "${params}&key=${key}")
        steps_from, steps = said("steps", "md5 | hex | upper")
        params = rule if "params" in rule or other is None else other
        words = self._wording.words(text_from, "text", text, vocabulary)
        return Sign(
            text=words,
            params=self._params(params.table("params", PARAMS)),
            steps=self._wording.steps(steps_from, "steps", steps, vocabulary),
            own=own,
            came=came,
            names=words.names,
        )

    def _params(self, section: Section) -> Params:
        usual = Params()
        return Params(
            order=section.words("order")
            if section.is_list("order")
            else section.choice("order", ORDERS, "name"),
            without=frozenset(section.words("without")),
            empty=section.choice("empty", ("drop", "keep"), usual.empty),
            write=section.choice("write", ("pair", "value", "quoted"), usual.write),
            url=section.flag("url"),
            join=section.text("join", usual.join),
            nested=section.choice("nested", ("skip", "json", "flat"), usual.nested),
        )

    # ── what comes in ────────────────────────────────────────────────────────────────────────────
    def _answers(self, section: Section) -> Answers:
        place = section if "answers" in section else self._root
        rule = place.table("answers", ANSWERS)
        verify = self._verify(section) if rule.flag("signed", default=True) else None
        ok = rule.table("ok", None)
        if not list(ok) and "statuses" not in rule:
            rule.fault("ok", "nothing", "what a good answer says, like { code: 0 } (required)")
        answers = Answers(
            form=rule.choice("from", BODIES, "json"),
            verify=verify,
            ok=tuple(self._holds(ok, name, verify) for name in ok),
            statuses=self._statuses(rule, "statuses") or frozenset(range(200, 300)),
            code=self._path(rule, "code", verify, "code"),
            message=self._path(rule, "message", None),
            refused=frozenset(rule.words("refused")),
            refused_statuses=self._statuses(rule, "refused_statuses"),
            not_found=frozenset(rule.words("not_found")),
            not_found_statuses=self._statuses(rule, "not_found_statuses"),
            faults=self._statuses(rule, "faults"),
        )
        self._need_apart(rule, answers)
        return answers

    def _need_apart(self, rule: Section, answers: Answers) -> None:
        """No code means two things."""
        good = {word for held in answers.ok if held.path == answers.code for word in held.words}
        for key, codes in (("refused", answers.refused), ("not_found", answers.not_found)):
            others = good | (answers.refused if key == "not_found" else frozenset())
            for code in sorted(codes & others):
                rule.fault(key, f"“{shorten(code)}”", "a code that means nothing else")

    def _holds(self, section: Section, name: str, verify: Sign | None) -> Holds:
        path = self._trusted(section, name, name, verify)
        if section.is_list(name):
            return Holds(path, frozenset(section.words(name)))
        text = section.text(name)
        return Holds(path, frozenset() if text == "*" else frozenset((text,)))

    def _statuses(self, section: Section, key: str) -> frozenset[int]:
        found = set()
        for word in section.words(key):
            if not (word.isascii() and word.isdigit() and 100 <= int(word[:4]) <= 599):
                section.fault(key, f"“{shorten(word)}”", "an HTTP status from 100 to 599")
            else:
                found.add(int(word))
        return frozenset(found)

    def _states(self, section: Section) -> Mapping[str, CallbackState]:
        place = section if "states" in section else self._root
        table = place.table("states", None)
        if "" in table:
            table.fault("", "an empty word", "a word: an absent state must mean nothing")
        return table.each(lambda states, word: states.choice(word, STATES, "pending"))

    def _needed(self, section: Section, states: Mapping[str, CallbackState]) -> list[str]:
        if not states:
            section.fault(
                "states", "nothing", "what the supplier's words mean, like { SUCCESS: paid }"
            )
        return [
            "attempt_no",
            "state",
            *(["paid", "upstream_no"] if "paid" in states.values() else []),
        ]

    def _reads(self, section: Section, needed: Sequence[str], verify: Sign | None) -> Reads:
        """The document's `reads`, with what this operation reads elsewhere."""
        own, shared = section.table("reads", READS), self._root.table("reads", READS)
        paths: dict[str, Path | None] = {}
        for key in READS:
            source = own if key in own else shared
            if own.text_is(key, "none") and needed == ["attempt_no"]:
                paths[key] = None
                continue
            paths[key] = self._path(source, key, verify)
            if paths[key] is None and key in needed and key not in source:
                section.fault("reads", f"no `{key}`", f"where `{key}` is found (here or above)")
        return Reads(**paths)

    def _callback(self) -> CallbackRule:
        section = self._root.table("callback", CALLBACK)
        self._within = ()
        verify = self._verify(section)
        states = self._states(section)
        envelope = self._envelope(section, verify)
        trusted = None if envelope is not None else verify
        needed = [*self._needed(section, states), "upstream_no"]
        for path, _ in self._must_equal:
            if trusted is not None:
                self._need_signed(section, "verify", path, trusted)
        return CallbackRule(
            source=section.choice("from", BODIES, "form"),
            verify=verify,
            envelope=envelope,
            reads=self._reads(section, needed, trusted),
            states=states,
            success=_reply(section, "success", 200),
            failure=_reply(section, "failure", 400),
        )

    def _envelope(self, section: Section, verify: Sign) -> Envelope | None:
        if "open" not in section:
            return None
        rule = section.table("open", ("text", "as"))
        opened = self._wording.words(rule, "text", rule.text("text"), self._wording.incoming)
        for name in sorted(opened.names):  # not every cipher proves what it opens
            root, _, path = name.partition(".")
            if root == "body" and path:
                self._need_signed(rule, "text", tuple(path.split(".")), verify)
        return Envelope(opened, rule.choice("as", BODIES, "json"))

    def _path(
        self, section: Section, key: str, verify: Sign | None, usual: str | None = None
    ) -> Path | None:
        if key not in section and usual is None:
            return None
        return self._trusted(section, key, section.matching(key, PATH, _PATH_WORDS, usual), verify)

    def _trusted(self, section: Section, key: str, text: str, verify: Sign | None) -> Path:
        """A path that decides something: it must be signed where messages are."""
        path = _dotted(section, text.removeprefix("."), key)
        if not text.startswith("."):
            path = (*self._within, *path)
        if verify is not None:
            self._need_signed(section, key, path, verify)
        return path

    def _need_signed(self, section: Section, key: str, path: Path, verify: Sign) -> None:
        names = verify.names
        if "content" in names and path[: len(self._within)] == self._within:
            return
        if "body" in names or f"body.{'.'.join(path)}" in names or not path:
            return
        params = verify.params
        if "params" not in names or path[0] == verify.own or path[0] in params.without:
            section.fault(key, f"“{'.'.join(path)}”", "a field that is signed")
        elif len(path) > 1 and params.nested == "skip":
            section.fault(key, f"“{'.'.join(path)}”", "a field at the root: others are not signed")
        elif isinstance(params.order, tuple) and path[0] not in params.order:
            section.fault(key, f"“{path[0]}”", f"one of what is signed: {', '.join(params.order)}")


def _dotted(section: Section, text: str, key: str | None = None) -> Path:
    if text and not PATH.fullmatch(text):
        section.fault(key or text, f"“{shorten(text)}”", _PATH_WORDS)
    return tuple(text.split("."))


def _reply(section: Section, key: str, status: int) -> Reply:
    """`success: OK`, or a table where status or content type are not the usual ones."""
    kind = "text/plain"
    if section.is_table(key):
        table = section.table(key, ("status", "type", "body"))
        status = table.number("status", status, 200, 599)
        kind = table.matching("type", _TYPE, "a content type like text/plain", kind)
        body = table.text("body", "")
    else:
        body = section.text(key)
    return Reply(status, kind, body.encode())
