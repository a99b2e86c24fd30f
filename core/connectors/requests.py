"""Requests: what a document makes of an attempt's facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from core.connectors.document import Document, Fields, FieldTree, Operation, Packed
from core.connectors.messages import CONTENT_TYPES, Tree, write_body, write_form, write_json
from core.connectors.operators import Value, ValueFault
from core.connectors.pipes import Scope, Words
from core.connectors.signatures import params_text, signature
from core.connectors.types import AttemptFacts, Pay
from core.kernel.errors import Bug
from core.kernel.wire import HttpRequest

# A number, a code, a name: what identifies us and is told to everybody. All else is a secret.
_PUBLIC_NAME: Final = re.compile(
    r"(?:^|_)(?:id|no|pid|mid|uid|number|account|code|name|serial|url|type|mode)$"
)


def build_request(
    document: Document,
    declared: Operation,
    facts: AttemptFacts | None,
    credentials: Mapping[str, str],
    secrets: frozenset[str],
    *,
    now: datetime,
    nonce: str,
    token: str,
) -> HttpRequest:
    """The request of an operation. secrets: what is masked in the text that was signed.

    Raises ValueFault where a value cannot be written as the document wants it, Bug where the
    supplier has not all credentials.
    """
    names: dict[str, Value] = {**fact_values(facts, now), "nonce": nonce, "token": token}
    scope = scope_of(document, names, credentials)
    tree = tree_of(declared.fields, scope)
    url = _server(document, str(scope("base_url"))) + declared.path.text(scope)
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
    for name, words in declared.headers.items():
        if text := words.text(scope):
            headers[name] = text
    return HttpRequest(declared.method, url, headers, body, signed)


def _server(document: Document, base_url: str) -> str:
    """Where the interface is, without a slash at its end. Raises Bug where the document does not
    let it be there: what a request carries is for the supplier alone."""
    host = urlsplit(base_url).hostname or ""
    if document.servers and not fits_host(host, document.servers):
        raise Bug(f"“{host}” is none of the servers of the connector {document.code}")
    return base_url.rstrip("/")


def fits_host(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of some. `*.example.com` fits every name below example.com, and not
    example.com itself."""
    return any(host.endswith(p[1:]) if p.startswith("*.") else host == p for p in patterns)


def handed(declared: Operation, request: HttpRequest) -> Pay:
    """What the payer is handed where the payer sends the request: an address, a form to post, or
    what an app passes on."""
    if declared.hands == "url":
        return Pay("url", request.url)
    if declared.hands == "app":
        return Pay("app", request.body.decode() or urlsplit(request.url).query)
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return Pay("form", write_json({"action": request.url, "fields": fields}))


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
    """The credentials that sign, that no field shows or whose names do not say that anybody may see
    them, and the values made of them."""
    operations = (*document.creates.values(), *document.operations.values())
    shown = {name for operation in operations for name in _shown(operation.fields)}
    hidden = (set(document.credentials) - shown) | keys_of(document)
    return frozenset(hidden - {"base_url"})


def keys_of(document: Document) -> frozenset[str]:
    """What nobody but us and the supplier may ever see: credentials that sign or are not called by
    a public name, and the values made of them."""
    operations = (*document.creates.values(), *document.operations.values())
    keys = {name for operation in operations if operation.sign for name in operation.sign.keys}
    known = set(document.credentials) - {"base_url"}
    hidden = (known & keys) | {name for name in known if not _PUBLIC_NAME.search(name)}
    for name, words in document.values.items():  # each is made of those before it
        if words.names & hidden:
            hidden.add(name)
    return frozenset(hidden)


def secret_texts(
    document: Document,
    names: frozenset[str],
    facts: AttemptFacts,
    credentials: Mapping[str, str],
    now: datetime,
) -> frozenset[str]:
    """Secrets as they are: credentials that are there, and values that can be made of them."""
    known: dict[str, Value] = {**fact_values(facts, now), "nonce": "", "token": ""}
    scope = scope_of(document, known, credentials)
    found = set()
    for name in names:
        with suppress(Bug, ValueFault):
            found.add(str(scope(name)))
    return frozenset(found)


def secret(credentials: Mapping[str, str], name: str) -> str:
    """A credential by name. Raises Bug where the supplier was set up without it."""
    value = credentials.get(name)
    if not value:
        raise Bug(f"the supplier has no credential “{name}”, which its document needs")
    return value


def fact_values(facts: AttemptFacts | None, now: datetime) -> dict[str, Value]:
    """What a document may call by name, of an attempt, its refund and the moment."""
    if facts is None:
        return {"now": now}
    values: dict[str, Value] = {
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
        "payer_id": facts.payer_id,
        "created_at": facts.created_at,
        "expires_at": facts.expires_at,
        "expires_in": str(max(0, int((facts.expires_at - now).total_seconds()))),
        "now": now,
        "upstream_no": facts.upstream_no or "",
    }
    if facts.refund is not None:
        values |= {
            "refund_no": facts.refund.refund_no,
            "refund_amount": facts.refund.amount,
            "refund_reason": facts.refund.reason,
            "refund_created_at": facts.refund.created_at,
            "upstream_refund_no": facts.refund.upstream_refund_no or "",
        }
    return values


def tree_of(fields: Fields, scope: Scope) -> dict[str, object]:
    """The fields that have something in them, in the order of the document."""
    made = {name: _made(inner, scope) for name, inner in fields.items()}
    return {
        name: value for name, value in made.items() if value or isinstance(value, int | Decimal)
    }


def _made(tree: FieldTree, scope: Scope) -> object:
    if isinstance(tree, Words):
        return tree.value(scope)
    if isinstance(tree, Packed):
        return write_json(_made(tree.tree, scope))
    if isinstance(tree, tuple):
        return [_made(inner, scope) for inner in tree]
    return tree_of(tree, scope)


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
