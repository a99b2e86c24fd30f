"""Reading `sign`, `verify` and `params`."""

from __future__ import annotations

import re
from typing import Final

from core.connectors.document import Certificate, Params, Sign
from core.connectors.loading.grammar import CERTIFICATE, ORDERS, PARAMS, SIGN, VERIFY
from core.connectors.loading.layers import Layers
from core.connectors.pipes import Step, Vocabulary, Words
from core.connectors.section import Section
from core.connectors.wording import Wording

# What a name may hold, and what percent-encoding leaves or makes, tells nothing apart.
_JOIN: Final = re.compile(r"[^A-Za-z0-9_.~+%:\[\]\-]")
_ROOTS: Final = ("body", "header", "query")


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

    def verify(self, layers: Layers) -> Sign:
        """`verify`, where it is said; what it does not say is as in the document's `sign`."""
        place = layers.place("verify")
        unsigned = self._root.text_is("sign", "none")
        rule = place.table("verify", VERIFY)
        ours = self._root.empty() if unsigned else self._root.table("sign", SIGN)
        where = rule.text("from", ours.text("field", "sign"))
        own = None
        if not where.startswith("$"):
            in_place = where.partition(".")[0] in _ROOTS and "." in where
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
        if "steps" not in rule and any(step.operator.proves for step in sign.steps):
            at = place if "verify" in place else self._root
            at.fault(
                "verify", "no steps", "whose key proves it, like rsa-sha256 $supplier_key | base64"
            )
        return sign

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
            if given.by_name and given.text.partition(".")[0] in _ROOTS:
                section.fault("steps", f"${given.text} as a key", "a credential, or a value of one")


def _need_apart(section: Section, params: Params) -> None:
    """What is joined must come apart in one way only, or a signed message says two things."""
    if not _JOIN.search(params.join):
        section.fault("join", f"“{params.join}”", "a sign that no name has, like & or |")
    if params.write == "value" and not (isinstance(params.order, tuple) and params.empty == "keep"):
        expected = "a list of fields as `order`, and `empty: keep`, with `write: value`"
        section.fault("write", "values without their names", expected)


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
