"""The shop's configuration: one JSON object, checked once, then typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.process import (
    ConfigError,
    check_loopback,
    config_pages,
    config_port,
    config_text,
    config_token,
)
from sandbox.shop.signatures import secret_bytes


@dataclass(frozen=True)
class Product:
    code: str
    name: str


@dataclass(frozen=True)
class Merchant:
    """Who sells: the key that signs requests and the secret that notifications are signed with."""

    merchant_no: str
    name: str
    key_id: str
    secret: str
    notify_secret: str
    products: tuple[Product, ...]


@dataclass(frozen=True)
class Config:
    home: Path
    host: str
    port: int
    page_token: str
    api_base: str
    merchants: dict[str, Merchant]
    pages: dict[str, str]


def read_config(config: dict[str, Any]) -> Config:
    """The typed configuration; `ConfigError` names what is missing or wrong."""
    merchants = [_merchant(item) for item in _objects(config, "merchants")]
    return Config(
        home=Path(config_text(config, "home")),
        host=check_loopback(str(config.get("host", "127.0.0.1"))),
        port=config_port(config, "port"),
        page_token=config_token(config, "page_token"),
        api_base=_api_base(config),
        merchants={merchant.merchant_no: merchant for merchant in merchants},
        pages=config_pages(config),
    )


def _api_base(config: dict[str, Any]) -> str:
    text = config_text(config, "api_base").rstrip("/")
    if urlsplit(text).scheme not in ("http", "https"):
        raise ConfigError("config.api_base must be an http or https URL")
    return text


def _objects(config: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = config.get(key)
    if not isinstance(items, list) or not items:
        raise ConfigError(f"config.{key} must be a list with at least one object")
    if not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"config.{key} must be a list of objects")
    return items


def _merchant(item: dict[str, Any]) -> Merchant:
    return Merchant(
        merchant_no=config_text(item, "merchant_no"),
        name=config_text(item, "name"),
        key_id=config_text(item, "key_id"),
        secret=_secret(item, "secret"),
        notify_secret=_secret(item, "notify_secret"),
        products=tuple(
            Product(config_text(product, "code"), config_text(product, "name"))
            for product in _objects(item, "products")
        ),
    )


def _secret(item: dict[str, Any], key: str) -> str:
    text = config_text(item, key)
    try:
        secret_bytes(text)
    except ValueError:
        raise ConfigError(f"config.merchants: {key} must be whsec_ and base64") from None
    return text
