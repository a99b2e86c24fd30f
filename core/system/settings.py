"""Every setting of the desk, typed, from the environment or a `.env` file.

The documented list for people is `.env.example`; a test keeps the two equal. A missing or wrong
setting is named together with what was expected; values of secrets are never shown.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

Network = IPv4Network | IPv6Network
_BOT_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{30,64}", re.ASCII)
_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as people may see it. name: of the environment. value: of a secret `set` or
    `not set`, of an address with a password in it likewise; empty where none is set."""

    name: str
    value: str
    secret: bool


class SettingsError(Exception):
    """One or more settings are missing or wrong. The message has a line for each."""


def _commas(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _networks(value: object) -> object:
    parts = _commas(value)
    return [ip_network(part) for part in parts] if isinstance(parts, list) else parts


def _web_address(value: object) -> object:
    if isinstance(value, str) and value:
        _HTTP_URL.validate_python(value)
        return value.rstrip("/")
    return value


def _bot_token(value: object) -> object:
    if isinstance(value, str) and not _BOT_TOKEN.fullmatch(value):
        raise ValueError("this is not a bot token")
    return value


def _proxy(value: object) -> object:
    if isinstance(value, str):
        try:
            _HTTP_URL.validate_python(value)
        except ValidationError:  # its own words would show the password
            raise ValueError("this is not an http or https URL") from None
    return value


def _master_key(value: object) -> object:
    if isinstance(value, str):
        try:
            size = len(b64decode(value, validate=True))
        except ValueError:
            size = 0
        if size != 32:
            raise ValueError("this is not base64 of 32 bytes")
    return value


WebAddress = Annotated[str, BeforeValidator(_web_address)]
Port = Annotated[int, Field(ge=0, lt=32768)]


class Settings(BaseSettings):
    """The desk's settings. Field names are those of the environment in lower case."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _bare(cls, value: object, info: ValidationInfo) -> object:
        """Blanks around a value, as files and forms leave them, mean nothing; a value of nothing
        else is none."""
        if not isinstance(value, str) or value == value.strip():
            return value
        return value.strip() or cls.model_fields[str(info.field_name)].get_default()

    paydesk_home: Path = Field(Path("var"), description="folder of the embedded servers' data")
    database_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host/db; empty starts the embedded PostgreSQL"
    )
    database_owner_url: SecretStr | None = Field(
        None, description="the same database as its owner, for migrations; default DATABASE_URL"
    )
    database_front_max: int = Field(
        8, ge=2, le=64, description="connections per process for requests, callbacks and payers"
    )
    database_loops_max: int = Field(
        7, ge=2, le=64, description="connections per process for queues, chats and the timetable"
    )
    redis_url: SecretStr | None = Field(
        None,
        description="redis://host:port/0, ?socket_timeout=0.2 where it is far; empty starts the"
        " embedded Valkey",
    )
    host: str = Field("127.0.0.1", description="address the desk listens on")
    port: Port = Field(8080, description="port of the desk")
    workers: int = Field(
        1, ge=1, le=16, description="processes that serve the port; one of them does all else too"
    )
    admin_host: str = Field("127.0.0.1", description="address of /readyz and /metrics")
    admin_port: Port = Field(8081, description="port of /readyz and /metrics")
    drain_notice_s: float = Field(
        5, ge=0, le=120, description="seconds at a stop in which /readyz says so, ports still open"
    )
    public_url: WebAddress | None = Field(
        None, description="https:// address under which the desk is reached from outside"
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (), description="networks whose X-Forwarded-For counts, for example 10.0.0.0/8"
    )
    bot_token: Annotated[SecretStr, BeforeValidator(_bot_token)] | None = Field(
        None, description="the bot's token from @BotFather, like 123456789:AAE…"
    )
    telegram_api_base: WebAddress = Field(
        "https://api.telegram.org", description="address of the Bot API server"
    )
    paydesk_owner_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_commas)] = Field(
        (), description="numeric Telegram ids of the first owners, with commas"
    )
    master_key: Annotated[SecretStr, BeforeValidator(_master_key)] | None = Field(
        None, description="base64 of 32 bytes that seal secrets in the database"
    )
    allow_private_targets: bool = Field(
        False, description="true lets the desk call private addresses (tests and demo only)"
    )
    outbound_proxy: Annotated[SecretStr, BeforeValidator(_proxy)] | None = Field(
        None,
        description="http://name:password@host:port through which the desk calls suppliers"
        " and merchants",
    )
    telegram_group_per_min: int = Field(
        18, ge=1, le=20, description="messages and edits a minute per group"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="log level")


# Everybody's completion password on a desk that is a demo; whoever is asked for it there is told.
DEMO_PASSWORD: Final = "paydesk-demo"  # noqa: S105 (no secret: a production desk has none like it)


class DemoSettings(Settings):
    """A demo's settings: only what is handed in counts, never the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(**values: Any) -> Settings:
    """Settings from keyword values, then the environment, then `.env` in the working folder.

    Raises SettingsError with one line per setting that is missing or wrong.
    """
    return _explained(Settings, {"_env_file": ".env", **values})


def demo_settings(**values: Any) -> Settings:
    """Settings of a demo, from keyword values alone. Raises SettingsError."""
    return _explained(DemoSettings, values)


def shown(settings: Settings) -> tuple[Shown, ...]:
    """Every setting without its secrets, in the order of `.env.example`."""
    return tuple(_shown(name, getattr(settings, name)) for name in Settings.model_fields)


def _shown(name: str, value: object) -> Shown:
    secret = "SecretStr" in str(Settings.model_fields[name].annotation)
    if secret:
        return Shown(name.upper(), "not set" if value is None else "set", secret=True)
    if value is None:
        return Shown(name.upper(), "", secret=False)
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return Shown(name.upper(), text, secret=False)


def _explained(kind: type[Settings], values: dict[str, Any]) -> Settings:
    try:
        return kind(**values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]).lower() if fault["loc"] else "?"
        field = Settings.model_fields.get(name)
        wanted = f" (expected: {field.description})" if field else ""
        lines.append(f"{name.upper()}: {fault['msg']}{wanted}")
    return "\n".join(lines)
