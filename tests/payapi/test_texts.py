"""Everything the API and the cashier say is in the Chinese catalogue, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from core.trade.orders import lifecycle
from core.trade.refunds.lifecycle import NEXT
from payapi import auth, wire
from payapi.openapi import EVENTS, OPERATIONS, document
from payapi.orders import CALLABLE
from payapi.requests import ONCE_EXPECTED
from payapi.wire import Expected
from tests.codes import REFUSALS

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locales" / "zh" / "LC_MESSAGES" / "payapi.po"


def said() -> set[str]:
    """Every sentence that may be shown in translation."""
    found = {kind.text for kind in REFUSALS.values()}
    found |= {state for (state, _) in lifecycle.ORDER_NEXT} | set(lifecycle.ORDER_NEXT.values())
    found |= {state for (state, _) in NEXT} | set(NEXT.values())
    found |= {ONCE_EXPECTED.text, *(mark.text for mark in CALLABLE.values())}
    found |= {event.text for event in EVENTS}
    for module in (auth, wire):
        found |= {mark.text for mark in vars(module).values() if isinstance(mark, Expected)}
    for model in (wire.NewOrder, wire.DescribedRequest):
        for field in model.model_fields.values():
            found |= {mark.text for mark in field.metadata if isinstance(mark, Expected)}
    for operation in OPERATIONS:
        found |= {operation.summary, operation.description, *operation.ok.values()}
        found |= {text for _, text in operation.query}
    for schema in document("")["components"]["schemas"].values():
        found |= {
            facts["description"]
            for facts in schema.get("properties", {}).values()
            if "description" in facts
        }
    return found | _in_templates()


def _in_templates() -> set[str]:
    return {
        str(message)
        for _, _, message, _, _ in extract_from_dir(
            ROOT / "payapi" / "templates",
            method_map=[("**.html", "jinja2")],
            options_map={"**.html": {"trimmed": "true", "silent": "false"}},
        )
    }


def test_the_chinese_catalogue_says_everything_and_nothing_else() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh", abort_invalid=True)
    there = {str(m.id): str(m.string) for m in catalogue if m.id}
    wanted = said()
    assert wanted - set(there) == set()
    assert set(there) - wanted == set()
    assert [msgid for msgid, text in there.items() if not text] == []


def test_translations_keep_their_facts() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    for message in catalogue:
        if message.id and "{" in str(message.id) and "\\" not in str(message.id):
            assert _names(str(message.id)) == _names(str(message.string)), message.id
        if message.id and "%(" in str(message.id):
            assert str(message.id).count("%(") == str(message.string).count("%("), message.id


def _names(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}
