"""Lets aiogram's types be built when they are first used, instead of all at the import.

aiogram declares some 400 pydantic models of types with `defer_build`, and then builds every one of
them at the end of its import; its 200 methods are built as they are declared, each with all types
that it speaks of. That is 8 s of a processor, of which a desk uses a tenth. Here the methods are
deferred like the types, and the last step is replaced by giving each model's module the names its
annotations use (which it imports for type checkers only), so that pydantic can build the model by
itself at its first use. Nothing else of aiogram is touched; without this module everything works
the same, only later.

pydantic's own `defer_build` is not enough: aiogram 3.31 asks each type for a rebuild. With it alone
the import takes 6.7 s of a processor, with this module 1.2 s; a desk has to be ready within 3 s.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from pydantic import BaseModel

_REBUILD: Final[Any] = BaseModel.__dict__["model_rebuild"]


def _hand_over_names(
    cls: type[BaseModel], *, _types_namespace: dict[str, Any] | None = None, **others: Any
) -> bool | None:
    if _types_namespace is not None and cls.__module__.startswith("aiogram."):
        module = vars(sys.modules[cls.__module__])
        module.update({n: v for n, v in _types_namespace.items() if n not in module})
        return None
    built: bool | None = _REBUILD.__get__(None, cls)(_types_namespace=_types_namespace, **others)
    return built


def _build_later(cls: type[BaseModel], **others: object) -> None:
    """While a model is declared, before pydantic asks whether it is to be built."""
    if cls.__module__.startswith("aiogram."):
        cls.model_config["defer_build"] = True
    super(BaseModel, cls).__init_subclass__(**others)


def install() -> None:
    """To be called before aiogram is imported for the first time."""
    BaseModel.__init_subclass__ = classmethod(_build_later)  # type: ignore[assignment, method-assign, arg-type]
    BaseModel.model_rebuild = classmethod(_hand_over_names)  # type: ignore[assignment, method-assign, arg-type]
