"""Suppliers from a private chat: opened step by step, no secret seen, live and off."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final, get_args

import pytest

from core.delivery.outbox import Say
from core.runtime import Runtime
from handlers.commands import parse
from handlers.kit.dialogues import OPEN_FOR
from handlers.screens import render_say
from handlers.suppliers.buttons import SupplierAction
from tests.core.supply.onboarding.support import MORE_CREDENTIALS
from tests.core.supply.onboarding.support import approved as approve
from tests.handlers.dialogue import code, employed, restarted, says, taken_away
from tests.handlers.support import ADMIN, FINANCE, OPERATOR, OPS, SPRUCE, Desk, labelled, one_say

BASE_URL, MCH_ID, KEY = "http://127.0.0.1:1029", "880077", "/s3cr3t-of-the-supplier-0123456789"
FORWARDED: dict[str, Any] = {
    "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "somebody"}
}


# The English labels of what a card shows beside itself.
_LABELS: Final = {"keys": "Credentials", "versions": "Switch version"}


async def everywhere(runtime: Runtime) -> str:
    """All that the desk's tables say, and what is in Redis."""
    tables = await runtime.system.store.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')"
    )
    found = []
    for table in tables:
        rows = await runtime.system.store.fetch(
            f"SELECT row_to_json(t)::text AS r FROM {table[0]} t"
        )
        found += [row["r"] for row in rows]
    keys = [key async for key in runtime.system.redis.scan_iter("paydesk:dialogue:*")]
    found += [str(await runtime.system.redis.get(key)) for key in keys]
    return "\n".join(found)


async def begun(desk: Desk, admin: int) -> Say:
    """The first question."""
    listed = await desk.said(admin, admin, "供应商")
    return one_say(await desk.press(admin, admin, labelled(listed, "Open a supplier")))


async def opened(desk: Desk, admin: int, name: str) -> Say:
    """Everything is said but the credentials; the question for the first of them."""
    assert (await begun(desk, admin)).facts["step"] == "name"
    question = await desk.said(admin, admin, name)
    for text in (f"{name} W.L.L.", "SANDBOX-0077", "２０９９年12月31日"):
        question = await desk.said(admin, admin, text)
    question = one_say(await desk.press(admin, admin, labelled(question, "the merchant")))
    assert question.facts["step"] == "document"
    question = one_say(await desk.press(admin, admin, labelled(question, "sandbox_md5 v1")))
    return one_say(await desk.press(admin, admin, labelled(question, "CNY")))


async def give(desk: Desk, admin: int, text: str, **fields: Any) -> Say:
    """Write a credential; its message is taken away, whatever comes of it."""
    facts = await desk.say(admin, admin, text, **fields)
    assert taken_away(facts) == [desk.message_id]
    said = one_say([fact for fact in facts if isinstance(fact, Say)])
    assert said.reply_to is None, "a reply would quote it"
    assert text not in json.dumps(said.facts)
    return said


async def test_from_nothing_to_live_and_off_again(desk: Desk) -> None:
    admin = await employed(desk)
    question = await opened(desk, admin, "Gulf Pay")
    assert (question.screen, question.facts["name"]) == ("credential_question", "base_url")
    number = question.facts["supplier_no"]
    supplier = await desk.runtime.parties.suppliers.by_no(number)
    assert (supplier.name, supplier.state, supplier.currency) == ("Gulf Pay", "off", "CNY")
    assert str(supplier.licence_expires_on) == "2099-12-31"

    assert code(await give(desk, admin, "ftp://nowhere")) == "field_invalid"
    assert code(await give(desk, admin, BASE_URL, **FORWARDED)) == "answer_forwarded"
    restarted(desk)
    assert (await give(desk, admin, BASE_URL)).facts["name"] == "mch_id"
    card = await desk.said(admin, OPS, f"/supplier {number}")
    assert [key["set"] for key in card.facts["credentials"]] == [True, False, False]
    refused = one_say(await desk.press(admin, OPS, labelled(card, "Go live"), message_id=60))
    assert code(refused) == "supplier_not_ready"
    assert refused.facts["facts"]["missing"] == "credentials.mch_id, credentials.key"
    assert (await give(desk, admin, MCH_ID)).facts["name"] == "key"
    card = await give(desk, admin, KEY)  # it begins like a command, and is none
    assert (card.screen, card.facts["missing"]) == ("supplier", [])
    assert await desk.say(admin, admin, "and now?") == []
    kept = await desk.runtime.parties.suppliers.by_no(number)
    assert dict(kept.credentials) == {"base_url": BASE_URL, "mch_id": MCH_ID, "key": KEY}
    assert KEY not in await everywhere(desk.runtime)
    assert KEY not in render_say(card, "zh").html

    live = one_say(await desk.press(admin, admin, labelled(card, "Go live"), message_id=61))
    assert (live.edit_message_id, live.facts["state"]) == (61, "live")
    assert await desk.press(admin, admin, labelled(card, "Go live")) == []
    assert desk.line.answers[-1].show_alert, "it is live already"
    assert await desk.press(admin, OPS, labelled(live, "Switch off")) == []
    assert f"/supplier {number} off" in desk.toast
    asked = one_say(await desk.press(admin, admin, labelled(live, "Switch off")))
    assert asked.screen == "supplier_off"
    off = await desk.said(admin, admin, "合同到期")
    assert off.facts["state"] == "off"
    listed = await desk.said(admin, OPS, "/suppliers")
    line = next(line for line in listed.facts["lines"] if line["supplier_no"] == number)
    assert (line["state"], line["missing"], line["days_left"] > 20_000) == ("off", [], True)
    actions = await desk.runtime.system.store.fetch("SELECT action FROM audit ORDER BY at, id")
    assert [row["action"] for row in actions] == [
        "open_supplier", *["set_credentials"] * 3, "supplier_live", "supplier_off",
    ]  # fmt: skip


async def test_mistakes_at_every_step_are_told_and_asked_again(desk: Desk) -> None:
    admin = await employed(desk)
    before = len(await desk.runtime.parties.suppliers.all())
    await begun(desk, admin)
    assert code(await desk.said(admin, admin, "x" * 65)) == "field_invalid"
    assert code(await desk.said(admin, admin, "Gulf", **FORWARDED)) == "answer_forwarded"
    hint = await desk.said(admin, admin, "/supliers")
    assert hint.screen == "no_command", "no command, and no name"
    question = await desk.said(admin, admin, "Gulf Pay")
    later = labelled(question, "Later")
    question = one_say(await desk.press(admin, admin, later))
    assert question.facts["step"] == "licence_no"
    assert await desk.press(admin, admin, later) == [], "that question is over"
    question = await desk.said(admin, admin, "+1000")  # an answer, and no money
    assert question.facts["step"] == "licence_expires_on"
    for text in ("soon", "12-31", "2027-12", "2027-02-30", "2027-01-01~2027-01-02"):
        assert code(await desk.said(admin, admin, text)) == "answer_unreadable"
    assert code(await desk.said(admin, admin, "2020-12-31")) == "licence_day_past"
    await desk.feed(edited_message=desk.message(admin, admin, text="2099-12-31", edit_date=1))
    assert await desk.news() == [], "an edited message is no answer"
    question = await desk.said(admin, admin, "2099/12/31")
    assert code(await desk.said(admin, admin, "me")) == "answer_unreadable"
    question = await desk.said(admin, admin, "持牌机构")
    assert code(await desk.said(admin, admin, "epay v9")) == "answer_unreadable"
    question = await desk.said(admin, admin, "SANDBOX_MD5 v1")
    assert code(await desk.said(admin, admin, "XYZ")) == "currency_unknown"
    assert len(await desk.runtime.parties.suppliers.all()) == before
    ended = one_say(await desk.press(admin, admin, labelled(question, "Cancel")))
    assert ended.screen == "dialogue_ended"
    assert await desk.say(admin, admin, "CNY") == []
    assert len(await desk.runtime.parties.suppliers.all()) == before
    for user_id, chat, expected in (
        (admin, OPS, "private_only"), (admin, SPRUCE, "staff_only"),
        (OPERATOR, OPERATOR, "not_permitted"),
    ):  # fmt: skip
        assert code(await desk.said(user_id, chat, "/suppliers new")) == expected


async def test_a_dialogue_outlives_the_process_but_not_the_hour(desk: Desk) -> None:
    admin = await employed(desk)
    await begun(desk, admin)
    restarted(desk)
    question = await desk.said(admin, admin, "Gulf Pay")
    assert question.facts["step"] == "legal_name"
    left_s = await desk.runtime.system.redis.ttl(f"paydesk:dialogue:{admin}")
    assert timedelta(0) < timedelta(seconds=left_s) <= OPEN_FOR


async def test_two_at_once_get_two_suppliers_and_a_redelivery_none(desk: Desk) -> None:
    one, two = await employed(desk), await employed(desk)
    before = len(await desk.runtime.parties.suppliers.all())
    for admin in (one, two):
        await begun(desk, admin)
    numbers = set()
    for admin, name in ((one, "Gulf Pay"), (two, "Reef Pay")):
        question = await desk.said(admin, admin, name)
        for _ in range(4):
            question = one_say(await desk.press(admin, admin, labelled(question, "Later")))
        question = one_say(await desk.press(admin, admin, labelled(question, "sandbox_md5 v1")))
        numbers.add(question.facts["supplier_no"])
        kept = await desk.runtime.system.redis.get(f"paydesk:dialogue:{admin}")
        first = await desk.said(admin, admin, "CNY")
        assert first.facts["name"] == "base_url"
        # The process died after the supplier was opened, before the dialogue moved on.
        died = json.loads(kept or "{}")
        died["facts"]["supplier_no"] = first.facts["supplier_no"]
        await desk.runtime.system.redis.set(f"paydesk:dialogue:{admin}", json.dumps(died))
        again = await desk.said(admin, admin, "CNY")
        assert again.facts["supplier_no"] == first.facts["supplier_no"]
    assert len(numbers) == 1, "both were to have the same number"
    assert len(await desk.runtime.parties.suppliers.all()) == before + 2

    message = desk.message(one, one, text="http://127.0.0.1:1030")
    for _ in range(3):
        await desk.feed(message=message)
    facts = await desk.news()
    assert [say.facts["name"] for say in says(facts)] == ["mch_id"]
    assert set(taken_away(facts)) == {message["message_id"]}
    trail = await desk.runtime.system.store.fetch("SELECT action FROM audit ORDER BY at, id")
    assert [row["action"] for row in trail].count("set_credentials") == 1


async def test_another_version_and_back_with_the_credentials_it_needs(desk: Desk) -> None:
    admin, other = await employed(desk), await employed(desk)
    await opened(desk, admin, "Gulf Pay")
    for text in (BASE_URL, MCH_ID):
        await give(desk, admin, text)
    card = await give(desk, admin, KEY)
    number = card.facts["supplier_no"]
    await approve(desk.runtime, MORE_CREDENTIALS)
    await desk.news()
    stale = await desk.said(other, other, f"供应商 {number}")
    versions = one_say(await desk.press(admin, admin, labelled(card, "Switch version")))
    old = one_say(await desk.press(other, other, labelled(stale, "Switch version")))
    assert await desk.press(admin, OPS, labelled(versions, "sandbox_md5 v2")) == []
    assert desk.line.answers[-1].show_alert, "credentials are asked for in private"
    question = one_say(await desk.press(admin, admin, labelled(versions, "sandbox_md5 v2")))
    assert (question.facts["name"], question.facts["of"]) == ("app_id", 2)
    assert (await give(desk, admin, "app-7777")).facts["name"] == "terminal"
    asked = await give(desk, admin, "terminal-8888")
    assert (asked.screen, asked.facts["after"]) == ("supplier_switch", "sandbox_md5 v2")
    yes = labelled(asked, "Switch it")
    switched = one_say(await desk.press(admin, OPS, yes, message_id=70))
    assert (switched.facts["document"], switched.edit_message_id) == ("sandbox_md5 v2", 70)
    for data in (yes, labelled(old, "sandbox_md5 v2")):
        assert await desk.press(other, OPS, data) == []
        assert desk.line.answers[-1].show_alert, "it was switched meanwhile"
    back = labelled(switched, "Roll back")
    facts = says(await desk.press(other, OPS, back, message_id=71))
    assert {fact.screen for fact in facts} == {"supplier", "alarm_rolled_back"}
    assert await desk.press(other, OPS, back) == [], "a twin goes back no further"
    forth = await desk.said(admin, OPS, f"/supplier {number} switch sandbox_md5 v2")
    assert forth.facts["document"] == "sandbox_md5 v2"
    back_again = says(await desk.say(admin, OPS, f"供应商 {number} 回滚"))
    assert back_again[-1].facts["document"] == "sandbox_md5 v1"


async def test_one_thing_is_said_anew_typed_or_asked(desk: Desk) -> None:
    admin = await employed(desk)
    card = await desk.said(admin, admin, "/supplier S01")
    question = one_say(await desk.press(admin, admin, labelled(card, "Settles to")))
    after = one_say(await desk.press(admin, admin, labelled(question, "institution")))
    assert after.facts["settles_to"] == "licensed_institution"
    question = one_say(await desk.press(admin, admin, labelled(card, "Licence expires")))
    assert code(await desk.said(admin, admin, "2020-01-01")) == "licence_day_past"
    after = await desk.said(admin, admin, "2098-01-31")
    assert after.facts["licence_expires_on"] == "2098-01-31"
    for text, field, value in (
        ("/supplier S01 name Harbour", "name", "Harbour"),
        ("供应商 S01 主体 海港支付 有限公司", "legal_name", "海港支付 有限公司"),
        ("供应商 S01 牌照 Z2007", "licence_no", "Z2007"),
        ("供应商 S01 到期 2097年1月2日", "licence_expires_on", "2097-01-02"),
        ("/supplier S01 settles merchant", "settles_to", "merchant"),
    ):
        assert (await desk.said(admin, OPS, text)).facts[field] == value
    for text, expected in (
        ("/supplier S01 expires 2020-01-01", "licence_day_past"),
        ("/supplier S01 settles me", "field_invalid"), ("/supplier S01 off", "reason_missing"),
        ("/supplier S01 live", "supplier_live_already"), ("/supplier S99", "supplier_not_found"),
        ("/supplier S01 switch epay", "answer_unreadable"),
        ("/supplier S01 back", "nothing_to_roll_back"),
    ):  # fmt: skip
        assert code(await desk.said(admin, OPS, text)) == expected
    old = int((desk.runtime.system.clock.now() - timedelta(hours=1)).timestamp())
    stale = await desk.said(admin, OPS, "/supplier S01 off it ends", date=old)
    assert stale.screen == "stale_money"
    assert (await desk.runtime.parties.suppliers.by_no("S01")).state == "live"


async def test_a_key_may_come_as_a_file_and_be_replaced(desk: Desk) -> None:
    admin = await employed(desk)
    card = await desk.said(admin, admin, "供应商 S01")
    keys = one_say(await desk.press(admin, admin, labelled(card, "Credentials")))
    question = one_say(await desk.press(admin, admin, labelled(keys, "key")))
    assert (question.facts["name"], question.facts["set"]) == ("key", True)
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEs3cr3t\n-----END PRIVATE KEY-----"
    facts = await desk.send(admin, admin, "huge.pem", b"k" * 8193)
    assert (code(says(facts)[0]), taken_away(facts)) == ("file_too_large", [desk.message_id])
    facts = await desk.send(admin, admin, "key.pem", pem.encode())
    told = {say.screen: say for say in says(facts)}
    assert set(told) == {"alarm_credentials", "supplier"}
    assert taken_away(facts) == [desk.message_id]
    after = told["supplier"]
    assert (after.facts["state"], after.facts["waiting"]) == ("off", ["key"])
    assert await desk.press(admin, OPS, labelled(after, "Go live")) == []
    assert desk.line.answers[-1].show_alert, "who set it does not put it live"
    second = await employed(desk)
    live = says(await desk.press(second, OPS, labelled(after, "Go live")))[-1]
    assert (live.facts["state"], live.facts["waiting"]) == ("live", [])
    assert (await desk.runtime.parties.suppliers.by_no("S01")).credentials["key"] == pem
    assert "MIIEs3cr3t" not in await everywhere(desk.runtime)

    question = one_say(await desk.press(admin, admin, labelled(keys, "mch_id")))
    after = one_say(await desk.press(admin, admin, labelled(question, "Leave it")))
    assert after.screen == "supplier"


@pytest.mark.parametrize("document", ["proposed", "approved"])
async def test_with_a_document_that_waits_nothing_goes_live(desk: Desk, document: str) -> None:
    """The right to open is no right to approve."""
    author, admin = await employed(desk), await employed(desk)
    actor = await desk.runtime.people.access.actor(author, "", author, private=True)
    made = await desk.runtime.supply.documents.propose(actor, MORE_CREDENTIALS)
    if document == "approved":
        boss = await desk.runtime.people.access.actor(admin, "", admin, private=True)
        await desk.runtime.supply.documents.approve(boss, made)
    await desk.news()
    await begun(desk, admin)
    question = await desk.said(admin, admin, "Gulf Pay")
    for _ in range(4):
        question = one_say(await desk.press(admin, admin, labelled(question, "Later")))
    question = one_say(await desk.press(admin, admin, labelled(question, "sandbox_md5 v2")))
    question = one_say(await desk.press(admin, admin, labelled(question, "CNY")))
    for _ in range(5):
        question = one_say(await desk.press(admin, admin, labelled(question, "Later")))
    missing = question.facts["missing"]
    assert ("document_approved" in missing) == (document == "proposed")
    assert missing[0] == "legal_name"
    assert len([gate for gate in missing if gate.startswith("credentials.")]) == 5
    for language, words in (("zh", "凭据 terminal"), ("en", "the credential terminal")):
        assert words in render_say(question, language).html


async def test_what_the_card_offers_can_be_said_as_well(desk: Desk) -> None:
    said = {
        "live": "上线", "off": "停用 合同到期", "back": "回滚", "versions": "版本", "keys": "密钥",
        "name": "名称 海港", "legal_name": "主体 海港支付", "licence_no": "牌照 Z2007",
        "licence_expires_on": "到期 2097-01-02", "settles_to": "结算 商户",
    }  # fmt: skip
    assert set(said) == set(get_args(SupplierAction)) - {"open"}
    for action, words in said.items():
        intent = parse(f"供应商 S01 {words}")
        part = getattr(intent, "part", None)
        assert (part or getattr(intent, "change", None)) == action
    for words, pressed in (("密钥", "keys"), ("切换", "versions"), ("版本", "versions")):
        card = await desk.said(ADMIN, ADMIN, "供应商 S01")
        by_button = one_say(await desk.press(ADMIN, ADMIN, labelled(card, _LABELS[pressed])))
        by_words = await desk.said(ADMIN, ADMIN, f"供应商 S01 {words}")
        assert (by_words.screen, by_words.facts) == (by_button.screen, by_button.facts)
        for who, chat_id, why in ((ADMIN, SPRUCE, "staff_only"), (FINANCE, OPS, "not_permitted")):
            refusal = await desk.said(who, chat_id, f"供应商 S01 {words}")
            assert refusal.facts["code"] == why
