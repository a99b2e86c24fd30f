"""Every document of the library loads, keeps its word and stays short."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.connectors import check, load
from tests.core.connectors.support import LIBRARY

DOCUMENTS = sorted(LIBRARY.glob("*.yaml"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_fixtures_of_a_document_hold(path: Path) -> None:
    connector = load(path.read_text())
    assert connector.code == path.stem
    assert check(connector) == []


def test_the_usual_dialect_needs_few_lines() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text().partition("\nfixtures:")[0]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 40


def test_a_broken_fixture_is_named_with_its_line() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text().replace("      paid: 12.34", "      paid: 12")
    (failure,) = check(load(text))
    assert failure.case == "verify callback: paid"
    assert "paid is “12.34”, not “12”" in failure.why
    assert text.splitlines()[failure.line - 1].strip() == "- verify: callback"


def test_a_document_with_callbacks_needs_a_good_one_and_a_forged_one() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text().partition("\nfixtures:")[0]
    assert [failure.why for failure in check(load(text))] == [
        "no fixture of a good callback",
        "no fixture of a forged callback",
    ]


def test_the_version_follows_the_text() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text()
    assert load(text).version == load(text).version
    assert load(text).version != load(text + "\n# changed\n").version
