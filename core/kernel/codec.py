"""Frozen dataclasses as JSON values and back: one codec for whatever is kept with a shape."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Shape = TypeVar("_Shape", bound="DataclassInstance")


def pack(value: DataclassInstance) -> dict[str, Any]:
    """The fields of a dataclass as JSON values. Ids and decimals are text, times ISO text, tuples
    lists, and a dataclass within it is an object of its own."""
    packed: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return packed


def unpack(shape: type[_Shape], packed: Mapping[str, Any]) -> _Shape:
    """What `pack` made of a value of this shape. Raises ValueError where a value is missing or is
    none of its kind; what the shape does not know is left out."""
    value: _Shape = _adapter(shape).validate_python(packed)
    return value


@cache
def _adapter(shape: type[DataclassInstance]) -> TypeAdapter[Any]:
    """Costly to make."""
    return TypeAdapter(shape)
