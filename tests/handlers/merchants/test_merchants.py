"""Merchants in the chat: opened step by step, reviewed by two, their keys shown to one."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest

from core.delivery.outbox import ApprovalCard, Fact, Say
from core.parties.merchants import KeptApp, Merchant
from handlers.approvals.buttons import AnswerApproval
from handlers.merchants.buttons import OnApp, OnMerchant, TakeKeys, TurnProduct
from tests.core.support import set_setting
from tests.handlers.dialogue import code, employed, restarted, says, taken_away
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    OPS,
    OWNER,
    SHOWN_FROM,
    SPRUCE,
    SUQING,
    Desk,
    Killed,
    labelled,
)

PASSWORD = "correct horse battery"
FACTS = ("Spruce Tea Ltd", "91310000MA1K", "tea", "https://spruce.example", "Mei, +86 138")


async def merchant_of(desk: Desk, merchant_no: str = "M1001") -> Merchant:
    return await desk.runtime.parties.merchants.by_no(merchant_no)


async def apps_of(desk: Desk, merchant_no: str = "M1001") -> list[KeptApp]:
    merchant = await merchant_of(desk, merchant_no)
    return await desk.runtime.parties.merchants.apps.all(merchant)


def last(facts: list[Fact]) -> Say:
    return says(facts)[-1]


async def proving(desk: Desk, user_id: int) -> None:
    actor = await desk.runtime.people.access.actor(user_id, "x", user_id, private=True)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    await desk.news()  # ops is told
    await desk.news()


def shown_secrets(desk: Desk, at: int = -1) -> tuple[str, str]:
    """(API secret, notification secret) of what was shown past the outbox."""
    text = getattr(desk.line.shown[at], "text", "")
    _, api, notify = (part.partition("</code>")[0] for part in text.split("<code>")[1:4])
    return api, notify


async def nowhere(desk: Desk, *secrets: str) -> None:
    store = desk.runtime.system.store
    for table in ("outbox", "audit", "approval", "telegram_update", "cause", "app"):
        for row in await store.fetch(f"SELECT t::text AS said FROM {table} t"):
            for secret in secrets:
                assert secret not in row["said"], table


async def opened(desk: Desk, user_id: int) -> str:
    """Open a merchant step by step; its number."""
    say = last(await desk.say(user_id, user_id, "商户 新增"))
    number = str(say.facts["merchant_no"])
    say = last(await desk.press(user_id, user_id, labelled(say, number)))
    for answer in ("云茶", "cny", "asia/shanghai", "6:00", *FACTS):
        assert say.screen == "merchant_question", say
        say = last(await desk.say(user_id, user_id, answer))
    assert say.screen == "merchant"
    return number


async def test_a_merchant_is_opened_step_by_step(desk: Desk) -> None:
    user_id = await employed(desk)
    say = last(await desk.say(user_id, user_id, "/merchant new"))
    assert (say.facts["step"], say.facts["merchant_no"]) == ("merchant_no", "M1003")
    (refused,) = says(await desk.say(user_id, user_id, "M1001"))
    assert code(refused) == "merchant_exists"
    (refused,) = says(await desk.say(user_id, user_id, "1001"))
    assert code(refused) == "field_invalid"
    say = last(await desk.say(user_id, user_id, "m2001"))
    assert say.facts["step"] == "name"
    (refused,) = says(await desk.say(user_id, user_id, "x" * 65))
    assert code(refused) == "field_invalid"
    say = last(await desk.say(user_id, user_id, "云茶"))
    (refused,) = says(await desk.say(user_id, user_id, "XXX"))
    assert code(refused) == "currency_unknown"
    say = last(await desk.press(user_id, user_id, labelled(say, "CNY")))
    (refused,) = says(await desk.say(user_id, user_id, "Atlantis"))
    assert code(refused) == "zone_unknown"
    restarted(desk)
    say = last(await desk.press(user_id, user_id, labelled(say, "Europe/Berlin")))
    (refused,) = says(await desk.say(user_id, user_id, "25:00"))
    assert code(refused) == "time_invalid"
    say = last(await desk.press(user_id, user_id, labelled(say, "06:00")))
    for step in ("legal_name", "licence_no", "category", "site"):
        assert say.facts["step"] == step
        say = last(await desk.press(user_id, user_id, labelled(say, "Later")))
    say = last(await desk.press(user_id, user_id, labelled(say, "Later")))
    assert (say.screen, say.facts["merchant_no"], say.facts["reviewed"]) == (
        "merchant", "M2001", False,
    )  # fmt: skip
    merchant = await merchant_of(desk, "M2001")
    assert (merchant.name, merchant.currency, merchant.day_cut.zone) == (
        "云茶", "CNY", "Europe/Berlin",
    )  # fmt: skip
    assert await desk.say(user_id, user_id, "no answer any more") == []


async def test_an_answer_that_comes_again_opens_no_second_one(desk: Desk) -> None:
    user_id = await employed(desk)
    number = await opened(desk, user_id)
    before = len(await desk.runtime.parties.merchants.everybody())
    await desk.feed(message={**desk.message(user_id, user_id, text=FACTS[-1]),
                             "message_id": desk.message_id - 1})  # fmt: skip
    assert len(await desk.runtime.parties.merchants.everybody()) == before
    assert (await merchant_of(desk, number)).name == "云茶"


async def test_an_ops_group_is_asked_nothing(desk: Desk) -> None:
    user_id = await employed(desk)
    merchant = await merchant_of(desk)
    told = says(await desk.say(user_id, OPS, "商户 新增"))
    assert {one.screen for one in told} == {"merchant_question", "on_in_private"}
    assert await desk.say(user_id, OPS, "M2001") == []
    say = last(await desk.say(user_id, user_id, "M2001"))
    assert say.facts["step"] == "name"
    told = says(await desk.press(user_id, OPS, OnMerchant(merchant.id, "site").data()))
    assert {one.screen for one in told} == {"merchant_question", "on_in_private"}
    say = last(await desk.say(user_id, user_id, "https://spruce.example"))
    assert say.facts["site"] == "https://spruce.example"
    await desk.press(user_id, OPS, OnMerchant(merchant.id, "suspend").data())
    assert "/merchant M1001 suspend" in desk.toast
    assert (await merchant_of(desk)).state == "open"


async def test_a_second_person_passes_the_review(desk: Desk) -> None:
    user_id = await employed(desk)
    number = await opened(desk, user_id)
    (card,) = [
        fact for fact in await desk.say(user_id, user_id, f"商户 {number} 提交审核")
        if isinstance(fact, ApprovalCard) and not fact.posted
    ][:1]  # fmt: skip
    approval_id = UUID(card.approval_id)
    merchant = await merchant_of(desk, number)
    await desk.press(user_id, OPS, AnswerApproval(approval_id, True).data())
    assert desk.line.answers[-1].show_alert
    await desk.press(FINANCE, OPS, AnswerApproval(approval_id, True).data())
    assert desk.line.answers[-1].show_alert
    assert not (await merchant_of(desk, number)).reviewed
    told = await desk.press(OWNER, OPS, AnswerApproval(approval_id, True).data())
    assert "merchant_reviewed" in [say.screen for say in says(told)]
    assert (await merchant_of(desk, number)).reviewed
    say = last(await desk.say(user_id, user_id, f"/merchant {number} site https://new.example"))
    assert (say.screen, say.facts["changed"]) == ("merchant", True)
    assert labelled(say, "Ask for the review") == OnMerchant(merchant.id, "review").data()


async def test_list_search_and_card(desk: Desk) -> None:
    say = await desk.said(ADMIN, ADMIN, "商户")
    assert [line["merchant_no"] for line in say.facts["lines"]] == ["M1001", "M1002"]
    say = await desk.said(ADMIN, OPS, "/merchants northwind")
    assert [line["merchant_no"] for line in say.facts["lines"]] == ["M1002"]
    say = await desk.said(ADMIN, ADMIN, "商户 云杉")
    assert [line["merchant_no"] for line in say.facts["lines"]] == ["M1001"]
    assert await desk.say(ADMIN, OPS, "商户反馈说失败了") == [], "talk in a group"
    assert await desk.say(ADMIN, SPRUCE, "商户") == []
    assert await desk.say(SUQING, SPRUCE, "商户 M1001") == []
    say = await desk.said(ADMIN, SPRUCE, "/merchants")
    assert code(say) == "staff_only"
    await desk.say(ADMIN, ADMIN, "/merchant M1001 contact Mei")
    say = await desk.said(ADMIN, ADMIN, "/merchant M1001")
    assert (say.facts["contact"], bool(say.facts["apps"]), bool(say.facts["products"])) == (
        "Mei", True, True,
    )  # fmt: skip
    assert say.facts["groups"]
    say = await desk.said(ADMIN, OPS, "/merchant M1001")
    assert say.facts["contact"] == "", "personal data is not for groups"
    assert code(await desk.said(ADMIN, ADMIN, "/merchant M9999")) == "merchant_not_found"


async def test_typed_and_pressed_are_the_same(desk: Desk) -> None:
    user_id = await employed(desk)
    merchant = await merchant_of(desk)
    say = last(await desk.say(user_id, user_id, "商户 M1001 停用 合同到期"))
    assert say.facts["state"] == "suspended"
    say = last(await desk.press(user_id, user_id, labelled(say, "Resume")))
    assert say.facts["state"] == "open"
    say = last(await desk.press(user_id, user_id, labelled(say, "Suspend")))
    assert say.facts["step"] == "suspend"
    say = last(await desk.say(user_id, user_id, "合同到期"))
    assert say.facts["state"] == "suspended"
    say = last(await desk.press(user_id, user_id, labelled(say, "Archive")))
    assert (await merchant_of(desk)).state == "archived"
    say = last(await desk.say(user_id, user_id, "/merchant M1001 resume"))
    assert say.facts["state"] == "open"
    say = last(await desk.press(user_id, user_id, OnMerchant(merchant.id, "name").data()))
    assert say.facts["step"] == "name"
    assert code(last(await desk.say(user_id, user_id, " "))) == "field_invalid"
    say = last(await desk.say(user_id, user_id, "云杉二店"))
    assert (say.screen, say.facts["name"]) == ("merchant", "云杉二店")
    say = last(await desk.press(user_id, user_id, OnMerchant(merchant.id, "products").data()))
    turn = TurnProduct(merchant.id, "alipay_qr", "off").data()
    for _ in range(2):
        say = last(await desk.press(user_id, user_id, turn))
        assert [line["state"] for line in say.facts["lines"] if line["code"] == "alipay_qr"] == [
            "off"
        ]
    assert "alipay_qr" not in await desk.runtime.parties.merchants.offers.of(merchant)


async def test_test_keys_are_shown_once_in_private(desk: Desk) -> None:
    user_id = await employed(desk)
    merchant = await merchant_of(desk)
    say = last(await desk.press(user_id, user_id, OnMerchant(merchant.id, "test").data()))
    assert say.facts["step"] == "test"
    told = await desk.say(user_id, user_id, "till")
    assert last(told).screen == "app"
    api, notify = shown_secrets(desk)
    app = (await apps_of(desk))[-1]
    assert (app.name, app.app.secrets, app.app.notify_secrets) == ("till", (api,), (notify,))
    later = await desk.runtime.system.store.fetchrow(
        "SELECT facts, due_at - created_at AS after FROM outbox WHERE topic = 'take_away'"
        " ORDER BY created_at DESC LIMIT 1"
    )
    assert later is not None
    assert later["facts"]["message_id"] == SHOWN_FROM + 1
    assert 55 < later["after"].total_seconds() <= 60
    told = await desk.press(user_id, user_id, OnApp(app.id, "rotate").data())
    newer, _ = shown_secrets(desk)
    assert last(told).facts["old_until"] is not None
    assert (await apps_of(desk))[-1].app.secrets == (newer, api)
    say = last(await desk.press(user_id, user_id, labelled(last(told), "End the old keys")))
    assert say.facts["old_until"] is None
    assert (await apps_of(desk))[-1].app.secrets == (newer,)
    await nowhere(desk, api, newer, notify)


async def test_from_an_ops_group_test_keys_are_shown_in_private(desk: Desk) -> None:
    user_id = await employed(desk)
    told = await desk.say(user_id, user_id, "/merchant M1001 app test till")
    app = (await apps_of(desk))[-1]
    shown = len(desk.line.shown)
    told = await desk.press(user_id, OPS, OnApp(app.id, "rotate").data())
    assert {say.screen for say in says(told)} == {"app", "on_in_private"}
    assert len(desk.line.shown) == shown, "nothing is shown before it is asked for there"
    assert (await apps_of(desk))[-1].app == app.app


async def test_live_keys_take_a_second_person_and_a_factor(desk: Desk) -> None:
    user_id = await employed(desk)
    (live, *_) = [one for one in await apps_of(desk) if one.app.mode == "live"]
    rotate = OnApp(live.id, "rotate").data()
    await desk.press(user_id, user_id, rotate)
    assert desk.line.answers[-1].show_alert, "no factor"
    await proving(desk, user_id)
    cards = [one for one in await desk.press(user_id, OPS, rotate) if isinstance(one, ApprovalCard)]
    approval_id = UUID(cards[0].approval_id)
    told = await desk.press(OWNER, OPS, AnswerApproval(approval_id, True).data())
    (ready,) = [say for say in says(told) if say.screen == "keys_ready"]
    assert desk.line.shown == []
    take = TakeKeys(UUID(ready.facts["approval_id"]))
    await desk.press(OWNER, OWNER, take.data())
    assert desk.line.answers[-1].show_alert, "they are the asker's"
    say = last(await desk.press(user_id, user_id, take.data()))
    assert say.screen == "prove_keys"
    told = await desk.say(user_id, user_id, "wrong password")
    assert [code(one) for one in says(told)] == ["factor_wrong"]
    assert taken_away(told) == [desk.message_id]
    restarted(desk)
    told = await desk.say(user_id, user_id, PASSWORD)
    assert desk.message_id in taken_away(told)
    api, notify = shown_secrets(desk)
    assert (await apps_of(desk))[0].app.secrets[0] == api or api in [
        one.app.secrets[0] for one in await apps_of(desk)
    ]
    await desk.press(user_id, user_id, take.data())
    assert len(desk.line.shown) == 1, "once"
    await nowhere(desk, api, notify, PASSWORD)


async def test_keys_that_could_not_be_shown_are_taken_back(desk: Desk) -> None:
    """Of an app that has others: they count on, and do not end. One without others is no more."""
    user_id = await employed(desk)
    await desk.say(user_id, user_id, "/merchant M1001 app test till")
    before = (await apps_of(desk))[-1]
    desk.line.shows = False
    told = await desk.press(user_id, user_id, OnApp(before.id, "rotate").data())
    assert says(told) == []
    assert desk.line.answers[-1].show_alert
    assert (await apps_of(desk))[-1].app == before.app
    await desk.press(user_id, user_id, OnMerchant(before.app.merchant.id, "test").data())
    assert code(last(await desk.say(user_id, user_id, "other"))) == "keys_unseen"
    assert [one.state for one in await apps_of(desk)][-1] == "withdrawn"
    desk.line.shows = True
    await desk.press(user_id, user_id, OnApp(before.id, "rotate").data())
    api, _ = shown_secrets(desk)
    assert (await apps_of(desk))[-2].app.secrets == (api, *before.app.secrets)


async def test_live_keys_that_could_not_be_shown_are_asked_for_again(desk: Desk) -> None:
    user_id = await employed(desk)
    await proving(desk, user_id)
    await set_setting(desk.runtime, "keys_second", value=False)
    (live, *_) = [one for one in await apps_of(desk) if one.app.mode == "live"]
    await desk.press(user_id, user_id, OnApp(live.id, "rotate").data())
    desk.line.shows = False
    assert code(last(await desk.say(user_id, user_id, PASSWORD))) == "keys_unseen"
    assert (await apps_of(desk))[0].app == live.app
    assert await desk.say(user_id, user_id, "hello") == [], "the dialogue is over"
    desk.line.shows = True
    await desk.press(user_id, user_id, OnApp(live.id, "rotate").data())
    await desk.say(user_id, user_id, PASSWORD)
    assert shown_secrets(desk)[0] == (await apps_of(desk))[0].app.secrets[0]


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_where_the_desk_dies_before_it_knows_that_keys_were_seen_they_count_no_longer(
    desk: Desk, when: Literal["before", "after"], *, new: bool
) -> None:
    """The message comes again: whoever asked is told, and asks again. Those before do not end."""
    user_id = await employed(desk)
    await proving(desk, user_id)
    await set_setting(desk.runtime, "keys_second", value=False)
    before = await apps_of(desk)
    (live, *_) = [one for one in before if one.app.mode == "live"]
    if new:
        await desk.say(user_id, user_id, "/merchant M1001 app live till")
    else:
        await desk.press(user_id, user_id, OnApp(live.id, "rotate").data())
    message = desk.message(user_id, user_id, text=PASSWORD)
    desk.line.killed = when
    with pytest.raises(Killed):
        await desk.feed(message=message)
    assert await apps_of(desk) != before, "they are made, and nobody knows who saw them"
    await desk.news()
    restarted(desk)
    desk.line.killed = None
    for said in ("keys_unseen", None):
        await desk.feed(message=message)
        told = says(await desk.news())
        assert [code(one) for one in told] == ([said] if said else [])
    after = await apps_of(desk)
    assert [one for one in after if one.state == "open"] == before
    assert [one.state for one in after if one.id not in {kept.id for kept in before}] == (
        ["withdrawn"] if new else []
    )
    await desk.press(user_id, user_id, OnApp(live.id, "rotate").data())
    await desk.say(user_id, user_id, PASSWORD)
    (kept,) = [one for one in await apps_of(desk) if one.id == live.id]
    assert kept.app.secrets == (shown_secrets(desk)[0], *live.app.secrets)
    assert kept.unseen is None


async def test_what_is_set_of_an_app(desk: Desk) -> None:
    user_id = await employed(desk)
    say = last(await desk.say(user_id, user_id, "/merchant M1001 limit 100"))
    places = [place for place, one in enumerate(await apps_of(desk), start=1)]
    if len(places) > 1:
        assert code(say) == "app_needed"
    say = last(await desk.say(user_id, user_id, "/merchant M1001 limit #1 100"))
    assert (say.screen, say.facts["calls_per_s"]) == ("app", 100)
    say = last(await desk.say(user_id, user_id, "/merchant M1001 ip #1 203.0.113.7 10.0.0.0/8"))
    assert say.facts["ip_allow"] == ["203.0.113.7", "10.0.0.0/8"]
    for text, refused in (
        ("/merchant M1001 ip #1 shop.example", "field_invalid"),
        ("/merchant M1001 limit #1 0", "field_invalid"),
        ("/merchant M1001 notify #1 shop.example", "field_invalid"),
        ("/merchant M1001 limit #99 5", "app_not_found"),
    ):
        assert code(last(await desk.say(user_id, user_id, text))) == refused
    app = (await apps_of(desk))[0]
    assert (app.app.calls_per_s, app.app.ip_allow) == (100, ("203.0.113.7", "10.0.0.0/8"))
    say = last(await desk.press(user_id, user_id, OnApp(app.id, "ip").data()))
    assert say.facts["step"] == "ip"
    say = last(await desk.say(user_id, user_id, "off"))
    assert say.facts["ip_allow"] == []
    say = last(await desk.press(user_id, user_id, OnApp(app.id, "limit").data()))
    assert code(last(await desk.say(user_id, user_id, "many"))) == "answer_unreadable"
    say = last(await desk.say(user_id, user_id, "２００"))
    assert say.facts["calls_per_s"] == 200
    say = last(await desk.press(user_id, user_id, OnApp(app.id, "revoke").data()))
    say = last(await desk.say(user_id, user_id, "泄露"))
    assert say.facts["state"] == "withdrawn"
    say = last(await desk.say(user_id, user_id, "/merchant M1001 limit #1 5"))
    assert code(say) == "key_unknown"


@pytest.mark.parametrize("user_id", [SUQING, FINANCE])
async def test_whoever_may_not_changes_nothing(desk: Desk, user_id: int) -> None:
    merchant, app = await merchant_of(desk), (await apps_of(desk))[0]
    for chat_id in (user_id, SPRUCE, OPS):
        for button in (
            OnMerchant(merchant.id, "open"), OnMerchant(merchant.id, "archive"),
            OnMerchant(merchant.id, "test"), OnApp(app.id, "open"), OnApp(app.id, "end_old"),
            OnApp(app.id, "rotate"), TurnProduct(merchant.id, "alipay_qr", "off"),
        ):  # fmt: skip
            assert says(await desk.press(user_id, chat_id, button.data())) == []
    assert (await merchant_of(desk), (await apps_of(desk))[0]) == (merchant, app)
