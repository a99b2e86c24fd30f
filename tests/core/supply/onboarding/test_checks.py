"""What people write about suppliers, checked without a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.connectors import Connector, load
from core.kernel.errors import Refusal
from core.parties.lines import line
from core.supply.onboarding import checks
from tests.core.supply.onboarding.support import changed
from tests.core.support import refused

T = TypeVar("T")
ANYWHERE = load(changed())
LISTED = "credentials: [mch_id, key]\nservers: [a.example, '*.b.example']"
AT_HOME = load(
    changed(("credentials: [mch_id, key]", LISTED)).replace("127.0.0.1:8090", "a.example")
)


def base_url(
    text: str,
    connector: Connector = ANYWHERE,
    *,
    in_use: Connector | None = None,
    allow_private: bool = False,
) -> str:
    return checks.credentials(
        {"base_url": text},
        connector,
        document="x v1",
        in_use=in_use or connector,
        allow_private=allow_private,
    )["base_url"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://pay.example", "https://pay.example"), (" https://pay.example/ ", "https://pay.example"),
        ("https://pay.example:8443/v2//", "https://pay.example:8443/v2"),
    ],
)  # fmt: skip
def test_the_address_of_a_real_supplier(given: str, kept: str) -> None:
    assert base_url(given) == kept


@pytest.mark.parametrize(
    "text",
    [
        "http://pay.example", "https://10.0.0.1", "https://127.0.0.1", "https://[::1]",
        "https://169.254.169.254", "https://2130706433", "https://user:secret@pay.example",
        "https://pay.example:22", "https://pay.example?x=1", "https://pay.example#x",
        "https://pay.example?", "https://pay.example/#", "ftp://pay.example", "pay.example", "https://",
        "https://pay example", "https://pay.example\\x", "https://päy.example", "//pay.example",
        "https://pay.example/" + "x" * 5000, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_no_supplier_is_called_at(text: str) -> None:
    with pytest.raises(Refusal) as error:
        base_url(text)
    assert refused(error.value) == "field_invalid"
    assert error.value.param == "credentials.base_url"
    assert "secret" not in error.value.message


def test_plain_http_and_neighbours_only_where_private_targets_are_allowed() -> None:
    assert base_url("http://127.0.0.1:8090/", allow_private=True) == "http://127.0.0.1:8090"
    with pytest.raises(Refusal):
        base_url("http://127.0.0.1:8090/")


def test_an_address_stays_at_the_documents_servers() -> None:
    for text in ("https://a.example", "https://pay.b.example/x"):
        assert base_url(text, AT_HOME) == text
    for text in ("https://x.a.example", "https://b.example", "https://a.example.evil.example"):
        with pytest.raises(Refusal) as error:
            base_url(text, AT_HOME)
        assert "a.example, *.b.example" in error.value.message
        for connector, in_use in ((ANYWHERE, AT_HOME), (AT_HOME, ANYWHERE)):
            with pytest.raises(Refusal):
                base_url(text, connector, in_use=in_use)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=4))
def test_whatever_is_said_is_kept_as_text_or_refused_without_repeating_it(
    given: dict[str, str],
) -> None:
    marked = {name: f"{text}s3cr3t" for name, text in given.items()}
    marked["key"] = given.get("key", "") + "s3cr3t"
    kept, refusal = outcome(
        lambda: checks.credentials(
            marked, ANYWHERE, document="x v1", in_use=ANYWHERE, allow_private=True
        )
    )
    if kept is None:
        assert refusal is not None
        assert refusal.code in ("credential_unknown", "field_invalid")
        assert "s3cr3t" not in refusal.message
        return
    assert set(kept) <= set(ANYWHERE.credential_names)
    for text in kept.values():
        assert text == text.strip()
        text.encode()


def outcome(doing: Callable[[], T]) -> tuple[T | None, Refusal | None]:
    """What comes of it: a value or a refusal."""
    try:
        return doing(), None
    except Refusal as refusal:
        return None, refusal


def test_a_key_of_several_lines_is_kept_as_it_is() -> None:
    key = "-----BEGIN PRIVATE KEY-----\r\nMIIE\n\tx\n-----END PRIVATE KEY-----"
    kept = checks.credentials(
        {"key": key + "\n"}, ANYWHERE, document="x", in_use=ANYWHERE, allow_private=False
    )
    assert kept == {"key": key}


@given(st.text(max_size=80))
def test_a_line_is_readable_or_refused(text: str) -> None:
    kept, refusal = outcome(lambda: line("name", text, 64))
    if kept is None:
        assert refusal is not None
        assert refusal.code == "field_invalid"
    else:
        assert 1 <= len(kept) <= 64
        assert kept.splitlines() == [kept]
        kept.encode()


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_diff_is_bounded_and_empty_only_for_the_same(before: str, after: str) -> None:
    shown = checks.diff(before, after, names=("a", "b")).split("\n")
    assert len(shown) <= checks.DIFF_LINES + 1
    assert all(len(line) <= checks.DIFF_LINE_CHARS for line in shown)
    assert (shown == [""]) == (before.splitlines() == after.splitlines())
