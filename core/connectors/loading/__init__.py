"""From a document's text to a checked Document: one pass, every fault with its line."""

from __future__ import annotations

from core.connectors.loading import grammar as grammar
from core.connectors.loading.documents import load_document as load_document

__all__ = ["grammar", "load_document"]
