"""Reading a whole document: what stands at its top."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from core.connectors.document import AmountForm, Document, names_in
from core.connectors.fixtures import SECTION, read_fixtures
from core.connectors.loader.grammar import APP, CODE, CODE_WORDS, HOST, LANGUAGE, NO_APPS, TOP
from core.connectors.loader.incoming import Incoming, statuses_of
from core.connectors.loader.operations import Operations
from core.connectors.loader.signatures import Signatures
from core.connectors.loader.trust import dotted
from core.connectors.messages import Path
from core.connectors.pipes import Words
from core.connectors.requests import keys_of
from core.connectors.section import Faults, Section
from core.connectors.tree import parse, shorten
from core.connectors.values import NAMES, Wording

_KEPT: Final = 64


@lru_cache(maxsize=_KEPT)
def load_document(text: str) -> Document:
    """What a text says; the same text is read once. Raises DocumentFaults."""
    faults = Faults()
    document = _read(Section(parse(text), "", faults, TOP))
    faults.raise_any()
    return document


def _read(root: Section) -> Document:
    root.number("language", LANGUAGE, LANGUAGE, LANGUAGE)
    credentials = _credentials(root)
    amounts: AmountForm = root.choice("amounts", ("decimal", "minor"), "decimal")
    wording = Wording(root, tuple(credentials), amounts)
    must_equal = _must_equal(root, wording)
    signatures = Signatures(root, frozenset(credentials), wording)
    incoming = Incoming(root, wording, signatures, must_equal)
    operations = Operations(root, wording, signatures, incoming)
    creates, others = operations.creates(), operations.others()
    rule = incoming.callback() if "callback" in root else None
    offered = ("create", *others, *(["callback"] if rule else []))
    token = root.table("token", None) if "token" in root else root.empty()
    lost = statuses_of(token, "lost", low=400)
    document = Document(
        code=root.matching("connector", CODE, CODE_WORDS),
        name=root.text("name"),
        sandbox_only=root.flag("sandbox_only"),
        create_is_idempotent=root.flag("create_is_idempotent"),
        refund_is_idempotent=root.flag("refund_is_idempotent"),
        not_found_is_final=root.flag("not_found_is_final"),
        credentials={"base_url": "base_url", **credentials},
        servers=_hosts(root, "servers"),
        hosts=_hosts(root, "hosts"),
        apps=_apps(root),
        amounts=amounts,
        values=wording.values,
        must_equal=must_equal,
        creates=creates,
        operations=others,
        lost=lost or frozenset((401,)),
        callback=rule,
        fixtures=read_fixtures(root.table("fixtures", SECTION), offered),
    )
    _need_kept_secrets(root, document)
    if rule is not None and rule.asks and "query" not in others:
        expected = "the operation `query` with it, which then has the word"
        root.table("callback", None).fault("then", "no `query`", expected)
    return document


def _need_kept_secrets(root: Section, document: Document) -> None:
    """What the payer's browser brings is seen by the payer."""
    for code, declared in document.creates.items():
        if declared.hands is None:
            continue
        shown = names_in(declared.fields) | declared.path.names
        for name in sorted(shown & keys_of(document)):
            table = root.table("create", None)
            where = table.table("ways", None).table(code or "*", None) if "ways" in table else table
            where.fault("fields", f"${name}", "nothing that the payer must not see")


def _credentials(root: Section) -> dict[str, str]:
    """A list of names, or a table of names with a title for people each."""
    if root.is_table("credentials"):
        found = root.table("credentials", None).each(lambda table, name: table.text(name))
    else:
        found = {name: name for name in root.words("credentials")}
    for name in found:
        if not CODE.fullmatch(name):
            root.fault("credentials", f"“{shorten(name)}”", CODE_WORDS)
        elif name in NAMES:
            root.fault("credentials", f"“{name}”", "a name that is not ours already")
    return found


def _hosts(root: Section, key: str) -> tuple[str, ...]:
    hosts = root.words(key)
    for host in hosts:
        if not HOST.fullmatch(host):
            expected = "a host like pay.example.com or *.example.com"
            root.fault(key, f"“{shorten(host)}”", expected)
    return hosts


def _apps(root: Section) -> tuple[str, ...]:
    schemes = root.words("apps")
    for scheme in schemes:
        if not APP.fullmatch(scheme) or scheme in NO_APPS:
            root.fault("apps", f"“{shorten(scheme)}”", "the scheme of an app, like alipays")
    return schemes


def _must_equal(root: Section, wording: Wording) -> tuple[tuple[Path, Words], ...]:
    section = root.table("must_equal", None)
    return tuple(
        (dotted(section, name), wording.words(section, name, section.text(name), wording.constant))
        for name in section
    )
