"""Checks calls and answers against the Bot API's own description.

`schema.json` is an extract of the official Bot API 10.3: the methods played here with every
parameter, all types they mention, the names of all other methods, and for unions the value of the
field that tells their members apart (`tag`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.telegram.errors import ApiError, bad_request

# Lengths of these are counted after entities are parsed, so their own code checks them.
PARSED_LATER = frozenset({"text", "caption"})
MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "user_id": "invalid user_id specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "file_id": "invalid file_id",
}
PARSE_NAMES = {
    "reply_markup": "can't parse reply keyboard markup JSON object",
    "entities": "can't parse message entities JSON object",
    "caption_entities": "can't parse message entities JSON object",
    "reply_parameters": "can't parse reply parameters JSON object",
    "media": "can't parse media JSON object",
    "rich_message": "can't parse rich message JSON object",
}
TRUE_TEXTS = frozenset({"true", "1", "yes", "y", "t"})
FALSE_TEXTS = frozenset({"false", "0", "no", "n", "f", ""})


class Mismatch(Exception):
    """A value is not of the described type; `where` is a path such as `inline_keyboard[0]`."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.where = where
        self.why = why


class Schema:
    """The Bot API description, loaded once."""

    def __init__(self) -> None:
        source = Path(__file__).with_name("schema.json")
        data = json.loads(source.read_text(encoding="utf-8"))
        self._methods: dict[str, dict[str, Any]] = data["methods"]
        self._types: dict[str, dict[str, Any]] = data["types"]
        self._known: frozenset[str] = frozenset(data["known"])
        self._by_lower: dict[str, str] = {
            name.lower(): name for name in [*self._methods, *self._known]
        }

    @property
    def played(self) -> frozenset[str]:
        """The methods with an implementation here."""
        return frozenset(self._methods)

    def method_name(self, asked: str) -> str:
        """The method's exact name (Telegram ignores case); `ApiError` 404 or 400 when absent."""
        name = self._by_lower.get(asked.lower())
        if name is None:
            raise ApiError(404, "Not Found")
        if name in self._known:
            raise bad_request(f"method {name} is known but not played by the sandbox")
        return name

    def read_params(
        self, method: str, raw: dict[str, Any], files: frozenset[str]
    ) -> dict[str, Any]:
        """Typed parameters of a call, or `ApiError` 400 naming what is wrong with them.

        Text values become the described type (`"12"` → 12, JSON text → object). Parameters the
        method does not have are refused, unlike Telegram, which ignores them.
        """
        described = self._methods[method]["params"]
        for name in raw:
            if name not in described:
                raise bad_request(f'unknown parameter "{name}" of {method}')
        params: dict[str, Any] = {}
        for name, field in described.items():
            if name in raw:
                params[name] = self._read_param(name, field, raw[name])
            elif name in files and "InputFile" in field["type"]:
                params[name] = f"attach://{name}"
            elif field.get("required"):
                raise bad_request(MISSING.get(name, f'parameter "{name}" is required'))
        return params

    def check_answer(self, method: str, result: Any) -> None:
        """`Mismatch` when a result is not what the method is described to return."""
        self.check(_as_field_type(self._methods[method]["returns"]), result)

    def check(self, type_name: str, value: Any, where: str = "") -> None:
        """`Mismatch` when `value` is not of the described type (nested, exact, no extra fields)."""
        if type_name.startswith("Array of "):
            self._check_array(type_name.removeprefix("Array of "), value, where)
            return
        options = re.split(r" or |, | and ", type_name)
        if len(options) > 1:
            self._check_any(options, value, where)
        elif type_name in _SCALARS:
            if not _SCALARS[type_name](value):
                raise Mismatch(where, f"must be of type {type_name}")
        elif type_name == "RichText":
            self._check_rich_text(value, where)
        else:
            self._check_object(type_name, value, where)

    def _read_param(self, name: str, field: dict[str, Any], raw: Any) -> Any:
        value = _from_text(field["type"], raw)
        try:
            self.check(field["type"], value)
            if name not in PARSED_LATER:
                _check_length("", field, value)
        except Mismatch as error:
            raise bad_request(_complaint(name, field["type"], error)) from error
        return value

    def _check_array(self, inner: str, value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise Mismatch(where, "must be an Array")
        for index, item in enumerate(value):
            self.check(inner, item, f"{where}[{index}]")

    def _check_any(self, options: list[str], value: Any, where: str) -> None:
        tagged = self._tagged(options, value)
        if tagged is not None:
            self.check(tagged, value, where)
            return
        errors: list[Mismatch] = []
        for option in options:
            try:
                self.check(option, value, where)
            except Mismatch as error:
                errors.append(error)
            else:
                return
        # The option that was understood furthest is the one that was meant.
        raise max(errors, key=lambda error: len(error.where))

    def _tagged(self, options: list[str], value: Any) -> str | None:
        if not isinstance(value, dict):
            return None
        for option in options:
            tag = self._types.get(option, {}).get("tag")
            if tag and all(value.get(key) == wanted for key, wanted in tag.items()):
                return option
        return None

    def _check_rich_text(self, value: Any, where: str) -> None:
        if isinstance(value, str):
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._check_rich_text(item, f"{where}[{index}]")
            return
        self._check_object("RichText", value, where)

    def _check_object(self, type_name: str, value: Any, where: str) -> None:
        described = self._types.get(type_name)
        if described is None:
            raise Mismatch(where, f"has the type {type_name}, which the sandbox does not know")
        if "one_of" in described:
            options = described["one_of"]
            tagged = self._tagged(options, value)
            if tagged is None and all("tag" in self._types[option] for option in options):
                raise Mismatch(where, f"is not one of the kinds of {type_name}")
            self._check_any([tagged] if tagged else options, value, where)
            return
        if not isinstance(value, dict):
            raise Mismatch(where, "must be an Object")
        fields = described["fields"]
        for name in value:
            if name not in fields:
                raise Mismatch(where, f'has the unknown field "{name}" ({type_name})')
        for name, field in fields.items():
            if name in value:
                self.check(field["type"], value[name], f"{where}.{name}".lstrip("."))
                if name not in PARSED_LATER or type_name == "CopyTextButton":
                    _check_length(f"{where}.{name}".lstrip("."), field, value[name])
            elif field.get("required"):
                raise Mismatch(where, f'Can\'t find field "{name}"')


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: dict[str, Callable[[Any], bool]] = {
    "Integer": _is_integer,
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "Float": lambda value: _is_integer(value) or isinstance(value, float),
    "InputFile": lambda value: isinstance(value, str) and value.startswith("attach://"),
}


def _from_text(type_name: str, raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    options = type_name.split(" or ")
    if "Integer" in options and re.fullmatch(r"-?\d{1,19}", raw):
        return int(raw)
    if "Boolean" in options and raw.lower() in TRUE_TEXTS | FALSE_TEXTS:
        return raw.lower() in TRUE_TEXTS
    if "Float" in options and re.fullmatch(r"-?\d+(\.\d+)?", raw):
        return float(raw)
    if {"String", "Integer", "Boolean", "Float", "InputFile"} & set(options):
        return raw
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def _check_length(where: str, field: dict[str, Any], value: Any) -> None:
    unit = field.get("unit")
    if unit == "characters" and isinstance(value, str):
        size = len(value)
    elif unit == "bytes" and isinstance(value, str):
        size = len(value.encode())
    elif unit == "value" and _is_integer(value):
        size = value
    else:
        return
    if not field.get("min", 0) <= size <= field["max"]:
        low, high = field.get("min", 0), field["max"]
        raise Mismatch(where, f"must have {low}-{high} {unit}, has {size}")


def _complaint(name: str, type_name: str, error: Mismatch) -> str:
    if error.where.endswith("callback_data"):
        return "BUTTON_DATA_INVALID"
    if error.where.endswith("copy_text.text"):
        return "BUTTON_COPY_TEXT_INVALID"
    if name in PARSE_NAMES:
        return f"{PARSE_NAMES[name]}: {error}"
    if name == "chat_id":
        return "chat not found"
    return f'parameter "{name}" {error} ({type_name})'


def _as_field_type(returns: str) -> str:
    names = {"bool": "Boolean", "int": "Integer", "str": "String"}
    names |= {"ResultChatMemberUnion": "ChatMember"}
    many = re.fullmatch(r"list\[(\w+)\]", returns)
    if many:
        return f"Array of {names.get(many[1], many[1])}"
    return " or ".join(names.get(part, part) for part in returns.split(" | "))
