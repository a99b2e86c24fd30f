"""What the connector command says: requests, readings and explanations as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from core.connectors import (
    STEPS,
    CallExplained,
    Caution,
    DryRead,
    DrySent,
    Explanation,
    Signing,
    Step,
)

_CAUTIONS: Final[Mapping[str, str]] = {
    "answers_unsigned": "Its answers are believed though nobody signed them: {about}.",
    "answers_signed_good": "Only its good answers are signed, refusals are believed without:"
    " {about}.",
    "callbacks_unsigned": "Its callbacks are not signed. Anybody may send one; none moves money,"
    " each has a query ask.",
    "callbacks_hearsay": "A callback alone moves no money: a query must say the same.",
    "callbacks_any_address": "Callbacks are taken from any address.",
    "callbacks_any_merchant": "No field of a callback says that it is about us (`must_equal`).",
    "no_callback": "It takes no callbacks, and so cannot go live.",
    "no_query": "It cannot be asked about a payment: doubt stays until it calls back, or a person"
    " decides.",
    "no_close": "It cannot end a payment: a payer may still pay after an order has expired.",
    "no_refund": "It cannot give money back: people do that by hand.",
    "no_refund_query": "It cannot be asked about a refund: one in doubt waits for a person.",
    "refused_codes": "A promise about money: after these codes no payment can follow, and the order"
    " goes to another channel: {about}.",
    "refused_statuses": "The same promise by HTTP status, whoever says it: {about}.",
    "refused_none": "No answer counts as a refusal: an order never goes to another channel.",
    "number_not_repeated": "Its answer to a create does not repeat our number.",
    "servers_anywhere": "Its interface may be at any address (`servers`).",
    "hosts_anywhere": "Payers may be sent to any address (`hosts`).",
    "create_repeatable": "A promise: the same create sent twice makes one payment.",
    "refund_repeatable": "A promise: the same refund sent twice gives back once.",
    "not_found_final": "A promise: “not found” means that nothing was created.",
}
_ANSWERS: Final[Mapping[str, str]] = {
    "signed": "its answers are signed",
    "good": "its good answers are signed",
    "unsigned": "its answers are not signed",
    "none": "nothing is answered to us",
}


def sent_lines(sent: DrySent) -> str:
    """A request as it would be sent."""
    by = " (by the payer's browser)" if sent.by_payer else ""
    lines = [f"{sent.method} {sent.url}{by}", sent.headers]
    if sent.body:
        lines += ["", _shown(sent.body)]
    if sent.fields:
        lines += ["", "fields", *_pairs(sent.fields)]
    if sent.signed:
        about = "signed: this text, with the key in place of ***"
        lines += ["", about, f"  {_shown(sent.signed)}"]
    else:
        lines += ["", "not signed"]
    return "\n".join(lines)


def read_lines(read: DryRead) -> str:
    """How a message was read, step by step."""
    lines = [line for step in read.steps for line in _step(step)]
    lines += ["", f"gives: {read.gives}", *_pairs(read.outcomes.items())]
    return "\n".join(lines)


def _step(step: Step) -> Iterator[str]:
    why = f": {step.why}" if step.why else ""
    yield f"{'ok   ' if step.ok else 'WRONG'}  {STEPS[step.name]}{why}"
    yield from (f"         {name:9} {_shown(text)}" for name, text in step.said.items())


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    found = list(pairs)
    width = max((len(name) for name, _ in found), default=0)
    return (f"  {name:{width}}  {_shown(text)}" for name, text in found)


def explanation(found: Explanation) -> str:
    """What a document does, in words."""
    return "\n".join(_explained(found))


def _explained(found: Explanation) -> Iterator[str]:
    yield f"{found.name} ({found.code})" + (", for the sandbox only" if found.sandbox_only else "")
    yield ""
    yield f"It offers {_listed(found.offers)}."
    if found.lacks:
        yield f"It does not offer {_listed(found.lacks)}."
    hidden = [name for name in found.secrets if name in found.credentials]
    yield f"It needs {_listed(tuple(found.credentials))}; hidden everywhere: {_listed(hidden)}."
    yield f"Payers may be sent to {_listed(found.hosts) if found.hosts else 'any address'}."
    if found.apps:
        yield f"They may be sent to these apps as well: {_listed(found.apps)}."
    if found.says_who:
        yield f"What comes in must say who we are: {_listed(found.says_who)}."
    yield f"It brings {found.fixtures} fixtures."
    for call in found.calls:
        yield from _call(call)
    if found.callback is not None:
        yield ""
        yield f"callback  {' or '.join(found.callback.sources)}"
        yield f"  {_signed('it is signed', found.callback.signed)}"
        if found.callback.addresses:
            yield f"  it comes from {_listed(found.callback.addresses)}"
        yield f"  it hears: {found.callback.success}"
    yield ""
    yield "To think about:"
    yield from (f"- {_caution(caution)}" for caution in found.cautions)


def _call(call: CallExplained) -> Iterator[str]:
    yield ""
    way = f" ({call.way})" if call.way else ""
    by = ", brought by the payer's browser" if call.by_payer else ""
    yield f"{call.operation}{way}  {call.method} {call.path}, {call.body}{by}"
    yield f"  {_signed('we sign', call.signed)}"
    said = call.answers_signed
    yield f"  {_ANSWERS[call.answers]}{f': {_shown(said.text)} | {said.steps}' if said else ''}"
    if call.refused:
        yield f"  surely refused: {_listed(call.refused)}"
    if call.not_found:
        yield f"  not found: {_listed(call.not_found)}"


def _signed(who: str, signing: Signing | None) -> str:
    if signing is None:
        return "nothing is signed"
    where = f", in {signing.where}" if signing.where else ", in the headers"
    return f"{who}: {_shown(signing.text)} | {signing.steps}{where}"


def _caution(caution: Caution) -> str:
    return _CAUTIONS[caution.code].format(about=_listed(caution.about))


def _shown(text: str) -> str:
    """On one line, and without what a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
