"""From a file in a private chat to a document that a second person approved."""

from __future__ import annotations

import pytest

from core.connectors import load
from core.delivery.outbox import Say
from handlers.commands import parse
from handlers.documents.words import DecideDocument, ShowDocuments
from handlers.kit.dialogues import Cancel
from handlers.screens import render_say
from handlers.suppliers.words import BeginSupplier, ChangeSupplier, ShowSuppliers
from tests.core.supply.onboarding.support import (
    ELSEWHERE,
    FORGERY_BELIEVED,
    NO_CALLBACK,
    TEXT,
    numbered,
)
from tests.handlers.dialogue import code, employed, files, restarted, says
from tests.handlers.support import (
    FINANCE,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUQING,
    Desk,
    labelled,
    one_say,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/documents", ShowDocuments()), ("对接映射", ShowDocuments()),
        ("/document EPAY", ShowDocuments("epay")), ("对接映射 epay v2", ShowDocuments("epay", 2)),
        ("／document ｅｐａｙ ｖ２", ShowDocuments("epay", 2)),
        ("/document epay 2 approve", DecideDocument("epay", 2, "approve")),
        ("对接映射 epay v2 驳回 签名 不对", DecideDocument("epay", 2, "reject", "签名 不对")),
        ("/suppliers", ShowSuppliers()), ("供应商 s01", ShowSuppliers("S01")),
        ("供应商 新增", BeginSupplier()), ("/supplier new", BeginSupplier()),
        ("供应商 S01 停用 合同到期", ChangeSupplier("S01", "off", "合同到期")),
        ("/supplier S01 off", ChangeSupplier("S01", "off")),
        ("/supplier S01 live", ChangeSupplier("S01", "live")),
        ("/supplier S01 switch epay v3", ChangeSupplier("S01", "switch", "epay v3")),
        ("/supplier S01 expires 2027-12-31",
         ChangeSupplier("S01", "licence_expires_on", "2027-12-31")),
        ("取消", Cancel()), ("/cancel", Cancel()),
    ],
)  # fmt: skip
def test_what_is_meant(text: str, meant: object) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    "text", ["供应商说今天维护", "供应商那边好了", "取消订单吧", "对接映射怎么写"]
)
def test_talk_is_talk(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["/document epay v2 sing", "/document epay x", "/document 支付", "/supplier S1 live",
     "/supplier S01 live now", "/supplier S01 name", "/supplier S01 fly", "/suppliers new one"],
)  # fmt: skip
def test_what_cannot_be_read_is_told_how(text: str) -> None:
    assert type(parse(text)).__name__ == "Usage"


async def test_a_document_from_the_file_to_the_approval(desk: Desk) -> None:
    author, second = await employed(desk), await employed(desk)
    listed = await desk.said(author, author, "/documents")
    assert listed.screen == "documents"
    checked = one_say(
        await desk.send(author, author, "x.yaml", ELSEWHERE.encode(), caption="their\nword")
    )
    assert (checked.screen, checked.facts["summary"]["sound"], checked.facts["note"]) == (
        "document_checked", True, "their word",
    )  # fmt: skip
    assert checked.facts["summary"]["signing"]["steps"].startswith("md5")
    assert checked.facts["former"] == "sandbox_md5 v1"
    assert checked.facts["diff_lines"] >= len(checked.facts["diff"]) > 0

    (shown, *rest) = await desk.press(author, author, labelled(checked, "Dry run"))
    assert isinstance(shown, Say)
    request = shown.facts["request"]
    assert request["url"].endswith("/gateway/create")
    assert "4e1f6c0b9d2a47358c61" not in str(shown.facts)
    assert "&key=" in request["signed"]
    assert all("4e1f6c0b9d2a47358c61" not in file.text for file in files(rest))
    came = next(
        case for case in load(ELSEWHERE).fixtures.cases
        if (case.kind, case.gives) == ("verify", "paid")
    )  # fmt: skip
    read = await desk.said(author, author, f"callback {came.body}")
    assert (read.screen, read.facts["gives"]) == ("dry_read", "paid")
    assert all(step["ok"] for step in read.facts["steps"])
    read = await desk.said(author, author, f"callback\n{came.body}0")
    assert (read.facts["gives"], read.facts["steps"][-1]["name"]) == ("invalid", "signature")
    assert "4e1f6c0b9d2a47358c61" not in str(read.facts)
    read = await desk.said(author, author, 'query {"code": "0"}')
    assert read.facts["gives"] == "unknown"
    (diff,) = files(await desk.press(author, author, labelled(checked, "What changes")))
    assert (diff.name, "success: thanks" in diff.text) == ("sandbox_md5.diff", True)

    restarted(desk)
    noted = await desk.said(author, author, "it answers in another word")
    assert noted.facts["note"] == "it answers in another word"
    assert await desk.press(author, author, labelled(checked, "Propose")) == []
    assert desk.line.answers[-1].show_alert, "the former question is over"
    facts = says(await desk.press(author, author, labelled(noted, "Propose"), message_id=90))
    by_screen = {fact.screen: fact for fact in facts}
    alarm, card = by_screen["alarm_document"], by_screen["document"]
    assert (card.edit_message_id, card.facts["state"]) == (90, "proposed")
    assert (alarm.facts["note"], alarm.facts["diff_lines"] > 0) == (card.facts["note"], True)
    assert await desk.press(author, author, labelled(noted, "Propose")) == []  # a twin

    assert await desk.press(author, OPS, labelled(alarm, "Approve"), message_id=91) == []
    assert desk.line.answers[-1].show_alert
    for user_id in (OPERATOR, FINANCE, STRANGER):
        assert await desk.press(user_id, OPS, labelled(alarm, "Approve"), message_id=91) == []
    assert await desk.press(second, OPS, labelled(alarm, "Reject"), message_id=91) == []
    assert "/document sandbox_md5 v2 reject" in desk.toast, "no conversation in a group"
    facts = says(await desk.press(second, OPS, labelled(alarm, "Approve"), message_id=91))
    told = {fact.screen: fact for fact in facts}
    assert (told["document"].edit_message_id, told["document"].facts["state"]) == (91, "approved")
    assert told["document_decided"].facts["state"] == "approved"
    chats = await desk.runtime.system.store.fetch(
        "SELECT chat_id FROM outbox WHERE facts->>'screen' = 'document_decided'"
        " AND facts->'facts'->>'document' = 'sandbox_md5 v2'"
    )
    assert [row["chat_id"] for row in chats] == [author]
    assert await desk.press(second, OPS, labelled(alarm, "Approve"), message_id=91) == []
    assert desk.line.answers[-1].show_alert
    one = await desk.said(second, OPS, "对接映射 sandbox_md5")
    assert one.facts["document"] == "sandbox_md5 v2"
    (text,) = files(await desk.press(second, OPS, labelled(one, "The document")))
    assert text.text == ELSEWHERE


async def test_reasons_are_asked_in_private_and_typed_in_groups(desk: Desk) -> None:
    author, second = await employed(desk), await employed(desk)
    checked = one_say(await desk.send(author, author, "a.yml", ELSEWHERE.encode()))
    await desk.press(author, author, labelled(checked, "Propose"))
    card = await desk.said(second, second, "/document sandbox_md5 v2")
    asked = one_say(await desk.press(second, second, labelled(card, "Reject"), message_id=70))
    assert asked.screen == "document_why"
    forwarded = {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "x"}}
    assert code(await desk.said(second, second, "no", **forwarded)) == "answer_forwarded"
    assert code(await desk.said(second, second, "a\nb")) == "field_invalid"
    facts = says(await desk.say(second, second, "+100 is what they sign"))
    assert {fact.screen for fact in facts} == {"document", "document_decided"}
    assert facts[0].facts["why"] == "+100 is what they sign"
    assert await desk.say(second, second, "and so on") == []  # the dialogue is over

    checked = one_say(await desk.send(author, author, "a.yml", numbered(3).encode()))
    await desk.press(author, author, labelled(checked, "Propose"))
    refused = await desk.said(second, OPS, "/document sandbox_md5 v3 reject")
    assert code(refused) == "reason_missing"
    own = await desk.said(author, OPS, "/document sandbox_md5 v3 approve")
    assert code(own) == "second_person_needed"
    withdrawn = says(await desk.say(author, OPS, "对接映射 sandbox_md5 v3 撤回 写错了"))
    assert withdrawn[-1].facts["state"] == "withdrawn"
    again = await desk.said(author, OPS, "对接映射 sandbox_md5 v3 撤回 写错了")
    assert code(again) == "document_state"
    assert code(await desk.said(author, OPS, "/document sandbox_md5 v9")) == "document_not_found"


async def test_mistakes_are_told_and_keep_nothing(desk: Desk) -> None:
    admin = await employed(desk)
    before = await desk.runtime.system.store.fetchval("SELECT count(*) FROM connector_document")

    async def sent(name: str, content: bytes) -> Say:
        return says(await desk.send(admin, admin, name, content))[0]

    assert await desk.send(admin, admin, "contract.pdf", b"%PDF") == []  # no dialogue asked for it
    listed = await desk.said(admin, admin, "/documents")
    wanted = one_say(await desk.press(admin, admin, labelled(listed, "Send a document")))
    assert wanted.screen == "document_wanted"
    assert code(await sent("contract.pdf", b"%PDF")) == "file_not_yaml"
    assert code(await sent("big.yaml", b"#" * (64 * 1024 + 1))) == "file_too_large"
    assert code(await sent("gbk.yaml", "名称: 支付".encode("gbk"))) == "file_not_text"
    assert (await sent("bom.yaml", b"\xef\xbb\xbf" + TEXT.encode())).screen == "document_checked"

    faulty = await sent("x.yaml", b"connector: Bad\nnmae: x\n")
    assert (faulty.screen, faulty.facts["total"] >= 3) == ("document_faults", True)
    for language in ("zh", "en"):
        assert "nmae" in render_say(faulty, language).html
    assert (await sent("x.yaml", b"x: [")).screen == "document_faults"
    assert (await sent("x.yaml", b"")).screen == "document_faults"
    many = TEXT + "".join(f"zz{n}: 1\n" for n in range(40))
    facts = await desk.send(admin, admin, "many.yaml", many.encode())
    (whole,) = files(facts)
    assert (says(facts)[0].facts["total"] >= 40, whole.text.count("\n") >= 39) == (True, True)

    for text in (FORGERY_BELIEVED, NO_CALLBACK):
        unsound = await sent("x.yaml", text.encode())
        assert (unsound.screen, unsound.facts["summary"]["sound"]) == ("document_checked", False)
        with pytest.raises(AssertionError):
            labelled(unsound, "Propose")
    desk.message_id += 1
    gone = {"file_id": "no", "file_unique_id": "x", "file_name": "a.yaml", "file_size": 9}
    await desk.feed(message=desk.message(admin, admin, document=gone))
    assert code(one_say(await desk.news())) == "file_gone"
    after = await desk.runtime.system.store.fetchval("SELECT count(*) FROM connector_document")
    assert after == before


async def test_the_size_that_telegram_says_is_not_believed(desk: Desk) -> None:
    admin = await employed(desk)
    desk.line.files["lie"] = b"#" * (64 * 1024 + 1)
    lie = {"file_id": "lie", "file_unique_id": "x", "file_name": "a.yaml", "file_size": 9}
    await desk.feed(message=desk.message(admin, admin, document=lie))
    assert code(one_say(await desk.news())) == "file_too_large"


async def test_pasted_from_the_library_and_cancelled(desk: Desk) -> None:
    admin = await employed(desk)
    listed = await desk.said(admin, admin, "对接映射")
    library = one_say(await desk.press(admin, admin, labelled(listed, "library")))
    assert "epay" in library.facts["codes"]
    checked = one_say(await desk.press(admin, admin, labelled(library, "wechat_v3")))
    assert (checked.facts["summary"]["code"], checked.facts["summary"]["sound"]) == (
        "wechat_v3",
        True,
    )
    facts = await desk.press(admin, admin, labelled(checked, "Dry run"))
    (file,) = files(facts)
    assert file.text.count("# what is signed") == len(checked.facts["summary"]["ways"]) == 4
    ended = one_say(await desk.press(admin, admin, labelled(checked, "Cancel"), message_id=80))
    assert (ended.screen, ended.edit_message_id) == ("dialogue_ended", 80)
    assert await desk.press(admin, admin, labelled(checked, "Propose")) == []
    assert desk.line.answers[-1].show_alert

    await desk.press(admin, admin, labelled(listed, "Send a document"))
    pasted = await desk.said(admin, admin, "connector: x\nname: y")
    assert pasted.screen == "document_faults"
    balance = await desk.said(admin, admin, "/balance M1001")
    assert balance.screen == "balance", "a command is a command"
    ended = await desk.said(admin, admin, "取消")
    assert (ended.screen, ended.facts["ended"]) == ("dialogue_ended", True)
    assert not (await desk.said(admin, admin, "/cancel")).facts["ended"]
    assert await desk.say(admin, admin, "connector: x") == []
    assert await desk.say(admin, OPS, "取消") == []


async def test_who_may_not_hears_little_and_strangers_nothing(desk: Desk) -> None:
    for text in ("/documents", "/suppliers", "供应商 S01", "/document sandbox_md5 v1"):
        for user_id, chat in ((FINANCE, OPS), (SUQING, SPRUCE), (OPERATOR, OPERATOR)):
            refused = await desk.said(user_id, chat, text)
            assert code(refused) == "not_permitted"
        assert await desk.say(STRANGER, STRANGER, text) == []
    assert await desk.send(STRANGER, STRANGER, "a.yaml", TEXT.encode()) == []
    refusal = one_say(await desk.send(FINANCE, FINANCE, "a.yaml", TEXT.encode()))
    assert code(refusal) == "not_permitted"
    admin = await employed(desk)
    for text in ("/documents", "供应商"):
        assert code(await desk.said(admin, SPRUCE, text)) == "staff_only"
    assert await desk.send(admin, OPS, "a.yaml", TEXT.encode()) == [], "no conversation in groups"
    await desk.feed(edited_message=desk.message(admin, admin, text="/documents", edit_date=1))
    assert await desk.news() == []
