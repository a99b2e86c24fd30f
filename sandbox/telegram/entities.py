"""Text with entities: the HTML parse mode, automatic detection, UTF-16 offsets.

Offsets and lengths of entities count UTF-16 code units, as everywhere in the Bot API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.errors import bad_request

TEXT_MAX = 4096
CAPTION_MAX = 1024
ENTITIES_MAX = 100

SIMPLE_TAGS = {
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
    "pre": "pre",
}
OTHER_TAGS = frozenset({"a", "span", "blockquote", "tg-emoji", "tg-time"})
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

_ATTRIBUTE = re.compile(r"""\s+([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"']+[^\s<>\"'.,!?:;)\]，。！？；：）])"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<!\w)(?P<mention>@[A-Za-z][A-Za-z0-9_]{3,31})"
    r"|(?<!\w)(?P<hashtag>#[^\W\d]\w*)"
)

Entity = dict[str, Any]


@dataclass(slots=True)
class _Open:
    tag: str
    entity: Entity
    start: int


@dataclass(slots=True)
class _Html:
    """One pass over a text in HTML parse mode; positions of complaints are byte offsets."""

    source: str
    at: int = 0
    out: list[str] = field(default_factory=list)
    size: int = 0
    stack: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def parse(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == "<":
                self._tag()
            elif char == "&":
                self._emit(self._reference())
            else:
                self._emit(char)
                self.at += 1
        if self.stack:
            tag = self.stack[-1].tag
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{tag}"')
        return "".join(self.out), self.entities

    def _emit(self, text: str) -> None:
        self.out.append(text)
        self.size += utf16_len(text)

    def _byte(self, at: int) -> int:
        return len(self.source[:at].encode())

    def _reference(self) -> str:
        match = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));?").match(
            self.source, self.at
        )
        if match is None or (match[3] and match[3] not in NAMED):
            self.at += 1
            return "&"
        self.at = match.end()
        if match[3]:
            return NAMED[match[3]]
        code = int(match[1]) if match[1] else int(match[2], 16)
        return chr(code) if 0 < code < 0x110000 else ""

    def _tag(self) -> None:
        begin = self.at
        match = re.compile(r"</?([a-zA-Z0-9-]*)").match(self.source, begin)
        name = match[1].lower() if match else ""
        if self.source.startswith("</", begin):
            self._end_tag(name, begin, begin + 2 + len(name))
            return
        if name not in SIMPLE_TAGS and name not in OTHER_TAGS:
            offset = self._byte(begin)
            raise _unparsable(f'Unsupported start tag "{name}" at byte offset {offset}')
        self.at = begin + 1 + len(name)
        attributes: dict[str, str] = {}
        while found := _ATTRIBUTE.match(self.source, self.at):
            value = found[2] or found[3] or found[4] or ""
            attributes[found[1].lower()] = _unescape(value)
            self.at = found.end()
        closing = re.compile(r"\s*>").match(self.source, self.at)
        if closing is None:
            raise _unparsable(f"Unclosed start tag at byte offset {self._byte(begin)}")
        self.at = closing.end()
        self.stack.append(_Open(name, self._entity(name, attributes, begin), self.size))

    def _entity(self, name: str, attributes: dict[str, str], begin: int) -> Entity:
        if name == "a":
            return {"type": "text_link", "url": attributes.get("href", "")}
        if name == "blockquote":
            expandable = "expandable" in attributes
            return {"type": "expandable_blockquote" if expandable else "blockquote"}
        if name == "span":
            if attributes.get("class") != "tg-spoiler":
                at = self._byte(begin)
                raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
            return {"type": "spoiler"}
        if name == "tg-emoji":
            return {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
        if name == "tg-time":
            return self._time(attributes, begin)
        if name == "code" and attributes.get("class", "").startswith("language-"):
            return {"type": "code", "language": attributes["class"].removeprefix("language-")}
        return {"type": SIMPLE_TAGS[name]}

    def _time(self, attributes: dict[str, str], begin: int) -> Entity:
        unix = attributes.get("unix", "")
        if not unix.isdigit():
            at = self._byte(begin)
            raise _unparsable(f'Tag "tg-time" must have a valid unix time at byte offset {at}')
        entity: Entity = {"type": "date_time", "unix_time": int(unix)}
        if attributes.get("format"):
            entity["date_time_format"] = attributes["format"]
        return entity

    def _end_tag(self, name: str, begin: int, after_name: int) -> None:
        if not self.stack:
            raise _unparsable(f"Unexpected end tag at byte offset {self._byte(begin)}")
        opened = self.stack.pop()
        if name and name != opened.tag:
            raise _unparsable(
                f"Unmatched end tag at byte offset {self._byte(begin)},"
                f' expected "</{opened.tag}>", found "</{name}>"'
            )
        closing = re.compile(r"\s*>").match(self.source, after_name)
        if closing is None:
            raise _unparsable(f"Unclosed end tag at byte offset {self._byte(begin)}")
        self.at = closing.end()
        self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity = opened.entity
        length = self.size - opened.start
        if entity["type"] == "text_link" and not re.match(r"(https?|tg)://\S", entity["url"]):
            return
        if length == 0:
            return
        if entity["type"] == "code" and self.stack and self.stack[-1].tag == "pre":
            if "language" in entity:
                self.stack[-1].entity["language"] = entity["language"]
            return
        entity.pop("language", None) if entity["type"] == "code" else None
        self.entities.append({**entity, "offset": opened.start, "length": length})


def read_text(params: dict[str, Any], name: str, most: int) -> dict[str, Any]:
    """`{name: text, entities name: [...]}` of a call, parsed, trimmed, detected and measured.

    `name` is "text" or "caption"; an empty result means there is no text at all.
    """
    entities_name = "entities" if name == "text" else "caption_entities"
    text = params.get(name, "")
    mode = params.get("parse_mode", "").lower()
    if entities_name in params and not mode:
        entities = [dict(entity) for entity in params[entities_name]]
    elif mode == "html":
        text, entities = _Html(text).parse()
    elif mode == "":
        entities = []
    elif mode in {"markdown", "markdownv2"}:
        raise bad_request(f"parse_mode {params['parse_mode']} is not played by the sandbox")
    else:
        raise bad_request("unsupported parse_mode")
    text, entities = _trim(text, entities)
    if len(text) > most:
        what = "message is too long" if name == "text" else "message caption is too long"
        raise bad_request(what)
    if not text:
        return {}
    entities = detect(text, entities)
    return {name: text} | ({entities_name: entities} if entities else {})


def detect(text: str, entities: list[Entity]) -> list[Entity]:
    """Given entities plus links, commands, mentions and hashtags found where none was given."""
    taken = [(entity["offset"], entity["offset"] + entity["length"]) for entity in entities]
    found = list(entities)
    for match in _DETECTED.finditer(text):
        kind = match.lastgroup or ""
        start = utf16_len(text[: match.start(kind)])
        length = utf16_len(match[kind])
        if all(start + length <= low or start >= high for low, high in taken):
            found.append({"type": kind, "offset": start, "length": length})
    found.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return found[:ENTITIES_MAX]


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)


def _trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    stripped = text.rstrip()
    # Telegram keeps the indentation of a first line but not blank lines before it.
    lead = re.match(r"(?:[ \t\r]*\n)*", stripped)
    cut = lead.end() if lead else 0
    body = stripped[cut:]
    most = utf16_len(body)
    kept: list[Entity] = []
    for entity in entities:
        start = max(0, entity["offset"] - cut)
        end = min(most, entity["offset"] - cut + entity["length"])
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return body, kept


def _unescape(value: str) -> str:
    return re.sub(r"&(lt|gt|amp|quot);", lambda match: NAMED[match[1]], value)


def _unparsable(why: str) -> Exception:
    return bad_request(f"can't parse entities: {why}")
