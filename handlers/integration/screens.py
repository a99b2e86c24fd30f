"""What a merchant's developers need, on one screen. Secrets are none of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from core.delivery.outbox import Notice
from handlers.kit.screen import View


@dataclass(frozen=True, slots=True)
class AppLine:
    """An app. mode: live | test. key_id: names its key, and is no secret. ip_allow: empty where
    any address may call."""

    name: str
    mode: str
    key_id: str
    notify_url: str
    ip_allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product that is open to the merchant."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class IntegrationNotice(Notice):
    """Where the API is and is described, and what is the merchant's own."""

    reference_url: str
    openapi_url: str
    api_url: str
    merchant_no: str
    merchant_name: str
    currency: str
    apps: tuple[AppLine, ...]
    products: tuple[ProductLine, ...]


VIEWS: Final[tuple[View[Any], ...]] = (View(IntegrationNotice, shortens="products"),)
