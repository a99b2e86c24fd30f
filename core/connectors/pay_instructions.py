"""The way to pay, as an answer to a create has it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from html.parser import HTMLParser
from urllib.parse import urlsplit

from core.connectors import limits
from core.connectors.document import Document, Operation, PayAt, PayBy, PayMade, PayNothing
from core.connectors.messages import Tree, find, write_json
from core.connectors.operators import Value
from core.connectors.pipes import Scope
from core.connectors.requests import fits_host, tree_of
from core.connectors.signatures import params_text, signature
from core.connectors.types import Pay, PayKind
from core.connectors.verification import DoubtError, first


def pay_of(declared: Operation, tree: Tree, scope: Callable[[], Scope], document: Document) -> Pay:
    """The first way that is there. scope: of what we make one of, where we do. Raises DoubtError,
    ValueFault."""
    for rule in declared.pay:
        match rule:
            case PayAt():
                if value := first(tree, rule.places):
                    return _checked(rule.kind, value, document, html=rule.html)
            case PayBy():
                if value := first(tree, rule.places):
                    word = find(tree, rule.by)
                    if word not in rule.kinds and word not in rule.html:
                        raise DoubtError("what to pay with is of no kind that the document names")
                    kind = rule.kinds.get(word, "form")
                    return _checked(kind, value, document, html=word in rule.html)
            case PayNothing():
                return Pay("none", "")
            case PayMade():
                if all(find(tree, path) for path in rule.needs):
                    value = _made(rule, tree, scope())
                    return _checked(rule.kind, value, document, html=False)
    raise DoubtError("accepted, but there is nothing to pay with")


def _checked(kind: PayKind, value: str, document: Document, *, html: bool) -> Pay:
    if html:
        return Pay("form", _form_in(value, document.hosts))
    if kind == "url":
        value = value.strip()
    if len(value) > limits.PAY_CHARS or not value.isprintable():
        raise DoubtError("what to pay with cannot be read")
    if kind == "url" and not opens_app(value, document.apps):
        _need_address(value, document.hosts)
    return Pay(kind, value)


def _made(rule: PayMade, tree: Tree, ours: Scope) -> str:
    """What is made of an answer: a text, or JSON that a page or an app passes on."""
    names: dict[str, Value] = {}

    def scope(name: str) -> Value:
        if name in names:
            return names[name]
        root, _, path = name.partition(".")
        return find(tree, tuple(path.split("."))) if root == "body" and path else ours(name)

    if rule.text is not None:
        return rule.text.text(scope)
    made = tree_of(rule.fields, scope)
    if rule.sign is not None:
        names["params"] = params_text(made, rule.sign.params, rule.sign.own)
        made[rule.sign.own or "sign"] = signature(rule.sign, scope)
    return write_json(made)


def opens_app(url: str, apps: Collection[str]) -> bool:
    """Whether an address opens one of these apps on the payer's phone: `alipays://…`. apps: their
    schemes."""
    scheme, mark, rest = url.partition("://")
    return bool(mark and rest) and scheme.lower() in apps and not any(c in url for c in " \\")


def _need_address(url: str, hosts: tuple[str, ...]) -> None:
    if not may_send_to(url, hosts):
        raise DoubtError("the pay address is not one where payers may be sent")


def may_send_to(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether an address is plain http(s), and of one of the hosts where some are named."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port_is_sane = parts.port != 0
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not host or not port_is_sane:
        return False
    if parts.username is not None or any(c in url for c in " \\"):
        return False
    return not hosts or fits_host(host, hosts)


def _form_in(page: str, hosts: tuple[str, ...]) -> str:
    """A supplier's page as the one form that is in it: nothing else of it reaches a payer."""
    if len(page) > limits.PAGE_CHARS:
        raise DoubtError("the page to pay with is too long")
    reader = _FormReader()
    try:
        reader.feed(page)
        reader.close()
    except AssertionError:  # its way to say that it does not understand
        raise DoubtError("the page to pay with cannot be read") from None
    if reader.forms != 1 or not reader.action:
        raise DoubtError("the page to pay with has not one form")
    _need_address(reader.action, hosts)
    if reader.method == "get":
        raise DoubtError("the form to pay with is not posted")
    return write_json({"action": reader.action, "fields": reader.fields})


class _FormReader(HTMLParser):
    """Takes action and named inputs of a form; scripts and all else are passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms = 0
        self.action = ""
        self.method = ""
        self.fields: dict[str, str] = {}
        self._tags: Mapping[str, Callable[[dict[str, str]], None]] = {
            "form": self._form, "input": self._input,
        }  # fmt: skip

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if read := self._tags.get(tag):
            read({name: value or "" for name, value in attrs})

    def _form(self, attributes: dict[str, str]) -> None:
        self.forms += 1
        self.action = attributes.get("action", "").strip()
        self.method = attributes.get("method", "get").lower()

    def _input(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        if not self.forms or not name or attributes.get("type", "").lower() in ("submit", "button"):
            return
        if name in self.fields or len(self.fields) >= limits.FIELDS:
            raise DoubtError("the form to pay with has a field twice, or too many")
        self.fields[name] = attributes.get("value", "")
