"""Frozen dataclasses as JSON values and back: one codec for facts that are kept with a shape."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from core.kernel.errors import Bug

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Shape = TypeVar("_Shape", bound="DataclassInstance")


def pack(value: DataclassInstance) -> dict[str, Any]:
    """A dataclass as JSON values, by field. Ids and decimals are text, times ISO text, tuples
    lists, and a dataclass within it is an object of its own."""
    return {field.name: _packed(getattr(value, field.name)) for field in fields(value)}


def unpack(shape: type[_Shape], packed: Mapping[str, Any]) -> _Shape:
    """What `pack` made of a value of this shape. Raises Bug where it has another shape."""
    hints = _hints(shape)
    if hints.keys() != packed.keys():
        names = ", ".join(sorted(hints.keys() ^ packed.keys()))
        raise Bug(f"{shape.__name__} was kept in another shape: {names}")
    return shape(**{name: _unpacked(hints[name], packed[name]) for name in hints})


@cache
def _hints(shape: type[DataclassInstance]) -> dict[str, Any]:
    hints = get_type_hints(shape)
    return {field.name: hints[field.name] for field in fields(shape)}


def _packed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a datetime is one as well
        return value.isoformat()
    if isinstance(value, tuple):
        return [_packed(one) for one in value]
    if isinstance(value, dict):
        return {name: _packed(one) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return pack(value)
    raise Bug(f"{type(value).__name__} cannot be kept as JSON")


def _unpacked(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and types.NoneType in inner:
            return None
        (hint,) = (one for one in inner if one is not types.NoneType)
        return _unpacked(hint, value)
    if origin is Literal and value in inner:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_unpacked(inner[0], one) for one in value)  # tuple[X, ...]
    if origin is dict and isinstance(value, dict):
        return {name: _unpacked(inner[1], one) for name, one in value.items()}
    if hint in (bool, int, str) and type(value) is hint:
        return value
    if hint in _FROM_TEXT and isinstance(value, str):
        return _FROM_TEXT[hint](value)
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        return unpack(hint, value)
    raise Bug(f"{value!r} was kept as {hint}")


_FROM_TEXT: dict[Any, Any] = {
    UUID: UUID,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}
