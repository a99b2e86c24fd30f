"""The gallery is what the bot says now."""

from __future__ import annotations

import pytest

from tests.handlers.gallery import PAGES, index, page, topics


@pytest.mark.parametrize("topic", topics())
def test_a_page_of_the_gallery_is_what_the_bot_says(topic: str) -> None:
    """Where it is not: `python -m tests.handlers.gallery`, and read what has changed."""
    assert (PAGES / f"{topic}.md").read_text(encoding="utf-8") == page(topic)


def test_the_gallery_has_no_page_of_nothing() -> None:
    there = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert there == set(topics())
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index()
