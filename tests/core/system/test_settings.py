"""A missing or wrong setting is named with what was expected, and secrets are never shown."""

from __future__ import annotations

from base64 import b64encode
from ipaddress import ip_network
from pathlib import Path

import pytest

from core.system.settings import Settings, SettingsError, demo_settings, load_settings

ROOT = Path(__file__).resolve().parents[3]
KEY = b64encode(bytes(32)).decode()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_defaults_start_everything_embedded() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.redis_url is None
    assert (settings.host, settings.admin_host) == ("127.0.0.1", "127.0.0.1")
    assert not settings.allow_private_targets


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nADMIN_PORT=9001\nREDIS_URL=\n")
    monkeypatch.setenv("PORT", "9100")
    settings = load_settings()
    assert (settings.port, settings.admin_port, settings.redis_url) == (9100, 9001, None)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    monkeypatch.setenv("PAYDESK_OWNER_IDS", "1001,1002")
    settings = load_settings()
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))
    assert settings.paydesk_owner_ids == (1001, 1002)


def test_blanks_around_a_value_are_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "123456789:" + "A" * 35
    said = {
        "PUBLIC_URL": " https://desk.example/ \n",
        "TELEGRAM_API_BASE": "\thttps://api.example ",
        "OUTBOUND_PROXY": " http://desk:sesame@proxy.example:3128\r\n",
        "DATABASE_URL": " postgresql://desk@db/paydesk ",
        "REDIS_URL": "  ",
        "BOT_TOKEN": f" {token}\n",
        "MASTER_KEY": f"{KEY} ",
        "PORT": " 9000 ",
        "ALLOW_PRIVATE_TARGETS": " true ",
        "TRUSTED_PROXIES": " 10.0.0.0/8 , 192.0.2.1 ",
        "LOG_LEVEL": " ",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.public_url == "https://desk.example"
    assert settings.telegram_api_base == "https://api.example"
    secrets = (settings.outbound_proxy, settings.database_url, settings.bot_token,
               settings.master_key)  # fmt: skip
    assert [secret.get_secret_value() for secret in secrets if secret] == [
        "http://desk:sesame@proxy.example:3128", "postgresql://desk@db/paydesk", token, KEY,
    ]  # fmt: skip
    assert (settings.redis_url, settings.port, settings.log_level) == (None, 9000, "info")
    assert settings.allow_private_targets
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"),
        ("port", "70000"),
        ("trusted_proxies", "10.0.0.0/99"),
        ("paydesk_owner_ids", "linyue"),
        ("public_url", "desk.example"),
        ("log_level", "loud"),
        ("telegram_group_per_min", "21"),
        ("bot_token", "sesame-open-0123456789"),
        ("master_key", "c2VzYW1lLW9wZW4="),
        ("outbound_proxy", "desk:sesame@proxy.example:3128"),
        ("outbound_proxy", "socks5://desk:sesame@proxy.example"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name.upper(), value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    message = str(error.value)
    assert message.startswith(f"{name.upper()}: ")
    assert str(Settings.model_fields[name].description) in message
    if name in ("bot_token", "master_key", "outbound_proxy"):
        assert value not in message


def test_every_fault_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == ["PORT", "LOG_LEVEL"]


def test_secrets_do_not_show() -> None:
    token = "123456789:" + "A" * 35
    settings = load_settings(
        bot_token=token,
        master_key=KEY,
        database_url="postgresql://desk:hunter2@db/paydesk",
        outbound_proxy="http://desk:hunter2@proxy.example:3128",
    )
    shown = f"{settings!r} {settings} {settings.model_dump()}"
    assert "hunter2" not in shown
    assert token not in shown
    assert KEY not in shown
    assert settings.bot_token is not None
    assert settings.bot_token.get_secret_value() == token


def test_a_demo_hears_nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://real/paydesk")
    (tmp_path / ".env").write_text("PORT=9000\n")
    settings = demo_settings(port=8088)
    assert (settings.database_url, settings.port) == (None, 8088)
