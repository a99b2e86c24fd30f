"""Rich messages: blocks as sent, blocks as answered, their HTML form, and their plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from sandbox.telegram.errors import bad_request

RICH_TEXT_MAX = 32_768
BLOCKS_MAX = 500
CELLS_PER_ROW_MAX = 20

Block = dict[str, Any]
TEXT_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "mark": "marked",
    "sub": "subscript",
    "sup": "superscript",
}
BLOCK_TAGS_TEXT = "h1 h2 h3 h4 h5 h6 p pre footer hr ul ol blockquote details table div"
BLOCK_TAGS = frozenset(BLOCK_TAGS_TEXT.split())
INNER_TAGS = frozenset(
    ["a", "br", "li", "tr", "td", "th", "thead", "tbody", "caption", "summary", "tg-time"]
)
VOID_TAGS = frozenset({"hr", "br"})
PLAYED_BLOCKS_TEXT = (
    "paragraph heading pre footer divider list blockquote expandable_blockquote pullquote"
    " table details buttons"
)
PLAYED_BLOCKS = frozenset(PLAYED_BLOCKS_TEXT.split())


def read_rich(message: dict[str, Any]) -> dict[str, Any]:
    """A RichMessage from a checked InputRichMessage (`blocks` or `html`)."""
    given = [name for name in ("blocks", "html", "markdown") if name in message]
    if len(given) != 1:
        raise bad_request("exactly one of blocks, html and markdown must be specified")
    if given == ["markdown"] or "media" in message:
        raise bad_request("rich markdown and rich media are not played by the sandbox")
    source = message["blocks"] if given == ["blocks"] else blocks_from_html(message["html"])
    blocks = [_answered(block) for block in source]
    if not blocks or not flatten(blocks).strip():
        raise bad_request("message text is empty")
    if sum(1 for _ in _walk(blocks)) > BLOCKS_MAX:
        raise bad_request("rich message has too many blocks")
    if len(flatten(blocks)) > RICH_TEXT_MAX:
        raise bad_request("message is too long")
    rich: dict[str, Any] = {"blocks": blocks}
    if message.get("is_rtl"):
        rich["is_rtl"] = True
    return rich


def rich_buttons(rich: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The rows of buttons inside a rich message."""
    for block in _walk(rich["blocks"]):
        if block["type"] == "buttons":
            yield block["buttons"]


def flatten(blocks: list[Block]) -> str:
    """What a person reads, line by line; the cells of a table row are joined by one tab."""
    lines: list[str] = []
    for block in blocks:
        lines.extend(_LINES.get(block["type"], _no_lines)(block))
    return "\n".join(lines)


def plain(text: Any) -> str:
    """The characters of a RichText."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(plain(part) for part in text)
    if text is None:
        return ""
    if "alternative_text" in text:
        return str(text["alternative_text"])
    if "button" in text:
        return plain(text["button"]["text"])
    return plain(text.get("text", text.get("expression", "")))


def blocks_from_html(html: str) -> list[Block]:
    """Input blocks of rich HTML; unknown or unmatched tags are refused."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if len(reader.stack) > 1:
        tag = reader.stack[-1].tag
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{tag}"')
    return _blocks(reader.stack[0].children)


def _answered(block: Block) -> Block:
    kind = block["type"]
    if kind not in PLAYED_BLOCKS:
        raise bad_request(f'rich block "{kind}" is not played by the sandbox')
    answer = dict(block)
    if kind == "heading" and not 1 <= block["size"] <= 6:
        raise bad_request("rich heading size must be between 1 and 6")
    if kind == "table":
        answer["cells"] = _table_cells(block["cells"])
    if "blocks" in block:
        answer["blocks"] = [_answered(inner) for inner in block["blocks"]]
    if kind == "list":
        answer["items"] = [
            {"label": _label(item), **item, "blocks": [_answered(b) for b in item["blocks"]]}
            for item in block["items"]
        ]
    return answer


def _table_cells(rows: list[list[Block]]) -> list[list[Block]]:
    for row in rows:
        if sum(cell.get("colspan", 1) for cell in row) > CELLS_PER_ROW_MAX:
            raise bad_request("rich table has too many columns")
        for cell in row:
            if cell["align"] not in {"left", "center", "right"}:
                raise bad_request("rich table cell has an invalid align")
            if cell["valign"] not in {"top", "middle", "bottom"}:
                raise bad_request("rich table cell has an invalid valign")
    return rows


def _label(item: Block) -> str:
    if item.get("has_checkbox"):
        return "☑" if item.get("is_checked") else "☐"
    return f"{item['value']}." if "value" in item else "•"


def _walk(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from _walk(block.get("blocks", []))
        for item in block.get("items", []):
            yield from _walk(item["blocks"])


def _text_lines(block: Block) -> list[str]:
    return plain(block["text"]).split("\n")


def _list_lines(block: Block) -> list[str]:
    lines: list[str] = []
    for item in block["items"]:
        first, *rest = flatten(item["blocks"]).split("\n")
        lines += [f"{item['label']} {first}", *rest]
    return lines


def _nested_lines(block: Block) -> list[str]:
    lines = _text_lines({"text": block["summary"]}) if "summary" in block else []
    lines += flatten(block["blocks"]).split("\n")
    return lines + ([plain(block["credit"])] if "credit" in block else [])


def _table_lines(block: Block) -> list[str]:
    lines = [plain(block["caption"])] if "caption" in block else []
    for row in block["cells"]:
        cells = [" ".join(plain(cell.get("text")).split()) for cell in row]
        lines += ["\t".join(cells)]
    return lines


def _no_lines(_: Block) -> list[str]:
    return []


_LINES: dict[str, Callable[[Block], list[str]]] = {
    "paragraph": _text_lines,
    "heading": _text_lines,
    "pre": _text_lines,
    "footer": _text_lines,
    "expandable_blockquote": _text_lines,
    "pullquote": _text_lines,
    "list": _list_lines,
    "blockquote": _nested_lines,
    "details": _nested_lines,
    "table": _table_lines,
}


@dataclass(slots=True)
class _Node:
    tag: str
    attributes: dict[str, str]
    children: list[_Node | str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [_Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in BLOCK_TAGS | INNER_TAGS and tag not in TEXT_TAGS:
            raise _unparsable(f'Unsupported start tag "{tag}"')
        node = _Node(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(node)
        if tag not in VOID_TAGS:
            self.stack.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID_TAGS:
            return
        if len(self.stack) == 1:
            raise _unparsable(f'Unexpected end tag "{tag}"')
        opened = self.stack.pop()
        if opened.tag != tag:
            raise _unparsable(f'Unmatched end tag, expected "</{opened.tag}>", found "</{tag}>"')

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def _blocks(children: list[_Node | str]) -> list[Block]:
    blocks: list[Block] = []
    loose: list[_Node | str] = []
    for child in [*children, _Node("", {})]:
        is_text = isinstance(child, str) or child.tag in TEXT_TAGS or child.tag in INNER_TAGS
        if is_text:
            loose.append(child)
            continue
        if plain(_inline(loose)).strip():
            blocks.append({"type": "paragraph", "text": _inline(loose)})
        loose = []
        if isinstance(child, _Node) and child.tag:
            blocks.extend(_block(child))
    return blocks


def _block(node: _Node) -> list[Block]:
    tag = node.tag
    if tag == "div":
        return _blocks(node.children)
    if tag == "hr":
        return [{"type": "divider"}]
    if tag in {"p", "footer", "pre"}:
        kind = "paragraph" if tag == "p" else tag
        return [{"type": kind, "text": _inline(node.children)}]
    if tag.startswith("h"):
        return [{"type": "heading", "size": int(tag[1]), "text": _inline(node.children)}]
    if tag in {"ul", "ol"}:
        return [_list(node)]
    if tag == "table":
        return [_table(node)]
    if tag == "details":
        return [_details(node)]
    if "expandable" in node.attributes:
        return [{"type": "expandable_blockquote", "text": _inline(node.children)}]
    return [{"type": "blockquote", "blocks": _blocks(node.children)}]


def _elements(node: _Node, *tags: str) -> list[_Node]:
    return [c for c in node.children if isinstance(c, _Node) and c.tag in tags]


def _list(node: _Node) -> Block:
    items: list[Block] = []
    for number, item in enumerate(_elements(node, "li"), start=1):
        entry: Block = {"blocks": _blocks(item.children)}
        if node.tag == "ol":
            entry["value"] = number
        items.append(entry)
    return {"type": "list", "items": items}


def _details(node: _Node) -> Block:
    summaries = _elements(node, "summary")
    inner = [child for child in node.children if child not in summaries]
    block: Block = {
        "type": "details",
        "summary": _inline(summaries[0].children) if summaries else "",
        "blocks": _blocks(inner),
    }
    return block | ({"is_open": True} if "open" in node.attributes else {})


def _table(node: _Node) -> Block:
    rows = _elements(node, "tr")
    for part in _elements(node, "thead", "tbody"):
        rows += _elements(part, "tr")
    block: Block = {
        "type": "table",
        "cells": [[_cell(cell) for cell in _elements(row, "td", "th")] for row in rows],
    }
    for caption in _elements(node, "caption"):
        block["caption"] = _inline(caption.children)
    for flag in ("bordered", "striped", "compact"):
        if flag in node.attributes:
            block[f"is_{flag}"] = True
    return block


def _cell(node: _Node) -> Block:
    cell: Block = {
        "align": node.attributes.get("align", "left"),
        "valign": node.attributes.get("valign", "top"),
        "text": _inline(node.children),
    }
    if node.tag == "th":
        cell["is_header"] = True
    for span in ("colspan", "rowspan"):
        if node.attributes.get(span, "").isdigit():
            cell[span] = int(node.attributes[span])
    return cell


def _inline(children: list[_Node | str]) -> Any:
    parts: list[Any] = []
    for child in children:
        if isinstance(child, str):
            parts.append(child)
        elif child.tag == "br":
            parts.append("\n")
        elif child.tag == "a":
            href = child.attributes.get("href", "")
            parts.append({"type": "url", "url": href, "text": _inline(child.children)})
        elif child.tag == "tg-time":
            parts.append(_time(child))
        elif child.tag in TEXT_TAGS:
            parts.append({"type": TEXT_TAGS[child.tag], "text": _inline(child.children)})
        else:
            raise _unparsable(f'Tag "{child.tag}" is not allowed inside text')
    return parts[0] if len(parts) == 1 else parts or ""


def _time(node: _Node) -> Block:
    unix = node.attributes.get("unix", "")
    if not unix.isdigit():
        raise _unparsable('Tag "tg-time" must have a valid unix time')
    return {
        "type": "date_time",
        "text": _inline(node.children),
        "unix_time": int(unix),
        "date_time_format": node.attributes.get("format", ""),
    }


def _unparsable(why: str) -> Exception:
    return bad_request(f"can't parse rich message: {why}")
