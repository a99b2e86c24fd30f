"""Why a supplier's word was not believed, or a call led to nothing, in the reader's language.

The desk keeps such a reason in English, as its log has it. What a supplier said itself stays as it
is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from core.supply.channels import REASONS
from texts import translator

# The desk's own sentences. {why} is another of them, or a supplier's word; {said} is a supplier's.
WHYS: Final[tuple[str, ...]] = (
    # what became of an attempt
    "never_sent: {why}",
    "approved by the payer",
    "closed",
    "failed",
    "never sent",
    "not found",
    "not found at the supplier",
    "nothing was sent to a supplier",
    "paid",
    "the supplier offers no {operation}",
    "the supplier refused the refund",
    "the supplier says: {said}",
    "the supplier's own number is not known yet",
    # calls
    "no connection in time",
    "no connection: {fault}",
    "no token: {why}",
    "no whole answer in time",
    "port {port} is not one for HTTP",
    "the address carries a user name",
    "the address hides a number as a name",
    "the address is not a plain URL",
    "the address is not an http or https URL",
    "the address names a zone or hides its host",
    "the answer is longer than {limit} bytes",
    "the answer is not HTTP: {fault}",
    "the connection broke: {fault}",
    "the proxy refused: {fault}",
    "the supplier takes none of the tokens that it gives",
    "the token took so long that no time is left for the call",
    "this peer failed too often; it is left alone for a while",
    "too many requests are on their way there",
    "{host} is not a public address",
    "{host} is not a public name",
    # how a message is written
    "a field comes twice",
    "a field is not text",
    "a field is too long",
    "a field's name has characters that no name has",
    "a text is no number",
    "a text is not hex",
    "a word is not in its table",
    "an item is no table",
    "bytes are no text",
    "it says something in the {places}: one of them has to be empty",
    "no pair",
    "nothing came in the {places}",
    "the amount has more than {places} decimals",
    "the body has a document type",
    "the body is not JSON",
    "the body is not UTF-8",
    "the body is not XML in UTF-8",
    "the body is not a JSON object",
    "the callback is too long",
    "the form is not UTF-8",
    "there is no list of 1 to {limit} items",
    "too many elements",
    "too many fields",
    "{word} is not JSON",
    "{word} is not text",
    # what it says
    "HTTP status {status}",
    "it cannot be loaded",
    "a number is missing",
    "accepted, but there is nothing to pay with",
    "it comes from an address that is not the supplier's",
    "it does not say when it was signed",
    "it is about another attempt than its address",
    "it was signed more than {limit} s from now",
    "our number is missing",
    "paid, but in another currency",
    "paid, but the amount cannot be read",
    "paid, but the supplier's number is missing",
    "the answer is about another amount",
    "the answer is about another currency",
    "the answer is about another {what}",
    "the answer is too long",
    "the balance cannot be read",
    "the balance is in another currency",
    "the form to pay with has a field twice, or too many",
    "the form to pay with is not posted",
    "the page to pay with cannot be read",
    "the page to pay with has not one form",
    "the page to pay with is too long",
    "the pay address is not one where payers may be sent",
    "the signature cannot be read",
    "the signature is wrong",
    "the state “{word}” is not in the document",
    "there is no certificate",
    "there is no token in the answer",
    "what is signed has too many readings",
    "what is signed reads in two ways: “{name}” may be another",
    "what to pay with cannot be read",
    "what to pay with is of no kind that the document names",
    "{field} is not ours",
    "“{name}” holds “{sign}”, which parts it from what stands beside it",
    "“{name}” is not as messages of the supplier have it",
    "“{name}” is not written as what it is read as",
)  # fmt: skip
# What a field is expected to be, as core says it of one that is wrong.
EXPECTED: Final[tuple[str, ...]] = (
    "0 to {most}, or off",
    "1 to 64 characters of A-Z a-z 0-9 _ . | -",
    "M and 1 to 9 digits",
    "S and 2 to 9 digits",
    "a whole number from {least} to {most}",
    "addresses or networks like 203.0.113.7 or 203.0.113.0/24, not {text}",
    "an address at one of the document's servers: {servers}",
    "an address like https://pay.example ({why})",
    "an address like https://shop.example/paydesk ({why})",
    "an address that begins with https://",
    "an address without ? and #",
    "at most {most} of them",
    "more than 0, in {currency}",
    "{least} to {most} characters of text",
    "{least} to {most} characters, none of them a control character",
)
_CHANNEL: Final = re.compile(r"C[0-9]+", re.ASCII)
_NO_CHANNEL: Final = re.compile(r"(?P<product>\S+) has no channel")
_FACT: Final = re.compile(r"\\\{(\w+)\\\}")
# Facts of a channel's reason that hold another reason: what was said of a refused attempt as well.
_NESTED: Final = frozenset({"why", "said"})
_DEEPEST: Final = 4


def reason_words(code: str, facts: Mapping[str, str], language: str) -> str:
    """Why a channel does not take an order. code: of REASONS."""
    if code not in REASONS:
        return code
    told = {
        name: why_words(fact, language) if name in _NESTED else fact for name, fact in facts.items()
    }
    return translator(language).pgettext("reason", REASONS[code]).format_map(told)


def kept_reason(text: str, language: str) -> str:
    """A reason as an attempt keeps it, `C01: is off`, in the reader's language; a supplier's own
    words as they are."""
    channel_no, colon, said = text.partition(": ")
    if colon and _CHANNEL.fullmatch(channel_no):
        for code, pattern in _reasons():
            if (found := pattern.fullmatch(said)) is not None:
                return f"{channel_no}: {reason_words(code, found.groupdict(), language)}"
    return text


def expected_words(text: str, language: str) -> str:
    """What a field is expected to be, in the reader's language; all else as it is."""
    for sentence, pattern in _patterns(EXPECTED):
        if (found := pattern.fullmatch(text)) is not None:
            told = found.groupdict()
            if "why" in told:
                told["why"] = why_words(told["why"], language)
            return translator(language).pgettext("expected", sentence).format_map(told)
    return text


def channels_words(text: str, language: str) -> str:
    """Why channels take no order, as `Choice.refusal` says it, in the reader's language."""
    if (found := _NO_CHANNEL.fullmatch(text)) is not None:
        return translator(language).gettext("%(product)s has no channel") % found.groupdict()
    return "; ".join(kept_reason(one, language) for one in text.split("; "))


def why_words(text: str, language: str, depth: int = 0) -> str:
    """A reason of the desk's own, in the reader's language; all else as it is."""
    for sentence, pattern in _patterns(WHYS):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        told = found.groupdict()
        if "why" in told and depth < _DEEPEST:
            told["why"] = why_words(told["why"], language, depth + 1)
        named = translator(language).pgettext
        if (operation := told.get("operation", "").replace("_", " ")) != "":
            told["operation"] = named("operation", operation)
        return named("why", sentence).format_map(told)
    return text


@cache
def _patterns(sentences: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with what it looks like once its facts are in it; the plainest first, those
    that begin with a fact last: it would swallow what another one begins with."""
    ordered = sorted(
        sentences, key=lambda sentence: (sentence.startswith("{"), sentence.count("{"))
    )
    return tuple((sentence, _pattern(sentence)) for sentence in ordered)


@cache
def _reasons() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((code, _pattern(sentence)) for code, sentence in REASONS.items())


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_FACT.sub(r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)
