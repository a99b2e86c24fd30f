"""The supplier's configuration: one JSON object, checked once, then typed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.process import (
    ConfigError,
    check_loopback,
    config_pages,
    config_port,
    config_text,
    config_token,
)
from sandbox.supplier.keys import read_public_key
from sandbox.supplier.money import parse_yuan

DEFAULT_DELAYS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
DEFAULT_EXPIRES_IN_S = 1800
DEFAULT_MAX_SKEW_S = 300
DEFAULT_PAY_TYPES = ("alipay_qr", "alipay_h5", "wechat_qr", "wechat_h5", "unionpay_qr", "bank_web")
DEFAULT_INSTITUTION = "样例支付 Sample Pay"
MIN_FEN = 1
MAX_FEN = 5_000_000
ALL_PPM = 1_000_000


class DialectName(StrEnum):
    """How an account speaks with the supplier."""

    MD5_FORM = "md5_form"
    HMAC_JSON = "hmac_json"
    RSA = "rsa"


@dataclass(frozen=True)
class Account:
    """A customer of the institution: how it speaks and what it signs with.

    `key` is '' and `public_key` is set in the dialect rsa; in the others it is the other way
    round. `name` is the payee a payer sees where the create names no merchant. `fee_ppm` is the
    institution's fee of every payment, in millionths.
    """

    mch_id: str
    name: str
    institution: str
    dialect: DialectName
    key: str
    public_key: RSAPublicKey | None
    fee_ppm: int


@dataclass(frozen=True)
class PayType:
    """A payment method: amounts it takes, in fen, and whether it is open."""

    code: str
    min_fen: int
    max_fen: int
    open: bool


@dataclass(frozen=True)
class Config:
    home: Path
    host: str
    port: int
    control_port: int
    control_token: str
    currency: str
    accounts: dict[str, Account]
    pay_types: dict[str, PayType]
    callback_delays_s: tuple[float, ...]
    expires_in_s: int
    max_skew_s: int
    pages: dict[str, str]


def read_config(config: dict[str, Any]) -> Config:
    """The typed configuration; `ConfigError` names what is missing or wrong."""
    accounts = [_account(item) for item in _objects(config, "accounts")]
    if not accounts:
        raise ConfigError("config.accounts must name at least one account")
    if len({account.mch_id for account in accounts}) != len(accounts):
        raise ConfigError("config.accounts must not name one mch_id twice")
    pay_types = [_pay_type(item) for item in _objects(config, "pay_types")]
    if not pay_types:
        pay_types = [PayType(code, MIN_FEN, MAX_FEN, True) for code in DEFAULT_PAY_TYPES]
    return Config(
        home=Path(config_text(config, "home")),
        host=check_loopback(str(config.get("host", "127.0.0.1"))),
        port=config_port(config, "port"),
        control_port=config_port(config, "control_port"),
        control_token=config_token(config, "control_token"),
        currency=str(config.get("currency", "CNY")),
        accounts={account.mch_id: account for account in accounts},
        pay_types={pay_type.code: pay_type for pay_type in pay_types},
        callback_delays_s=_delays(config),
        expires_in_s=_seconds(config, "expires_in_s", DEFAULT_EXPIRES_IN_S),
        max_skew_s=_seconds(config, "max_skew_s", DEFAULT_MAX_SKEW_S),
        pages=config_pages(config),
    )


def _objects(config: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = config.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"config.{key} must be a list of objects")
    return items


def _account(item: dict[str, Any]) -> Account:
    try:
        dialect = DialectName(item.get("dialect", DialectName.MD5_FORM))
    except ValueError:
        known = ", ".join(DialectName)
        raise ConfigError(f"config.accounts.dialect must be one of {known}") from None
    fee_ppm = item.get("fee_ppm", 0)
    whole = isinstance(fee_ppm, int) and not isinstance(fee_ppm, bool)
    if not whole or not 0 <= fee_ppm <= ALL_PPM:
        raise ConfigError(f"config.accounts.fee_ppm must be a whole number from 0 to {ALL_PPM}")
    is_rsa = dialect is DialectName.RSA
    return Account(
        mch_id=config_text(item, "mch_id"),
        name=config_text(item, "name"),
        institution=str(item.get("institution") or DEFAULT_INSTITUTION),
        dialect=dialect,
        key="" if is_rsa else config_text(item, "key"),
        public_key=_public_key(item) if is_rsa else None,
        fee_ppm=fee_ppm,
    )


def _public_key(item: dict[str, Any]) -> RSAPublicKey:
    try:
        return read_public_key(config_text(item, "public_key"))
    except ValueError as error:
        raise ConfigError("config.accounts.public_key must be an RSA public key in PEM") from error


def _pay_type(item: dict[str, Any]) -> PayType:
    code = config_text(item, "code")
    min_fen = parse_yuan(str(item.get("min", "0.01")))
    max_fen = parse_yuan(str(item.get("max", "50000.00")))
    if not min_fen or not max_fen or min_fen > max_fen:
        raise ConfigError(f'config.pay_types {code}: min and max must be amounts such as "0.01"')
    return PayType(code, min_fen, max_fen, bool(item.get("open", True)))


def _delays(config: dict[str, Any]) -> tuple[float, ...]:
    values = config.get("callback_delays_s", list(DEFAULT_DELAYS_S))
    numbers = isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        for value in values
    )
    if not numbers or not values:
        raise ConfigError("config.callback_delays_s must be a list of seconds, at least one")
    return tuple(float(value) for value in values)


def _seconds(config: dict[str, Any], key: str, default: int) -> int:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"config.{key} must be whole seconds, at least 1")
    return value
