"""Reading the operations: each call, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping

from core.connectors.document import (
    Fields,
    FieldTree,
    Operation,
    Packed,
    PayAt,
    PayBy,
    PayMade,
    PayNothing,
    PayRule,
    Places,
    Sign,
    names_in,
)
from core.connectors.loader.grammar import (
    ASKING,
    BODIES,
    CALL,
    CLOSE_GIVES,
    HEADER,
    HTML,
    METHODS,
    OWN,
    PAY,
    PAY_BY,
    PAY_MADE,
    PAYS,
    REFUND_STATES,
    REFUNDING,
    STATES,
    WAY,
    WAY_CODE,
)
from core.connectors.loader.incoming import Incoming, need_states, need_words
from core.connectors.loader.layers import Layers
from core.connectors.loader.signatures import Signatures
from core.connectors.loader.trust import Trust
from core.connectors.messages import BodyForm, path_of
from core.connectors.pipes import Words
from core.connectors.section import FIELD, PATH, Section
from core.connectors.tree import shorten
from core.connectors.types import PayKind, RefundState, StandingState
from core.connectors.values import Wording


class Operations:
    """The calls of one document."""

    def __init__(
        self, root: Section, wording: Wording, signatures: Signatures, incoming: Incoming
    ) -> None:
        self._root = root
        self._wording = wording
        self._signatures = signatures
        self._incoming = incoming

    def creates(self) -> dict[str, Operation]:
        """The ways to open a payment by the channel's code; "" is for every code."""
        if "create" not in self._root:
            self._root.fault("create", "nothing", "the operation `create` (required)")
            return {}
        section = self._root.table("create", (*CALL, *OWN["create"]))
        layers = Layers(self._root, section)
        if "ways" not in section:
            return {"": self._create(layers)}
        ways = section.table("ways", None)
        found = {}
        for code in ways:
            if code != "*" and not WAY_CODE.fullmatch(code):
                ways.fault(code, f"“{shorten(code)}”", "a channel's code, or * for every other")
            way = ways.table(code, WAY)
            found["" if code == "*" else code] = self._create(layers.within(way))
        if not found:
            section.fault("ways", "nothing", "a way by the channel's code, like { qr: { … } }")
        return found

    def others(self) -> dict[str, Operation]:
        """Every operation but create, by name."""
        found = {}
        for name in (*ASKING, *REFUNDING, "balance", "token"):
            if name in self._root:
                section = self._root.table(name, (*CALL, *OWN.get(name, ())))
                found[name] = self._other(name, section)
        return found

    def _other(self, name: str, section: Section) -> Operation:
        layers = Layers(self._root, section)
        if name in ASKING:
            states = self._incoming.states(layers, STATES, "pending")
            if "gives" in section and name == "close":
                gives = section.choice("gives", CLOSE_GIVES, "closed")
                return self._call(name, layers, {}, (), gives=gives)
            need_states(layers, states)
            needed = ["attempt_no", "state"]
            needed += ["paid", "upstream_no"] if "paid" in states.values() else []
            if "approved" in states.values() and "capture" not in self._root:
                section.fault("states", "“approved”", "the operation `capture` with it")
            return self._call(name, layers, states, needed)
        if name in REFUNDING:
            return self._refunding(name, layers)
        needed = ["available"] if name == "balance" else ["token"]
        return self._call(name, layers, {}, needed, own=Layers(section))

    def _refunding(self, name: str, layers: Layers) -> Operation:
        """What `refund` says of states and places counts for `refund_query` too."""
        section, own = layers.own, Layers(layers.own)
        if name == "refund_query":
            if "refund" not in self._root:
                self._root.fault("refund_query", "no `refund`", "the operation `refund` with it")
            own = Layers(self._root.table("refund", None), section)
        if "gives" in section and name == "refund":
            said = section.choice("gives", REFUND_STATES, "pending")
            return self._call(name, layers, {}, (), own=own, gives=said)
        states = self._incoming.states(own, REFUND_STATES, "pending")
        need_states(own, states)
        return self._call(name, layers, states, ["state"], own=own)

    def _create(self, layers: Layers) -> Operation:
        section = layers.own
        hands = None
        if layers.place("by").choice("by", ("us", "payer"), "us") == "payer":
            method = layers.place("method").choice("method", METHODS, "POST")
            usual: PayKind = "url" if method == "GET" else "form"
            place = layers.place("pay")
            hands = place.choice("pay", (usual, "app"), usual) if "pay" in place else usual
        states = self._incoming.states(layers, STATES, "pending")
        needed = [] if hands else ["attempt_no"]
        call = self._call("create", layers, states, needed, hands=hands)
        if hands is not None:
            if call.body not in ("form", "query"):
                section.fault("body", call.body, "form or query, which a browser can send")
            if call.sign is not None and call.sign.own is None:
                section.fault("sign", "no field", "a field: a browser sends no header of ours")
        if hands is None and not call.pay:
            section.fault("pay", "nothing", "where to pay, like { url: pay_url } (required)")
        return call

    def _call(
        self,
        name: str,
        layers: Layers,
        states: Mapping[str, StandingState | RefundState],
        needed: list[str] | tuple[str, ...],
        *,
        own: Layers | None = None,
        hands: PayKind | None = None,
        gives: StandingState | RefundState | None = None,
    ) -> Operation:
        """own: where its `reads` are, if not the document's as well."""
        place = layers.place
        method = place("method").choice("method", METHODS, "POST")
        body, root = self._body(layers)
        sign = self._signatures.sign(layers, self._wording.signing(name))
        within = place("within").matching("within", PATH, "a field's name", "")
        where = path_of(within) if within else ()
        if hands is None:
            refuses = self._refuses(name, layers.own)
            answers, trust = self._incoming.answers(layers, where, refuses=refuses)
        else:
            answers, trust = self._incoming.no_answers(), Trust()
        made = name == "create" and hands is None
        return Operation(
            method=method,
            path=self._path(place("path"), name),
            body="query" if method == "GET" else body,
            root=root,
            headers=self._headers(layers, name, sign),
            fields=self._fields(layers, name),
            sign=sign,
            answers=answers,
            reads=self._incoming.reads(own or layers, name, needed, trust),
            states=states,
            pay=self._pay(place("pay"), trust) if made else (),
            hands=hands,
            gives=gives,
            within=where,
        )

    def _refuses(self, name: str, section: Section) -> Section | None:
        """Who may say what is refused, if not the document for all of them: what refuses a payment
        need not refuse a refund, and a question about one decides nothing."""
        if name not in REFUNDING:
            return None
        if name == "refund":
            return section
        own = section.table("answers", None)
        for key in ("refused", "refused_statuses"):
            if key in own:
                own.fault(key, "a refusal", "nothing: a question about a refund is never refused")
        return section.empty()

    def _path(self, section: Section, name: str) -> Words:
        text = section.text("path", expected="a path like /pay/create")
        if text and (
            not text.startswith("/") or any(c in text for c in " #\\") or text.count("?") > 1
        ):
            section.fault("path", f"“{shorten(text)}”", "a path like /pay/create")
        return self._wording.address(section, "path", text, self._wording.asked(name))

    def _body(self, layers: Layers) -> tuple[BodyForm, str]:
        """The form of the body, and the root's name of an XML one."""
        place = layers.place("body")
        if place.is_table("body"):
            table = place.table("body", ("xml",))
            return "xml", table.matching("xml", FIELD, "the root's name", "xml")
        return place.choice("body", BODIES, "form"), "xml"

    def _headers(self, layers: Layers, name: str, sign: Sign | None) -> dict[str, Words]:
        vocabulary = self._wording.asked(name) if sign is None else self._wording.heading(name)
        headers: dict[str, Words] = {}
        for table in _shared(layers, name).tables("headers", None).inwards():
            for header in table:
                if not HEADER.fullmatch(header):
                    table.fault(header, "no header's name", "letters, digits and -")
                text = table.text(header, "")
                headers[header] = self._wording.sent(table, header, text, vocabulary)
        return headers

    def _fields(self, layers: Layers, name: str) -> Fields:
        """From the outermost inwards: tables grow by name, what else comes again is replaced."""
        vocabulary = self._wording.asked(name)
        fields: dict[str, FieldTree] = {}
        for table in _shared(layers, name).tables("fields", None).inwards():
            fields = _merged(fields, self._wording.fields(table, vocabulary))
        return fields

    # ── the way to pay ───────────────────────────────────────────────────────────────────────────
    def _pay(self, section: Section, trust: Trust) -> tuple[PayRule, ...]:
        if section.text_is("pay", "none"):
            return (PayNothing(),)
        pay = section.table("pay", PAY)
        if "by" in pay or "kinds" in pay:
            return (self._pay_by(pay, trust),)
        if "from" in pay:
            pay.fault("from", "a place alone", "`by` and `kinds` with it")
        found: list[PayRule] = []
        for key in pay:
            kind = next((kind for kind in PAYS if kind == key), None)
            if kind is not None and pay.is_table(key):
                found.append(self._pay_made(kind, pay.table(key, PAY_MADE), trust))
            elif kind is not None or key == HTML:
                found.append(PayAt(kind or "form", trust.places(pay, key), html=kind is None))
        return tuple(found)

    def _pay_by(self, pay: Section, trust: Trust) -> PayBy:
        for key in pay:
            if key not in PAY_BY:
                pay.fault(key, f"{key} beside `by`", "from, by and kinds alone")
        table = pay.table("kinds", None)
        need_words(table, list(table))
        words = table.each(lambda kinds, word: kinds.choice(word, (*PAYS, HTML), "url"))
        if not words:
            pay.fault("kinds", "nothing", "what each word is, like { codeUrl: qr }")
        by = trust.places(pay, "by")
        return PayBy(
            places=trust.places(pay, "from"),
            by=by[0] if by else (),
            kinds={w: k for w, said in words.items() for k in PAYS if k == said},
            html=frozenset(word for word, said in words.items() if said == HTML),
        )

    def _pay_made(self, kind: PayKind, rule: Section, trust: Trust) -> PayMade:
        vocabulary = self._wording.answered
        text = None
        if "text" in rule:
            read = self._wording.address if kind == "url" else self._wording.sent
            text = read(rule, "text", rule.text("text"), vocabulary)
        fields = self._wording.fields(rule.table("fields", None), vocabulary)
        sign = self._signatures.sign(Layers(rule), vocabulary) if "sign" in rule else None
        if (text is None) == (not fields):
            rule.fault("fields", "no text and no fields, or both", "one of them")
        names = names_in(fields) | (sign.asked if sign else frozenset())
        names |= text.names if text else frozenset()
        paths = [name.removeprefix("body.") for name in sorted(names) if name.startswith("body.")]
        if not paths:
            rule.fault("fields", "nothing of the answer", "a field that came in, like $body.id")
        needs: Places = tuple(Trust((), trust.verify).path(rule, "fields", path) for path in paths)
        return PayMade(kind, text, fields, sign, needs)


def _shared(layers: Layers, name: str) -> Layers:
    """Whose headers and fields count: a call for a token has none of what needs that token."""
    return Layers(layers.own) if name == "token" else layers


def _merged(outer: Mapping[str, FieldTree], inner: Mapping[str, FieldTree]) -> dict[str, FieldTree]:
    return {**outer, **{name: _over(outer.get(name), tree) for name, tree in inner.items()}}


def _over(below: FieldTree | None, tree: FieldTree) -> FieldTree:
    if isinstance(below, Packed) and isinstance(tree, Packed):
        return Packed(_over(below.tree, tree.tree))
    if isinstance(below, Mapping) and isinstance(tree, Mapping):
        return _merged(below, tree)
    return tree
