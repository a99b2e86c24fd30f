"""Requests: what a document makes of an attempt's facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from core.connectors.document import Document, Fields, FieldTree, Operation, Packed
from core.connectors.messages import CONTENT_TYPES, Tree, write_body, write_form, write_json
from core.connectors.operators import Value
from core.connectors.pipes import Scope, Words
from core.connectors.signing import params_text, signature
from core.connectors.types import AttemptFacts
from core.errors import Bug
from core.wire import HttpRequest


def build_request(
    document: Document,
    declared: Operation,
    facts: AttemptFacts,
    credentials: Mapping[str, str],
    secrets: frozenset[str],
    *,
    now: datetime,
    nonce: str,
) -> HttpRequest:
    """The request of an operation. secrets: what is masked in the text that was signed.

    Raises ValueFault where a value cannot be written as the document wants it, Bug where the
    supplier has not all credentials.
    """
    names: dict[str, Value] = {**_fact_values(facts), "now": now, "nonce": nonce}
    scope = scope_of(document, names, credentials)
    tree = _tree(declared.fields, scope)
    url = str(scope("base_url")).rstrip("/") + declared.path.text(scope)
    names |= {"method": declared.method, "path": _path_and_query(url)}
    signed, sign = "", declared.sign
    if sign is not None:
        if "params" in sign.names:
            names["params"] = params_text(tree, sign.params, sign.own)
        if "body" in sign.names or sign.own is None:
            whole, names["body"] = _as_it_leaves(declared, tree, url)
            names["path"] = _path_and_query(whole)
        names["signature"] = signature(sign, scope)
        signed = sign.text.masked(scope, secrets)
        if sign.own is not None:
            tree[sign.own] = names["signature"]
    headers = {"Accept": "*/*"}
    body = b""
    if declared.body == "query":
        url = _with_query(url, tree)
    elif tree or declared.method != "DELETE":
        headers["Content-Type"] = CONTENT_TYPES[declared.body]
        body = write_body(declared.body, tree, root=declared.root)
    headers |= {name: words.text(scope) for name, words in declared.headers.items()}
    return HttpRequest(declared.method, url, headers, body, signed)


def scope_of(
    document: Document, names: Mapping[str, Value], credentials: Mapping[str, str]
) -> Scope:
    """What names stand for: these, the document's own values, and credentials."""

    def scope(name: str) -> Value:
        if name in names:
            return names[name]
        if name in document.values:
            return document.values[name].text(scope)
        return secret(credentials, name)

    return scope


def secrets_of(document: Document) -> frozenset[str]:
    """The credentials that sign or that no field shows, and the values made of them."""
    operations = document.operations.values()
    shown = {name for operation in operations for name in _shown(operation.fields)}
    keys = {name for operation in operations if operation.sign for name in operation.sign.asked}
    known = set(document.credentials)
    hidden = ((known - shown) | (known & keys)) - {"base_url"}
    for name, words in document.values.items():
        if words.names & hidden:
            hidden.add(name)
    return frozenset(hidden)


def secret(credentials: Mapping[str, str], name: str) -> str:
    """A credential by name. Raises Bug where the supplier was set up without it."""
    value = credentials.get(name)
    if not value:
        raise Bug(f"the supplier has no credential “{name}”, which its document needs")
    return value


def _fact_values(facts: AttemptFacts) -> dict[str, Value]:
    return {
        "attempt_no": facts.attempt_no,
        "order_no": facts.order_no,
        "amount": facts.amount,
        "currency": facts.amount.currency,
        "subject": facts.subject,
        "merchant_name": facts.merchant_name,
        "channel_code": facts.channel_code,
        "notify_url": facts.notify_url,
        "return_url": facts.return_url or "",
        "client_ip": facts.client_ip,
        "expires_at": facts.expires_at,
        "upstream_no": facts.upstream_no or "",
    }


def _tree(fields: Fields, scope: Scope) -> dict[str, object]:
    """The fields that have something in them, in the order of the document."""
    made = {name: _made(inner, scope) for name, inner in fields.items()}
    return {name: value for name, value in made.items() if value not in ("", {}, [])}


def _made(tree: FieldTree, scope: Scope) -> object:
    if isinstance(tree, Words):
        return tree.value(scope)
    if isinstance(tree, Packed):
        return write_json(_made(tree.tree, scope))
    if isinstance(tree, tuple):
        return [_made(inner, scope) for inner in tree]
    return _tree(tree, scope)


def _shown(tree: FieldTree) -> Iterator[str]:
    """Every name that the fields show as it is."""
    if isinstance(tree, Words):
        yield from (p.name for p in tree.parts if not isinstance(p, str) and not p.steps)
    elif isinstance(tree, Packed):
        yield from _shown(tree.tree)
    else:
        for inner in tree if isinstance(tree, tuple) else tree.values():
            yield from _shown(inner)


def _as_it_leaves(declared: Operation, tree: Tree, url: str) -> tuple[str, str]:
    """The address and the body, where the signature is not one of the fields."""
    if declared.body == "query":
        return _with_query(url, tree), ""
    return url, write_body(declared.body, tree, root=declared.root).decode()


def _with_query(url: str, tree: Tree) -> str:
    return f"{url}{'&' if '?' in url else '?'}{write_form(tree)}" if tree else url


def _path_and_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
