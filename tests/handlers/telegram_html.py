"""Telegram's HTML, read strictly: known tags, closed in order, and nothing left unescaped."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

TAGS: Final = frozenset(
    {"b", "i", "s", "u", "code", "pre", "a", "blockquote", "tg-spoiler", "tg-time"}
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, f"<{tag}> is none of Telegram's"
        folded = (tag, attrs) == ("blockquote", [("expandable", None)])
        timed = tag == "tg-time" and [name for name, _ in attrs] == ["unix"]
        assert folded or timed or not attrs, f"<{tag}> carries attributes"
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        assert "<" not in data
        assert ">" not in data
        assert "&" not in data
        self.text.append(data)

    def handle_entityref(self, name: str) -> None:
        assert name in ("lt", "gt", "amp", "quot"), f"&{name}; is none of Telegram's"
        self.text.append({"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[name])

    def handle_charref(self, name: str) -> None:
        self.text.append(chr(int(name)))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")


def read_html(html: str) -> str:
    """The text a person reads. Raises AssertionError where Telegram would refuse it."""
    assert html
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"{reader.open} stay open"
    text = "".join(reader.text)
    assert text.strip()
    assert len(text) <= 4096
    assert "\n\n\n" not in text
    return text
