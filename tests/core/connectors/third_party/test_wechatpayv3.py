"""WeChat Pay's document of v3 against wechatpayv3: it signs, sends, proves and opens as we do.

A platform of the test's own stands for WeChat, with keys made here: it proves what comes with the
library's routines and signs what it answers with them; the library's client and the engine's
requests go to it over HTTP.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from wechatpayv3 import WeChatPayType
from wechatpayv3.utils import build_authorization

from core.connectors import Accepted, AttemptFacts, Callback, HttpAnswer, InvalidCallback
from core.kernel.money import Money
from tests.core.connectors.third_party.wechat import (
    AUTHORIZATION,
    CONNECTOR,
    FACTS,
    MADE,
    NOW,
    PAID,
    PREPAY_ID,
    REFUNDED,
    UPSTREAM_NO,
    Client,
    Listener,
    Platform,
    certificate,
    private,
    public_pem,
    sent,
)

CHINA: Final = timezone(timedelta(hours=8))
NONCE: Final = "7d1c5b93e0a84f26"
WAYS: Final = {
    "native": WeChatPayType.NATIVE, "h5": WeChatPayType.H5, "jsapi": WeChatPayType.JSAPI,
    "app": WeChatPayType.APP,
}  # fmt: skip


@pytest.fixture(scope="module", params=["public key", "certificate"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    key = generate_private_key(65537, 2048)
    if request.param == "public key":
        made = Platform(key, MADE["platform_serial"], public_pem(key))
    else:
        given = certificate(key)
        pem = given.public_bytes(serialization.Encoding.PEM).decode()
        made = Platform(key, f"{given.serial_number:X}", pem)
    listener = type("Listening", (Listener,), {"platform": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), listener)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def library(platform: Platform, tmp_path: Path) -> Client:
    return Client(platform, tmp_path)


def ask(operation: str, platform: Platform, facts: AttemptFacts = FACTS) -> HttpAnswer:
    now = datetime.now(UTC)
    return sent(CONNECTOR.build(operation, facts, platform.credentials, now=now, nonce=NONCE))


def called(body: str, headers: Mapping[str, str]) -> Callback:
    lower = {name.lower(): value for name, value in headers.items()}
    return Callback("POST", "", lower, body.encode(), "203.0.113.9")


@pytest.mark.parametrize("way", WAYS)
def test_an_order_is_sent_and_answered_as_the_librarys(
    platform: Platform, library: Client, way: str
) -> None:
    scene: dict[str, object] = {"payer_client_ip": FACTS.client_ip}
    status, _ = library.pay(
        description=FACTS.subject,
        out_trade_no=FACTS.attempt_no,
        amount={"total": 1234, "currency": "CNY"},
        payer={"openid": FACTS.payer_id} if way == "jsapi" else None,
        time_expire=FACTS.expires_at.astimezone(CHINA).isoformat(timespec="seconds"),
        scene_info={**scene, "h5_info": {"type": "Wap"}} if way == "h5" else scene,
        notify_url=FACTS.notify_url,
        pay_type=WAYS[way],
    )
    facts = replace(FACTS, channel_code=way)
    answer = ask("create", platform, facts)
    assert (status, answer.status) == (200, 200)
    theirs, ours = platform.asked[-2:]
    assert theirs[:3] == ours[:3]
    assert ours[3] == platform.serial
    reading = CONNECTOR.read_create(
        answer, facts, platform.credentials, now=datetime.now(UTC), nonce=NONCE
    )
    assert isinstance(reading, Accepted)
    assert reading.pay.kind == {"native": "qr", "h5": "url"}.get(way, way)


def test_everything_else_is_sent_and_answered_as_the_librarys(
    platform: Platform, library: Client
) -> None:
    number, refund = FACTS.attempt_no, FACTS.refund
    assert refund is not None
    money = {"refund": 500, "total": 1234, "currency": "CNY"}
    theirs: dict[str, Callable[[], tuple[int, str]]] = {
        "query": lambda: library.query(out_trade_no=number),
        "close": lambda: library.close(number),
        "refund": lambda: library.refund(
            refund.refund_no, money, out_trade_no=number, reason=refund.reason
        ),
        "refund_query": lambda: library.query_refund(refund.refund_no),
    }
    states = {}
    for operation, call in theirs.items():
        status, _ = call()
        answer = ask(operation, platform)
        assert (status, platform.asked[-2][:3]) == (answer.status, platform.asked[-1][:3])
        keys, now = platform.credentials, datetime.now(UTC)
        read = CONNECTOR.read_refund if "refund" in operation else CONNECTOR.read_standing
        states[operation] = read(operation, answer, FACTS, keys, now=now).state
        # The same words, not signed by the platform, or long ago, prove nothing.
        forged = replace(answer, headers={**answer.headers, "wechatpay-nonce": "another"})
        assert read(operation, forged, FACTS, keys, now=now).state == "unknown"
        late = now + timedelta(seconds=302)
        assert read(operation, answer, FACTS, keys, now=late).state == "unknown"
    assert states == {
        "query": "paid", "close": "closed", "refund": "pending", "refund_query": "succeeded",
    }  # fmt: skip


def test_our_authorization_is_the_librarys() -> None:
    request = CONNECTOR.build("create", FACTS, MADE, now=NOW, nonce=NONCE)
    path = urlsplit(request.url).path
    theirs = build_authorization(
        path, "POST", MADE["mch_id"], MADE["cert_serial"], private(MADE),
        data=request.body.decode(), nonce_str=NONCE,
    )  # fmt: skip
    said = AUTHORIZATION.fullmatch(theirs)
    assert said is not None
    then = datetime.fromtimestamp(int(said.group(4)), UTC)
    ours = CONNECTOR.build("create", FACTS, MADE, now=then, nonce=NONCE)
    assert ours.headers["Authorization"] == theirs


def test_another_merchants_key_is_turned_away(platform: Platform) -> None:
    own = generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keys = {**platform.credentials, "private_key": own.decode()}
    now = datetime.now(UTC)
    answer = sent(CONNECTOR.build("query", FACTS, keys, now=now, nonce=NONCE))
    assert answer.status == 401
    assert CONNECTOR.read_standing("query", answer, FACTS, keys, now=now).state == "unknown"


@pytest.mark.parametrize("way", ["jsapi", "app"])
def test_what_an_app_or_page_is_handed_is_signed_as_the_library_signs(
    platform: Platform, library: Client, way: str
) -> None:
    facts = replace(FACTS, channel_code=way)
    now = datetime.now(UTC)
    answer = ask("create", platform, facts)
    reading = CONNECTOR.read_create(answer, facts, platform.credentials, now=now, nonce=NONCE)
    assert isinstance(reading, Accepted)
    handed = json.loads(reading.pay.value)
    stamp = str(int(now.timestamp()))
    last = f"prepay_id={PREPAY_ID}" if way == "jsapi" else PREPAY_ID
    signed = library.sign([MADE["app_id"], stamp, NONCE, last])
    if way == "jsapi":
        assert handed == {
            "appId": MADE["app_id"], "timeStamp": stamp, "nonceStr": NONCE, "package": last,
            "signType": "RSA", "paySign": signed,
        }  # fmt: skip
    else:
        assert handed == {
            "appid": MADE["app_id"], "partnerid": MADE["mch_id"], "prepayid": PREPAY_ID,
            "package": "Sign=WXPay", "noncestr": NONCE, "timestamp": stamp, "sign": signed,
        }  # fmt: skip


def test_a_callback_is_opened_by_both_or_by_neither(platform: Platform, library: Client) -> None:
    def both(body: str, headers: Mapping[str, str]) -> str:
        """What it says to us; the library must agree."""
        theirs = library.callback(dict(headers), body)
        try:
            events = CONNECTOR.verify(
                called(body, headers), platform.credentials, currency="CNY", now=datetime.now(UTC)
            )
        except InvalidCallback:
            assert theirs is None
            return "invalid"
        assert theirs is not None
        if not events:
            return "ignored"
        assert events[0].attempt_no == theirs["resource"]["out_trade_no"]
        assert events[0].paid == Money(theirs["resource"]["amount"]["total"], "CNY")
        return events[0].state

    body = platform.notice(PAID)
    headers = platform.signs(body)
    assert both(body, headers) == "paid"
    assert both(body.replace("EV-1", "EV-2"), headers) == "invalid"
    assert both(body + " ", headers) == "invalid"
    for name in ("Wechatpay-Timestamp", "Wechatpay-Nonce"):
        assert both(body, {**headers, name: str(int(time.time()) + 1)}) == "invalid"
    other = Platform(generate_private_key(65537, 2048), platform.serial, "")
    assert both(body, other.signs(body)) == "invalid"
    probe = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"][19:]
    assert both(body, {**headers, "Wechatpay-Signature": probe}) == "invalid"
    told = {**REFUNDED, "mchid": MADE["mch_id"], "refund_status": "SUCCESS"}
    notice = platform.notice(told, "REFUND.SUCCESS")
    assert both(notice, platform.signs(notice)) == "ignored"


@pytest.mark.parametrize("content", [{**PAID, "mchid": "1900000110"}, {"mchid": ""}, []])
def test_what_is_rightly_signed_but_not_ours_is_not_believed(
    platform: Platform, content: object
) -> None:
    body = platform.notice(content)
    came = called(body, platform.signs(body))
    with pytest.raises(InvalidCallback):
        CONNECTOR.verify(came, platform.credentials, currency="CNY", now=datetime.now(UTC))


def test_a_callback_of_five_minutes_ago_is_not_believed(platform: Platform) -> None:
    body, now = platform.notice(PAID), datetime.now(UTC)
    for seconds, believed in ((-302, False), (-290, True), (290, True), (302, False)):
        came = called(body, platform.signs(body, int(now.timestamp()) + seconds))
        if believed:
            CONNECTOR.verify(came, platform.credentials, currency="CNY", now=now)
            continue
        with pytest.raises(InvalidCallback, match="300 s"):
            CONNECTOR.verify(came, platform.credentials, currency="CNY", now=now)


def test_while_wechat_changes_its_key_the_old_and_the_new_one_count(platform: Platform) -> None:
    new, foreign = (Platform(generate_private_key(65537, 2048), "", "") for _ in range(2))
    keys = {**platform.credentials, "platform_key": f"{platform.pinned}\n{public_pem(new.key)}"}
    body, now = platform.notice(PAID), datetime.now(UTC)
    for signer in (platform, new):
        came = called(body, signer.signs(body))
        (event,) = CONNECTOR.verify(came, keys, currency="CNY", now=now)
        assert (event.state, event.upstream_no) == ("paid", UPSTREAM_NO)
    with pytest.raises(InvalidCallback):
        CONNECTOR.verify(called(body, foreign.signs(body)), keys, currency="CNY", now=now)


def test_the_library_reads_the_callbacks_of_our_fixtures(tmp_path: Path) -> None:
    shared = Platform(private(MADE), MADE["platform_serial"], MADE["platform_key"])
    library = Client(shared, tmp_path)
    marks = {
        "Wechatpay-Serial": shared.serial,
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }
    read = {}
    for case in CONNECTOR.fixtures.cases:
        if case.kind == "verify":
            said = library.callback({**case.headers, **marks}, case.body)
            read[case.about] = said and said["resource"].get("trade_state", "none")
    assert read == {
        "verify callback: paid": "SUCCESS",
        "a changed body under a real signature": None,
        "rightly signed, sealed with another key": None,
        "another merchant's, rightly signed and sealed": "SUCCESS",  # the library does not look
        "a real one of five minutes ago, sent once more": "SUCCESS",  # nor at the time
        "WeChat tries whether we look: its signature is wrong on purpose": None,
        "of a refund: what we ask about": "none",
    }
