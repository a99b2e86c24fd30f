"""From a document's text to a checked Document: one pass, every fault with its line."""

from __future__ import annotations

from core.connectors.loader import grammar as grammar
from core.connectors.loader.documents import load_document as load_document

__all__ = ["grammar", "load_document"]
