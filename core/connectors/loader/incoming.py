"""Reading what a document says of what comes in: answers and callbacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, TypeVar

from core.connectors.document import Answers, CallbackRule, Envelope, Holds, Places, Reads, Sign
from core.connectors.loader.grammar import (
    ANSWERS,
    BODIES,
    CALLBACK,
    CALLED_STATES,
    CONTENT_TYPE,
    EVERY,
    FORMS,
    IGNORE,
    JOINED,
    NOT_DEFINITE,
    OPEN,
    PATH_WORDS,
    PLACES,
    READS,
    REPLY,
    STATES,
)
from core.connectors.loader.layers import Layers
from core.connectors.loader.signatures import Signatures
from core.connectors.loader.trust import Trust
from core.connectors.messages import BodyForm, Path, path_of
from core.connectors.section import PATH, Section
from core.connectors.tree import shorten
from core.connectors.types import Reply
from core.connectors.values import Wording

Word = TypeVar("Word", bound=str)


class Incoming:
    """How one document's messages are read."""

    def __init__(
        self,
        root: Section,
        wording: Wording,
        signatures: Signatures,
        must_equal: Sequence[tuple[Path, object]],
    ) -> None:
        self._root = root
        self._wording = wording
        self._signatures = signatures
        self._must_equal = must_equal

    # ── answers ──────────────────────────────────────────────────────────────────────────────────
    def answers(
        self, layers: Layers, within: Path, *, refuses: Section | None
    ) -> tuple[Answers, Trust]:
        """How an operation's answers are told apart, and what of them may decide. refuses: who
        may say what is refused, where that is not said for all; None: every layer."""
        rules = layers.tables("answers", ANSWERS)
        place = rules.place
        no = place if refuses is None else Layers(refuses.table("answers", ANSWERS)).place
        signed = place("signed").choice("signed", ("true", "false", "good"), "true")
        form = place("from").choice("from", FORMS, "json")
        verify = self._signatures.verify(layers, form) if signed != "false" else None
        envelope = self._envelope(place("open"), verify)
        trust = Trust(within, None if envelope is not None else verify)
        ok = rules.place("ok").table("ok", None)
        if not list(ok) and "statuses" not in place("statuses"):
            rules.own.fault("ok", "nothing", "what a good answer says, like { code: 0 } (required)")
        statuses = statuses_of(place("statuses"), "statuses")
        answers = Answers(
            form=form,
            verify=verify,
            only_good=signed == "good",
            envelope=envelope,
            ok=tuple(_holds(ok, name, trust) for name in ok),
            statuses=statuses or frozenset(range(200, 300)),
            code=trust.places(place("code"), "code", "code"),
            message=Trust(within).places(place("message"), "message"),
            refused=_codes(no("refused"), "refused"),
            refused_statuses=_definite(no("refused_statuses"), "refused_statuses"),
            not_found=_codes(place("not_found"), "not_found"),
            not_found_statuses=_definite(place("not_found_statuses"), "not_found_statuses"),
            faults=statuses_of(place("faults"), "faults", low=400),
        )
        _need_apart(rules, answers)
        return answers, trust

    def no_answers(self) -> Answers:
        """Of what is not answered to us."""
        none: frozenset[str] = frozenset()
        nowhere: frozenset[int] = frozenset()
        return Answers("json", None, False, None, (), nowhere, (), (), none, nowhere, none, nowhere,
                       nowhere)  # fmt: skip

    def _envelope(self, section: Section, verify: Sign | None) -> Envelope | None:
        if "open" not in section:
            return None
        rule = section.table("open", OPEN)
        opened = self._wording.words(rule, "text", rule.text("text"), self._wording.incoming)
        envelope = Envelope(opened, rule.choice("as", BODIES, "json"))
        for path in envelope.paths:  # not every cipher proves what it opens
            if verify is not None:
                Trust().need_signed(rule, "text", path, verify)
        return envelope

    # ── what a message says ──────────────────────────────────────────────────────────────────────
    def states(self, layers: Layers, legal: Sequence[Word], default: Word) -> dict[str, Word]:
        """The supplier's words as ours."""
        table = layers.place("states").table("states", None)
        if "" in table:
            table.fault("", "an empty word", "a word: an absent state must mean nothing")
        if not (IGNORE in legal and table.text_is(EVERY, IGNORE)):
            need_words(
                table, list(table), f"; in a callback {{ '*': {IGNORE} }} is for every other"
            )
        return table.each(lambda states, word: states.choice(word, legal, default))

    def reads(self, layers: Layers, operation: str, needed: Sequence[str], trust: Trust) -> Reads:
        """Where a message says what; a fault for what is needed and not said."""
        tables = layers.tables("reads", READS[operation])
        found: dict[str, Places] = {}
        for key in READS[operation]:
            source = tables.place(key)
            if source.text_is(key, "none") and operation == "create" and key == "attempt_no":
                continue
            if key == "state" and _is_joined(source):
                found[key] = trust.joined(source, key)
                continue
            found[key] = trust.places(source, key)
            if not found[key] and key in needed and key not in source:
                layers.own.fault("reads", f"no `{key}`", f"where `{key}` is found (here or above)")
        return Reads(**found, together=_is_joined(tables.place("state")))

    # ── callbacks ────────────────────────────────────────────────────────────────────────────────
    def callback(self) -> CallbackRule:
        """The rule of callbacks."""
        section = self._root.table("callback", CALLBACK)
        layers = Layers(self._root, section)
        sources = _sources(section)
        unsigned = section.text_is("verify", "none")
        form = sources[0] if len(sources) == 1 else "form"
        verify = None if unsigned else self._signatures.verify(layers, form)
        if verify is not None and "query" in sources and "body" in verify.names:
            section.fault("verify", "$body", "what is read: the query is not in the body")
        asks = section.choice("then", ("believe", "query"), "believe") == "query"
        if verify is None and not asks:
            section.fault("verify", "none", "`then: query` with it: nobody vouches for it")
        envelope = self._envelope(section, verify)
        each = _path(section, "each")
        trust = Trust(_path(section, "within"), None if envelope is not None else verify)
        said = self.states(layers, (*STATES, IGNORE), "pending")
        # What waits for our capture is nothing paid; the supplier is asked, and then it is seen.
        states = {
            word: state
            for word, means in said.items()
            for state in CALLED_STATES
            if state == ("pending" if means == "approved" else means)
        }
        for path, _ in self._must_equal:
            if trust.verify is not None:
                trust.need_signed(section, "verify", path, trust.verify)
        needed = ["attempt_no"]
        if not asks:
            needed += ["state", "upstream_no", *(["paid"] if "paid" in states.values() else [])]
            if not states:
                section.fault("states", "nothing", _STATES_WANTED)
        reads = self.reads(layers, "callback", needed, trust)
        if reads.together and not asks and trust.verify is not None:
            _need_all_said(layers.place("states").table("states", None), said, reads, trust.verify)
        success = _reply(section, "success", 200)
        return CallbackRule(
            sources=sources,
            verify=verify,
            envelope=envelope,
            within=trust.within,
            each=each,
            reads=reads,
            states=states,
            ignored=frozenset(word for word, state in said.items() if state == IGNORE),
            asks=asks,
            addresses=_networks(section),
            success=success,
            duplicate=_reply(section, "duplicate", 200) if "duplicate" in section else success,
            failure=_reply(section, "failure", 400),
        )


# What would be a value anywhere else.
_VALUE: Final = re.compile(r"\$(?:\{[^}]*\}?|[A-Za-z_]+)")
_STATES_WANTED: Final = "what the supplier's words mean, like { SUCCESS: paid }"


def need_states(layers: Layers, states: Mapping[str, str]) -> None:
    """A fault where an operation whose answer is read by a state has no words for it."""
    if not states:
        layers.own.fault("states", "nothing", _STATES_WANTED)


def need_words(section: Section, keys: Sequence[str], more: str = "") -> None:
    """A fault where `*` stands for every word: what nobody thought of means nothing."""
    for key in keys:
        words = section.words(key) if section.is_list(key) else (key,)
        if EVERY in words:
            section.fault(key, "“*” for every word", f"each word by itself, as theirs{more}")


def _need_all_said(table: Section, words: Iterable[str], reads: Reads, verify: Sign) -> None:
    """A fault for a word that fewer fields say than the state is made of. Where fields are joined,
    one that may be absent could be part of the value before it."""
    if "params" not in verify.names:
        return
    for word in words:
        if word != EVERY and len(word.split(" ")) < len(reads.state):
            expected = f"a word of each of the {len(reads.state)} fields that say the state"
            table.fault(word, f"“{shorten(word)}”", expected)


def _need_apart(rules: Layers, answers: Answers) -> None:
    """No code and no status means two things."""
    for key, statuses in (
        ("refused_statuses", answers.refused_statuses & answers.not_found_statuses),
        ("statuses", answers.statuses & (answers.faults | answers.refused_statuses)),
        ("statuses", answers.statuses & answers.not_found_statuses),
    ):
        for status in sorted(statuses):
            rules.place(key).fault(key, f"“{status}”", "a status that means nothing else")
    good = {word for held in answers.ok if (held.path,) == answers.code for word in held.words}
    for key, codes in (("refused", answers.refused), ("not_found", answers.not_found)):
        others = good | (answers.refused if key == "not_found" else frozenset())
        for code in sorted(codes & others):
            rules.place(key).fault(key, f"“{shorten(code)}”", "a code that means nothing else")


def _is_joined(section: Section) -> bool:
    return "state" in section and not section.is_list("state") and JOINED in section.text("state")


def _holds(section: Section, name: str, trust: Trust) -> Holds:
    path = trust.path(section, name, name)
    if section.is_list(name):
        return Holds(path, frozenset(section.words(name)))
    text = section.text(name)
    return Holds(path, frozenset() if text == "*" else frozenset((text,)))


def statuses_of(
    section: Section, key: str, *, low: int = 200, high: int = 499, never: Sequence[int] = ()
) -> frozenset[int]:
    """HTTP statuses. Of those above 499 none says what was done."""
    found = set()
    for word in section.words(key):
        whole = word.isascii() and word.isdigit() and len(word) == 3
        if not whole or not low <= int(word) <= high or int(word) in never:
            but = f", but {', '.join(map(str, never))}" if never else ""
            expected = f"an HTTP status from {low} to {high}{but}"
            section.fault(key, f"“{shorten(word)}”", expected)
        else:
            found.add(int(word))
    return frozenset(found)


def _codes(section: Section, key: str) -> frozenset[str]:
    need_words(section, [key] if section.is_list(key) else [])
    return frozenset(section.words(key))


def _definite(section: Section, key: str) -> frozenset[int]:
    """Statuses that say for certain that nothing was done."""
    return statuses_of(section, key, low=400, never=NOT_DEFINITE)


def _sources(section: Section) -> tuple[BodyForm, ...]:
    """Where a callback's fields may come: one word, or a list of places that are written alike."""
    if not section.is_list("from"):
        return (section.choice("from", FORMS, "form"),)
    found = section.words("from")
    places = tuple(place for place in PLACES if place in found)
    if not found or len(places) != len(found):
        section.fault("from", "such a list", f"[{', '.join(PLACES)}], or one word")
    return tuple(sorted(places, key=found.index)) or ("form",)


def _path(section: Section, key: str) -> Path:
    text = section.matching(key, PATH, PATH_WORDS, "")
    return path_of(text) if text else ()


def _networks(section: Section) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for word in section.words("addresses"):
        try:
            found.append(ip_network(word))
        except ValueError:
            section.fault(
                "addresses", f"“{shorten(word)}”", "an address or network like 203.0.113.0/24"
            )
    return tuple(found)


def _reply(section: Section, key: str, status: int) -> Reply:
    """`success: OK`, or a table where status or content type are not the usual ones."""
    kind = "text/plain"
    if section.is_table(key):
        table = section.table(key, REPLY)
        status = table.number("status", status, 200, 599)
        kind = table.matching("type", CONTENT_TYPE, "a content type like text/plain", kind)
        body = table.text("body", "")
        where = table, "body"
    else:
        body = section.text(key)
        where = section, key
    if found := _VALUE.search(body):
        expected = "the text as it is sent: replies know no values"
        where[0].fault(where[1], f"“{shorten(found[0])}”", expected)
    return Reply(status, kind, body.encode())
