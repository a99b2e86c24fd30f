"""Reading a document's values: names, texts and pipes, each fault with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from core.connectors.document import AmountForm, FieldTree, Packed
from core.connectors.operators import OPERATORS, Kind
from core.connectors.pipes import (
    Given,
    Pipe,
    PipeFault,
    Step,
    Vocabulary,
    Words,
    read_steps,
    read_words,
)
from core.connectors.section import Section

PACKED: Final = "$json"
# What a request may speak of; the engine knows each of them when it builds one.
FACTS: Final[Mapping[str, Kind]] = {
    "attempt_no": "text",
    "order_no": "text",
    "amount": "money",
    "currency": "text",
    "subject": "text",
    "merchant_name": "text",
    "channel_code": "text",
    "notify_url": "text",
    "return_url": "text",
    "client_ip": "text",
    "payer_id": "text",
    "created_at": "instant",
    "expires_at": "instant",
    "expires_in": "text",
    "now": "instant",
    "upstream_no": "text",
    "nonce": "text",
}
# What a request about a refund may speak of besides.
REFUND_FACTS: Final[Mapping[str, Kind]] = {
    "refund_no": "text",
    "refund_amount": "money",
    "refund_reason": "text",
    "refund_created_at": "instant",
    "upstream_refund_no": "text",
}
# What is known of a request that is about no attempt.
BARE_FACTS: Final[Mapping[str, Kind]] = {"now": "instant", "nonce": "text"}
# What a signature's text may speak of besides.
SIGNED: Final[Mapping[str, Kind]] = {
    "params": "text",
    "body": "text",
    "method": "text",
    "path": "text",
}
# No credential and no value may be called so.
NAMES: Final = frozenset((*FACTS, *REFUND_FACTS, *SIGNED, "token", "signature", "content",
                          "certificate", "base_url"))  # fmt: skip
# What somebody outside may have written: it goes into an address encoded.
FREE_FACTS: Final = ("subject", "merchant_name", "refund_reason", "payer_id", "return_url")
# What these make holds no sign that means something in JSON, XML or an address.
_TAME: Final = frozenset(("url", "hex", "base64", "base64url", "digits", "crc32", "number", "minor",
                          "decimal", "time"))  # fmt: skip
_CAME: Final = ("body", "header", "query")
NOTHING: Final = Words(("",))


class Wording:
    """What the places of one document may say.

    More than seven verbs: one for each place of a document that says something.
    """

    def __init__(self, root: Section, credentials: Sequence[str], amounts: AmountForm) -> None:
        self._tables = self._read_tables(root)
        self._ours = dict.fromkeys(("base_url", *credentials), "text")
        self._token: dict[str, Kind] = {"token": "text"} if "token" in root else {}
        self._usual: dict[Kind, Step] = {
            "money": Step(OPERATORS[amounts]),
            "instant": Step(OPERATORS["time"], (Given("unix_s"),)),
        }
        self.values: dict[str, Words] = {}
        self._kept: dict[str, Kind] = {}  # values made of credentials alone
        self._made: dict[str, Kind] = {}
        self._free = {*FREE_FACTS}
        self._read_values(root)

    def asked(self, operation: str) -> Vocabulary:
        """Of fields and headers of a request."""
        return self._vocabulary(self._asked(operation))

    def signing(self, operation: str) -> Vocabulary:
        """Of the text that is signed of a request."""
        return self._vocabulary({**self._asked(operation), **SIGNED})

    def heading(self, operation: str) -> Vocabulary:
        """Of the headers of a request that is signed."""
        return self._vocabulary({**self._asked(operation), "signature": "text"})

    @property
    def answered(self) -> Vocabulary:
        """Of what is made of an answer to a create."""
        known: dict[str, Kind] = {**self._asked("create"), "params": "text"}
        return self._vocabulary(known, ("body",))

    @property
    def incoming(self) -> Vocabulary:
        """Of what came in, and of the text that is signed of it."""
        known: dict[str, Kind] = {
            **self._kept, "params": "text", "body": "text", "content": "text"
        }  # fmt: skip
        return self._vocabulary(known, _CAME)

    def proving(self, *, with_certificate: bool) -> Vocabulary:
        """Of the steps of a signature that came in."""
        known: dict[str, Kind] = {
            **self._kept, "params": "text", "body": "text", "content": "text",
            **({"certificate": "text"} if with_certificate else {}),
        }  # fmt: skip
        return self._vocabulary(known, _CAME)

    @property
    def constant(self) -> Vocabulary:
        """Of what must be equal: credentials, and values made of them."""
        return self._vocabulary(self._kept)

    @property
    def _valued(self) -> Vocabulary:
        """Of the document's own values: what is known of every attempt."""
        return self._vocabulary({**FACTS, **self._made})

    def _asked(self, operation: str) -> dict[str, Kind]:
        if operation == "token":
            return {**BARE_FACTS, **self._kept}
        if operation == "balance":
            return {**BARE_FACTS, **self._kept, **self._token}
        refund = REFUND_FACTS if operation in ("refund", "refund_query") else {}
        return {**FACTS, **refund, **self._made, **self._token}

    def words(self, section: Section, key: str, text: str, vocabulary: Vocabulary) -> Words:
        """A value that is a text."""
        try:
            words = read_words(text, vocabulary)
        except PipeFault as fault:
            section.fault(key, fault.found, fault.expected)
            return NOTHING
        if any(not isinstance(part, str) and part.kind == "bytes" for part in words.parts):
            section.fault(key, "bytes", "a text: add hex or base64")
            return NOTHING
        return words

    def sent(
        self, section: Section, key: str, text: str, vocabulary: Vocabulary, *, table: bool = False
    ) -> Words:
        """A value that is a text of a request: in JSON or XML it holds nothing that is not escaped,
        or a subject could end its text and begin another field. table: a table may stand there."""
        words = self.words(section, key, text, vocabulary)
        if form := _looks_like(words):
            for part in words.parts:
                if isinstance(part, Pipe) and _last(part) not in (form, *_TAME):
                    section.fault(
                        key, f"${{{part}}} in {form.upper()}", _escaped(part, form, table)
                    )
        return words

    def address(self, section: Section, key: str, text: str, vocabulary: Vocabulary) -> Words:
        """An address or the path of one: what somebody else wrote is encoded there."""
        words = self.words(section, key, text, vocabulary)
        for part in self._untamed(words):
            section.fault(key, f"${{{part}}} in an address", f"${{{part} | url}}")
        return words

    def _untamed(self, words: Words) -> Iterator[Pipe]:
        """What of a text somebody outside may have written, as it stands."""
        for part in words.parts:
            if isinstance(part, Pipe) and part.name in self._free and _last(part) not in _TAME:
                yield part

    def steps(
        self, section: Section, key: str, text: str, vocabulary: Vocabulary
    ) -> tuple[Step, ...]:
        """The steps of a signature, which end in a text."""
        try:
            steps, kind = read_steps(text, "text", vocabulary)
        except PipeFault as fault:
            section.fault(key, fault.found, fault.expected)
            return ()
        if kind != "text":
            section.fault(key, "steps that end in bytes", "hex or base64 as the last one")
        return steps

    def tree(self, section: Section, key: str, vocabulary: Vocabulary) -> FieldTree:
        """The value of a field: a text, or a table or list of more of them."""
        if section.is_table(key):
            inner = section.table(key, None)
            if PACKED in inner:
                if len(list(inner)) > 1:
                    inner.fault(PACKED, "something beside it", f"{PACKED} alone")
                return Packed(self.tree(inner, PACKED, vocabulary))
            return self.fields(inner, vocabulary)
        if section.is_list(key):
            return tuple(
                self.sent(section, key, item, vocabulary, table=True)
                if isinstance(item, str)
                else self.fields(item, vocabulary)
                for item in section.items(key)
            )
        return self.sent(section, key, section.text(key, ""), vocabulary, table=True)

    def fields(self, section: Section, vocabulary: Vocabulary) -> dict[str, FieldTree]:
        """The values of a table of fields."""
        return {name: self.tree(section, section.field(name), vocabulary) for name in section}

    def _vocabulary(self, names: Mapping[str, Kind], open_to: tuple[str, ...] = ()) -> Vocabulary:
        ours: dict[str, Kind] = dict.fromkeys(self._ours, "text")
        return Vocabulary({**ours, **names}, self._tables, open_to, self._usual)

    def _read_tables(self, root: Section) -> dict[str, dict[str, str]]:
        tables = root.table("tables", None)
        return {
            name: tables.table(name, None).each(lambda table, word: table.text(word, ""))
            for name in tables
        }

    def _read_values(self, root: Section) -> None:
        section = root.table("values", None)
        for name in section:
            if name in NAMES or name in self._ours:
                section.fault(name, f"“{name}”", "a name that is not there already")
                continue
            words = self.sent(section, name, section.text(name, ""), self._valued)
            self.values[name] = words
            self._made[name] = "text"
            if any(self._untamed(words)):
                self._free.add(name)
            if words.names <= {*self._ours, *self._kept}:
                self._kept[name] = "text"


def _looks_like(words: Words) -> Literal["json", "xml", ""]:
    """What a text with values in it is written in."""
    text = "".join(part if isinstance(part, str) else "x" for part in words.parts).strip()
    if text[:1] == "<" or "</" in text:
        return "xml"
    is_list = text[:1] == "[" and text[-1:] == "]"
    return "json" if text[:1] == "{" or '":' in text or is_list else ""


def _last(pipe: Pipe) -> str:
    return pipe.steps[-1].operator.name if pipe.steps else ""


def _escaped(pipe: Pipe, form: str, table: bool) -> str:
    escaped = f"${{{pipe} | {form}}}"
    if form == "xml":
        return escaped
    instead = f", or a table instead of the text: {{ {PACKED}: {{ … }} }}" if table else ""
    return f"{escaped} without quotes around it{instead}"
