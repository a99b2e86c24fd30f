"""Settings in the chat: read by whoever watches the desk, set by owners."""

from __future__ import annotations

import pytest
import yaml

from core.people.setting_changes import DEFAULT, Wanted
from core.system.settings import load_settings, shown
from handlers.commands import parse
from handlers.kit.intents import Usage
from handlers.screens import render_say
from handlers.settings.buttons import RefreshSettings, TurnSwitch
from handlers.settings.words import ChangeSetting, ShowSettings
from tests.handlers.dialogue import code, employed, files, says
from tests.handlers.support import ADMIN, FINANCE, OPS, OWNER, SPRUCE, SUQING, Desk
from tests.handlers.telegram_html import read_html

TOKEN = "123456789:" + "A" * 35


@pytest.mark.parametrize(
    ("text", "name", "wanted", "currency"),
    [
        ("设置 prepay_second 2万", "prepay_second", 20_000, ""),
        ("/settings prepay_second 20,000 USD", "prepay_second", 20_000, "USD"),
        ("/settings PREPAY_DAILY OFF", "prepay_daily", None, ""),
        ("设置 prepay_daily 关 usd", "prepay_daily", None, "USD"),
        ("设置 keys_second 开", "keys_second", True, ""),
        ("/settings keys_second off", "keys_second", False, ""),
        ("/settings prepay_second 默认 KWD", "prepay_second", DEFAULT, "KWD"),
    ],
)
def test_a_setting_is_typed(text: str, name: str, wanted: Wanted, currency: str) -> None:
    assert parse(text) == ChangeSetting(name, wanted, currency)


@pytest.mark.parametrize(
    "text",
    [
        "/settings nothing 5", "/settings prepay_second", "/settings prepay_second 1.5",
        "/settings prepay_second on", "/settings keys_second 5", "/settings keys_second on USD",
        "/settings prepay_second 5 USD CNY", "/settings prepay_second 5 u", "/settings 5",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_answered_with_how_to_write_it(text: str) -> None:
    assert parse(text) == Usage("settings")


def test_talk_about_settings_is_talk() -> None:
    assert parse("设置") == ShowSettings()
    assert parse("设置成功") is None
    assert parse("设置 好了") is None


async def test_whoever_watches_reads_them_and_owners_alone_have_the_switches(desk: Desk) -> None:
    (owners,) = says(await desk.say(OWNER, OWNER, "/settings"))
    (admins,) = says(await desk.say(ADMIN, OPS, "设置"))
    assert (owners.facts["may_change"], admins.facts["may_change"]) == (True, False)
    pressed = [
        one.callback_data
        for row in render_say(owners, "zh").keyboard.inline_keyboard  # type: ignore[union-attr]
        for one in row
    ]
    assert TurnSwitch("keys_second", on=False).data() in pressed
    for user_id, chat_id, why in (
        (FINANCE, OPS, "not_permitted"), (SUQING, SPRUCE, "not_permitted"),
        (OWNER, SPRUCE, "staff_only"),
    ):  # fmt: skip
        assert code(says(await desk.say(user_id, chat_id, "/settings"))[0]) == why
    await desk.press(FINANCE, OPS, RefreshSettings().data())
    assert desk.line.answers[-1].show_alert
    (again,) = says(await desk.press(ADMIN, OPS, RefreshSettings().data()))
    assert again.edit_message_id is not None


async def test_a_switch_is_turned_by_two_off_and_by_one_on(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    await employed(desk, "owner")
    facts = await desk.press(OWNER, OWNER, TurnSwitch("keys_second", on=False).data())
    assert [fact.topic for fact in facts if fact.topic == "approval"], "the card of a second owner"
    assert await settings.switched_on("keys_second")
    facts = await desk.press(ADMIN, OPS, TurnSwitch("keys_second", on=False).data())
    assert desk.line.answers[-1].show_alert
    await desk.say(OWNER, OWNER, "/settings hire_second off")
    waits = await desk.runtime.system.store.fetchval(
        "SELECT count(*) FROM approval WHERE kind = 'setting' AND state = 'open'"
    )
    assert waits == 2
    told = says(await desk.say(OWNER, OWNER, "/settings prepay_second 20000"))
    assert {one.screen for one in told} == {"setting_changed"}
    assert len(told) == 2, "in private, and to the ops group"
    assert await settings.value("prepay_second") == 20_000


async def test_the_environment_is_shown_without_its_secrets(desk: Desk) -> None:
    told = shown(load_settings(bot_token=TOKEN, paydesk_owner_ids="1,2", _env_file=None))
    desk.dispatcher.workflow_data["environment"] = told
    (say,) = says(await desk.say(OWNER, OWNER, "/settings"))
    text = read_html(render_say(say, "zh").html)
    assert "BOT_TOKEN 已设置" in text
    assert "MASTER_KEY 未设置" in text
    assert "PAYDESK_OWNER_IDS 1, 2" in text
    assert TOKEN not in str(say)
    secret = {one.name for one in told if one.secret}
    assert secret == {
        "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BOT_TOKEN", "MASTER_KEY",
        "OUTBOUND_PROXY",
    }  # fmt: skip


async def test_the_configuration_is_one_file_without_secrets(desk: Desk) -> None:
    await desk.say(OWNER, OWNER, "/settings prepay_second 20000")
    facts = await desk.say(ADMIN, OPS, "导出配置")
    (file,) = files(facts)
    assert file.name.endswith(".yaml")
    found = yaml.safe_load(file.text)
    assert set(found) == {
        "settings", "people", "groups", "products", "documents", "suppliers", "channels", "costs",
        "merchants", "apps", "offers", "rates",
    }  # fmt: skip
    for kind in found:
        assert found[kind], kind
    assert found["settings"][0]["value"] == 20_000
    assert {one["merchant_no"] for one in found["merchants"]} >= {"M1001", "M1002"}
    assert OWNER in [one["user_id"] for one in found["people"]]
    assert "sealed" not in file.text
    assert "hash" not in file.text
    merchant = await desk.runtime.parties.merchants.by_no("M1001")
    for app in await desk.runtime.parties.merchants.apps.of(merchant):
        assert app.key_id in file.text
        for secret in (*app.secrets, *app.notify_secrets):
            assert secret not in file.text
    for supplier in await desk.runtime.parties.suppliers.all():
        for value in supplier.credentials.values():
            assert not value or value.startswith("http") or value not in file.text
    (again,) = files(await desk.say(ADMIN, OPS, "/export_config"))
    assert again.text == file.text, "the same desk is told in the same words"


async def test_the_configuration_is_for_those_who_watch(desk: Desk) -> None:
    for user_id, chat_id, why in (
        (FINANCE, OPS, "not_permitted"), (SUQING, SPRUCE, "not_permitted"),
        (OWNER, SPRUCE, "staff_only"),
    ):  # fmt: skip
        assert code(says(await desk.say(user_id, chat_id, "/export_config"))[0]) == why
