"""Reading `sign`, `verify` and `params`."""

from __future__ import annotations

import re
from typing import Final

from core.connectors.document import Certificate, Params, Sign
from core.connectors.loader.grammar import CERTIFICATE, ORDERS, PARAMS, SIGN, VERIFY
from core.connectors.loader.layers import Layers
from core.connectors.loader.trust import Trust
from core.connectors.messages import BodyForm
from core.connectors.pipes import Pipe, Step, Vocabulary, Words
from core.connectors.readings import signs_of
from core.connectors.section import Section
from core.connectors.signatures import comes_in
from core.connectors.values import Wording

# What stands between values of a text that is proved: letters and digits could be part of one.
_APART: Final = re.compile(r"[^A-Za-z0-9]", re.ASCII)
_BEGINS_WITH_A_SIGN: Final[frozenset[BodyForm]] = frozenset(("json", "xml"))
# A signature that is shorter than this can be guessed; a checksum can be made without the key.
_FEWEST_CHARS: Final = 16
_SHORTENING: Final = ("cut", "part", "digits")
_WEAK: Final = ("crc32", "lookup", "piece", "or")


class Signatures:
    """How the messages of one document are signed."""

    def __init__(self, root: Section, credentials: frozenset[str], wording: Wording) -> None:
        self._root = root
        self._credentials = credentials
        self._wording = wording

    def sign(self, layers: Layers, vocabulary: Vocabulary) -> Sign | None:
        """How we sign; None for not at all. vocabulary: what its text may speak of."""
        place = layers.place("sign")
        if place.text_is("sign", "none"):
            return None
        rule = place.table("sign", SIGN)
        if "text" not in rule and "key" not in self._credentials:
            self._root.fault("sign", "no text", "a credential named key, or what is signed")
        own = rule.text("field", "sign")
        return self._rule(rule, vocabulary, None if own == "none" else own, None)

    def verify(self, layers: Layers, form: BodyForm) -> Sign:
        """`verify`, where it is said; what it does not say is as in the document's `sign`. form:
        of the bodies that are proved."""
        place = layers.place("verify")
        unsigned = self._root.text_is("sign", "none")
        rule = place.table("verify", VERIFY)
        ours = self._root.empty() if unsigned else self._root.table("sign", SIGN)
        where = rule.text("from", ours.text("field", "sign"))
        own = None
        if not where.startswith("$"):
            in_place = "." in where and comes_in(where)
            own = None if in_place else where
            where = f"${where}" if in_place else f"$body.{where}"
        incoming = self._wording.incoming
        came = self._wording.words(rule, "from", where, incoming)
        certificate = self._certificate(rule)
        sign = self._rule(
            rule,
            self._wording.proving(with_certificate=certificate is not None),
            own,
            came,
            ours,
            fresh=self._wording.words(rule, "fresh", rule.text("fresh"), incoming)
            if "fresh" in rule
            else None,
            certificate=certificate,
        )
        at = place if "verify" in place else self._root
        if "steps" not in rule and any(step.operator.proves for step in sign.steps):
            at.fault(
                "verify", "no steps", "whose key proves it, like rsa-sha256 $supplier_key | base64"
            )
        if certificate is None and not any(map(self._is_kept, sign.asked)):
            at.fault("verify", "no key", "a credential in `text` or `steps`: else anybody can sign")
        _need_between(at, sign, form)
        if sign.fresh is not None:
            _need_signed_time(rule, sign)
        return sign

    def _is_kept(self, name: str) -> bool:
        return name in self._credentials or name in self._wording.values

    def _certificate(self, rule: Section) -> Certificate | None:
        if "certificate" not in rule:
            return None
        table = rule.table("certificate", CERTIFICATE)
        issued_by = table.text("issued_by", expected="a credential by name, like $root").lstrip("$")
        if issued_by and issued_by not in self._credentials:
            table.fault("issued_by", f"“{issued_by}”", "a credential by name, like $root")
        return Certificate(
            came=self._wording.words(table, "from", table.text("from"), self._wording.incoming),
            issued_by=issued_by,
            issued_to=table.words("issued_to")
            if table.is_list("issued_to")
            else (table.text("issued_to", expected="what its subject's name contains"),),
        )

    def _rule(
        self,
        rule: Section,
        vocabulary: Vocabulary,
        own: str | None,
        came: Words | None,
        other: Section | None = None,
        fresh: Words | None = None,
        certificate: Certificate | None = None,
    ) -> Sign:
        def said(key: str, usual: str) -> tuple[Section, str]:
            source = other if other is not None and key not in rule else rule
            return source, source.text(key, usual)

        text_from, text = said("text", "${params}&key=${key}")
        steps_from, steps = said("steps", "md5 | hex | upper")
        params = rule if "params" in rule or other is None else other
        words = self._wording.words(text_from, "text", text, vocabulary)
        read = self._wording.steps(steps_from, "steps", steps, vocabulary)
        written = _params(params.table("params", PARAMS))
        if came is not None:
            _need_kept_keys(steps_from, read)
            _need_strong(steps_from, read)
            if "params" in words.names:
                _need_apart(params.table("params", PARAMS), written)
        return Sign(
            text=words,
            params=written,
            steps=read,
            own=own,
            came=came,
            names=words.names,
            fresh=fresh,
            certificate=certificate,
        )


def _need_kept_keys(section: Section, steps: tuple[Step, ...]) -> None:
    """Nobody proves himself with a key that he brought along."""
    for step in steps:
        for given in step.arguments:
            if given.by_name and comes_in(given.text):
                section.fault("steps", f"${given.text} as a key", "a credential, or a value of one")


def _need_apart(section: Section, params: Params) -> None:
    """What is joined must come apart in one way only, or a signed message says two things."""
    if not signs_of(params.join):
        section.fault("join", f"“{params.join}”", "a sign that no name has, like & or |")
    if params.write == "value" and not (isinstance(params.order, tuple) and params.empty == "keep"):
        expected = "a list of fields as `order`, and `empty: keep`, with `write: value`"
        section.fault("write", "values without their names", expected)


def _need_strong(section: Section, steps: tuple[Step, ...]) -> None:
    """What comes out must not be met by chance, nor be made without the key."""
    for step in steps:
        name = step.operator.name
        if name in _WEAK:
            section.fault("steps", name, "a digest with a key: this can be made without it")
        elif name in _SHORTENING and int(step.arguments[-1].text) < _FEWEST_CHARS:
            expected = f"at least {_FEWEST_CHARS} characters of it"
            section.fault("steps", str(step), expected)


def _need_between(section: Section, sign: Sign, form: BodyForm) -> None:
    """What comes in is parted by something of ours, or the same text would be another message. A
    time of digits may stand right before a body that begins with a sign."""
    before: Pipe | None = None
    between: list[str | Pipe] = []
    for part in sign.text.parts:
        if isinstance(part, str) or not comes_in(part.name):
            between.append(part)
            continue
        timed = sign.fresh is not None and sign.fresh.parts == (before,)
        whole = part.name in ("body", "content") and form in _BEGINS_WITH_A_SIGN
        apart = any(isinstance(one, Pipe) or _APART.search(one) for one in between)
        if before is not None and not apart and not (timed and whole and not between):
            found = f"nothing between ${{{before}}} and ${{{part}}}"
            section.fault("verify", found, "a sign between them that no value has, like | or &")
        before, between = part, []


def _need_signed_time(section: Section, sign: Sign) -> None:
    """Who can change when it was signed can send it again for ever."""
    for part in sign.fresh.parts if sign.fresh else ():
        if isinstance(part, str) or part in sign.text.parts or part.name in sign.covers:
            continue
        root, _, path = part.name.partition(".")
        if root == "body" and path:
            Trust().need_signed(section, "fresh", tuple(path.split(".")), sign)
        elif comes_in(part.name):
            section.fault("fresh", f"${part}", "a time that is part of what is signed")


def _params(section: Section) -> Params:
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
