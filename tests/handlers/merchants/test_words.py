"""How merchants and their apps are spoken of."""

from __future__ import annotations

import pytest

from handlers.buttons import read_button
from handlers.commands import parse
from handlers.kit.intents import Intent, Usage
from handlers.merchants.buttons import OnApp, OnMerchant, TakeKeys, TurnMerchants, TurnProduct, read
from handlers.merchants.words import BeginMerchant, ChangeApp, ChangeMerchant, ShowMerchants
from tests.handlers.written import ID

NO = "M1001"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/merchants", ShowMerchants()),
        ("商户", ShowMerchants(slash=False)),
        ("/merchant m1001", ShowMerchants(NO)),
        ("商户 Ｍ１００１", ShowMerchants(NO, slash=False)),
        ("/merchants green tea", ShowMerchants(words="green tea")),
        ("商户 云杉", ShowMerchants(words="云杉", slash=False)),
        ("/merchants suspended", ShowMerchants(state="suspended")),
        ("商户 已停用 茶", ShowMerchants(words="茶", state="suspended", slash=False)),
        ("/merchant new", BeginMerchant()),
        ("商户 新增", BeginMerchant()),
        ("商户 M1001 停用 合同到期", ChangeMerchant(NO, "suspend", "合同到期")),
        ("/merchant M1001 suspend", ChangeMerchant(NO, "suspend")),
        ("/merchant M1001 resume", ChangeMerchant(NO, "resume")),
        ("商户 M1001 归档", ChangeMerchant(NO, "archive")),
        ("商户 M1001 提交审核", ChangeMerchant(NO, "review")),
        ("/merchant M1001 name Green Tea", ChangeMerchant(NO, "name", "Green Tea")),
        ("/merchant M1001 site https://a.example", ChangeMerchant(NO, "site", "https://a.example")),
        ("/merchant M1001 app test till 2", ChangeApp(NO, "open", None, "test till 2")),
        ("商户 M1001 应用 正式", ChangeApp(NO, "open", None, "live")),
        ("商户 M1001 重置密钥 #2", ChangeApp(NO, "rotate", 2)),
        ("/merchant M1001 rotate", ChangeApp(NO, "rotate")),
        ("/merchant M1001 endold ＃2", ChangeApp(NO, "end_old", 2)),
        ("/merchant M1001 notify #2 https://a.example/Hear",
         ChangeApp(NO, "notify_url", 2, "https://a.example/Hear")),
        ("/merchant M1001 ip 203.0.113.7 10.0.0.0/8",
         ChangeApp(NO, "ip", None, "203.0.113.7 10.0.0.0/8")),
        ("商户 M1001 白名单 关闭", ChangeApp(NO, "ip")),
        ("/merchant M1001 limit １００", ChangeApp(NO, "limit", None, "100")),
        ("/merchant M1001 limit #3 100", ChangeApp(NO, "limit", 3, "100")),
        ("/merchant M1001 ping", ChangeApp(NO, "ping")),
        ("/merchant M1001 revoke #1 it leaked", ChangeApp(NO, "revoke", 1, "it leaked")),
        ("/merchant M1001 revoke", ChangeApp(NO, "revoke")),
    ],
)  # fmt: skip
def test_what_is_said(text: str, meant: Intent) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "/merchant M1001 fly", "/merchant M1001 resume now",
        "/merchant M1001 name", "/merchant M1001 app", "/merchant M1001 app big till",
        "/merchant M1001 app #1 test", "/merchant M1001 notify", "/merchant M1001 limit many",
        "/merchant M1001 limit -5", "/merchant M1001 ip", "/merchant M1001 ping now",
        "/merchants " + "茶" * 14, "商户 M1001 怎么了",
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_answered_with_how_it_is_written(text: str) -> None:
    assert isinstance(parse(text), Usage)


@pytest.mark.parametrize(
    "button",
    [
        TurnMerchants(100_000, "茶" * 13, "suspended"), TurnMerchants(1, "a:b", ""),
        OnMerchant(ID, "legal_name"), OnApp(ID, "notify_url"), TurnProduct(ID, "p" * 32, "off"),
        TakeKeys(ID),
    ],
)  # fmt: skip
def test_buttons_are_read_back(button: OnMerchant) -> None:
    assert len(button.data().encode()) <= 64
    assert read(button.data().split(":")) == button


@pytest.mark.parametrize(
    "data",
    ["mers:0::", "mers:1:gone:", "mers:1::" + "茶" * 14, "mer:fly:x", "mp:on:x:UPPER", "mapp:x:y"],
)
def test_forged_buttons_are_none(data: str) -> None:
    assert read_button(data) is None
