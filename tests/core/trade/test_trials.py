"""Test orders: every layer, once, over the channel that is named, and real ones asked about."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.delivery.outbox import Card, Fact, Picture, Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import App
from core.people.actors import Actor
from core.people.receipts import Cause
from core.supply.channels import SCRIPT, Channel
from core.trade.orders import OpenOrder, Order, find_key, get_attempts, get_order
from core.trade.trials import BY_ROUTING, Step, TrialQuestion
from core.trade.trials.choices import PAGE_SIZE, amounts_for
from core.trade.trials.trials import CLIENT_IP, LIMIT, SUBJECT
from tests.core.support import ADMIN, CHAT, FINANCE, OPERATOR, OPS_CHAT, Desk, facts


@pytest.fixture
async def trial_app(desk: Desk) -> App:
    """A test app of M1001."""
    apps = desk.runtime.parties.merchants.apps
    await apps.open(desk.merchant, mode="test", name="trial", notify_url="http://127.0.0.1:9/n")
    return next(app for app in await apps.of(desk.merchant) if app.mode == "test")


async def staff(desk: Desk, user_id: int = OPERATOR) -> Actor:
    return await desk.actor(user_id, OPS_CHAT)


async def told(
    desk: Desk,
    minor: int = 10_000,
    channel_no: str = "",
    mode: str = "",
    product: str = "alipay_qr",
) -> TrialQuestion:
    return await desk.runtime.trade.trial_choices.told("M1001", product, minor, channel_no, mode)


async def make(
    desk: Desk, wanted: TrialQuestion, message_id: int = 5, by: int = OPERATOR
) -> list[Fact]:
    """A command in the ops group; what is said there because of it."""
    cause = Cause(OPS_CHAT, message_id, 1)
    await desk.runtime.trade.trials.order(await staff(desk, by), wanted, cause)
    return await facts(desk.runtime, OPS_CHAT)


async def orders(desk: Desk) -> list[Order]:
    rows = await desk.runtime.system.store.fetch("SELECT merchant_id, id FROM orders ORDER BY id")
    return [await get_order(desk.runtime.system.store, *row.values()) for row in rows]


async def question(desk: Desk) -> tuple[UUID, str]:
    """The newest question about a test order, and how it stands."""
    row = await desk.runtime.system.store.fetchrow(
        "SELECT id, state FROM approval WHERE kind = 'trial' ORDER BY created_at DESC LIMIT 1"
    )
    assert row is not None
    return row["id"], row["state"]


async def test_it_goes_through_every_layer_until_it_is_paid_and_booked(
    desk: Desk, trial_app: App
) -> None:
    card, picture, calls = await make(desk, await told(desk))
    (order,) = await orders(desk)
    assert (order.mode, order.app_id, order.state) == ("test", trial_app.id, "pending")
    assert (order.subject, order.only_channel_id) == (SUBJECT, None)
    assert isinstance(card, Card)
    assert (card.order_id, card.reply_to) == (str(order.id), 5)
    assert isinstance(picture, Picture)
    assert picture.text.startswith(f"{desk.supplier.base}/pay/")
    assert picture.screen == "trial_made"
    assert isinstance(calls, Say)
    said = calls.facts
    assert (said["pay_kind"], said["pay_value"]) == ("url", picture.text)
    (line,) = said["lines"]
    assert (line["operation"], line["status"], line["outcome"]) == ("create", 200, "answered")
    (attempt,) = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    assert attempt.attempt_no in line["request"]
    assert picture.text.rsplit("/", 1)[1] in line["answer"].replace("\\/", "/")
    secret = (await desk.runtime.parties.suppliers.by_no("S01")).credentials["key"]
    assert secret not in str(said)
    store = desk.runtime.system.store
    opened_by = await store.fetchval("SELECT actor FROM order_history WHERE move = 'open'")
    assert opened_by == f"telegram:{OPERATOR}"
    (trail,) = await store.fetch("SELECT actor, facts FROM audit WHERE action = 'trial_ordered'")
    assert trail["actor"] == f"telegram:{OPERATOR}"
    assert trail["facts"]["order_no"] == order.order_no
    await desk.supplier.pay(picture.text, "paid")
    await desk.entrance.wait(1)
    await desk.runtime.trade.callbacks.act_due(10)
    assert (await orders(desk))[0].state == "paid"
    assert await desk.balances() == {}
    assert (await desk.balances("test"))["payable"] == 10_000 - 120
    told_to = await store.fetchval("SELECT url FROM notification WHERE order_id = $1", order.id)
    assert told_to == "http://127.0.0.1:9/n"
    await desk.sound()


async def test_a_command_that_comes_again_makes_nothing_and_says_nothing(
    desk: Desk, trial_app: App
) -> None:
    wanted = await told(desk)
    assert len(await make(desk, wanted)) == 3
    assert await make(desk, wanted) == []
    (order,) = await orders(desk)
    assert order.app_id == trial_app.id
    attempts = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    assert len(attempts) == 1


async def test_one_that_was_made_before_a_crash_is_told_after_it(
    desk: Desk, trial_app: App
) -> None:
    number = f"TEST{OPS_CHAT}.5"
    before = OpenOrder(number, Money(10_000, "CNY"), "alipay_qr", SUBJECT, CLIENT_IP)
    opened = await desk.runtime.trade.creation.open(trial_app, before, request_id="x")
    card, picture, _ = await make(desk, await told(desk))
    assert isinstance(card, Card)
    assert card.order_id == str(opened.order.id)
    assert isinstance(picture, Picture)
    assert len(await orders(desk)) == 1


async def test_refusals_make_no_order(desk: Desk, trial_app: App) -> None:
    for refused, code in (
        (told(desk, product="gold"), "product_unknown"),
        (told(desk, channel_no="C99"), "channel_not_found"),
        (told(desk, 0), "trial_amount"),
        (desk.runtime.trade.trial_choices.told("M9", "alipay_qr", 1, "", ""), "merchant_not_found"),
        (desk.runtime.trade.trial_choices.told("M1002", "alipay_qr", 1, "", "test"),
         "app_not_found"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await refused
        assert error.value.code == code
    assert trial_app.mode == "test"
    wanted, store = await told(desk), desk.runtime.system.store
    too_much = await told(desk, 10**12)
    for by, spoil, mend, tried, code in (
        (OPERATOR, "UPDATE merchant SET state = 'suspended'", "UPDATE merchant SET state = 'open'",
         wanted, "merchant_suspended"),
        (OPERATOR, "UPDATE product SET state = 'off'", "UPDATE product SET state = 'on'",
         wanted, "product_unknown"),
        (ADMIN, "UPDATE channel SET state = 'off'", "UPDATE channel SET state = 'on'",
         wanted, "no_channel"),
        (ADMIN, "UPDATE app SET state = 'withdrawn' WHERE mode = 'test'",
         "UPDATE app SET state = 'open'", wanted, "app_not_found"),
        (ADMIN, "SELECT 1", "SELECT 1", too_much, "no_channel"),
    ):  # fmt: skip
        await store.execute(spoil)
        await desk.runtime.supply.market.reload()
        with pytest.raises(Refusal) as error:
            await make(desk, tried, by=by)
        assert error.value.code == code
        await store.execute(mend)
        await desk.runtime.supply.market.reload()
    assert await orders(desk) == []
    assert await facts(desk.runtime, OPS_CHAT) == []
    assert await store.fetchval("SELECT count(*) FROM ledger_event") == 0
    for user_id, chat_id, code in (
        (FINANCE, OPS_CHAT, "not_permitted"), (OPERATOR, CHAT, "staff_only"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await desk.runtime.trade.trials.order(
                await desk.actor(user_id, chat_id), wanted, Cause(chat_id, 9, 1)
            )
        assert error.value.code == code


@pytest.mark.usefixtures("trial_app")
async def test_a_channel_is_tried_before_it_is_sold_and_no_other_after_it(desk: Desk) -> None:
    channels = desk.runtime.supply.channels
    await channels.turn("C02", "off", SCRIPT)  # it sells wechat_qr alone, and is off
    await make(desk, await told(desk, channel_no="C02"))
    (order,) = await orders(desk)
    store = desk.runtime.system.store
    (attempt,) = await get_attempts(store, order.merchant_id, order.id)
    assert (attempt.channel_no, attempt.state) == ("C02", "accepted")
    assert order.only_channel_id == attempt.channel_id
    await desk.supplier.fault("create", "refuse")
    said = await make(desk, await told(desk, channel_no="C01"), message_id=6)
    assert [type(fact) for fact in said] == [Card, Say, Say], "there is nothing to scan"
    order = (await orders(desk))[1]
    (attempt,) = await get_attempts(store, order.merchant_id, order.id)
    assert (order.state, attempt.channel_no, attempt.state) == ("failed", "C01", "rejected")
    await channels.turn("C02", "archive", SCRIPT)
    with pytest.raises(Refusal) as error:
        await make(desk, await told(desk, channel_no="C02"), message_id=7)
    assert error.value.code == "no_channel"


async def test_a_real_order_is_asked_about_first_and_made_once(desk: Desk) -> None:
    trials, actor = desk.runtime.trade.trials, await staff(desk)
    (asked,) = await make(desk, await told(desk, mode="live"))
    assert isinstance(asked, Say)
    assert (asked.facts["step"], asked.facts["told"]["mode"]) == ("confirm", "live")
    assert await orders(desk) == []
    approval_id, _ = await question(desk)
    with pytest.raises(Refusal) as error:
        await trials.confirm(await staff(desk, ADMIN), approval_id, message_id=70)
    assert error.value.code == "confirmation_foreign"
    for _ in range(2):
        await trials.confirm(actor, approval_id, message_id=70)
    replaced, card, picture, _ = await facts(desk.runtime, OPS_CHAT)
    assert isinstance(replaced, Say)
    assert (replaced.edit_message_id, replaced.facts["step"]) == (70, "made")
    assert isinstance(card, Card)
    assert isinstance(picture, Picture)
    (order,) = await orders(desk)
    assert (order.mode, order.app_id) == ("live", desk.app.id)
    await make(desk, await told(desk, mode="live"), message_id=8)
    approval_id, _ = await question(desk)
    for _ in range(2):
        await trials.drop(actor, approval_id, message_id=71)
    (dropped,) = await facts(desk.runtime, OPS_CHAT)
    assert isinstance(dropped, Say)
    assert dropped.facts["step"] == "dropped"
    await trials.confirm(actor, approval_id, message_id=71)
    assert len(await orders(desk)) == 1


async def test_a_real_order_that_was_made_before_a_crash_is_made_once(desk: Desk) -> None:
    await make(desk, await told(desk, mode="live"))
    approval_id, _ = await question(desk)
    before = OpenOrder(
        f"TEST{approval_id.hex}", Money(10_000, "CNY"), "alipay_qr", SUBJECT, CLIENT_IP
    )
    opened = await desk.runtime.trade.creation.open(desk.app, before, request_id="x")
    await desk.runtime.trade.trials.confirm(await staff(desk), approval_id, message_id=70)
    assert [order.id for order in await orders(desk)] == [opened.order.id]
    assert await question(desk) == (approval_id, "used")


async def test_it_is_told_step_by_step(desk: Desk, trial_app: App) -> None:
    trials, actor, store = desk.runtime.trade.trials, await staff(desk), desk.runtime.system.store
    await trials.begin(actor, message_id=5)
    (asked,) = await facts(desk.runtime, OPS_CHAT)
    assert isinstance(asked, Say)
    approval_id, _ = await question(desk)
    steps: tuple[tuple[Step, str, str], ...] = (
        ("merchant", "M1001", "M1001"),
        ("app", trial_app.key_id, trial_app.key_id),
        ("product", "alipay_qr", "alipay_qr"),
        ("channel", BY_ROUTING, "C04"),
        ("amount", "1000", "10000"),
    )
    rest: list[Fact] = []
    for step, value, offered in steps:
        assert asked.facts["step"] == step
        values = [option["value"] for option in asked.facts["options"]]
        assert {value, offered} <= set(values)
        await trials.choose(actor, approval_id, step, value, message_id=70)
        await trials.choose(actor, approval_id, step, value, message_id=70)
        asked, *rest = await facts(desk.runtime, OPS_CHAT)
        assert isinstance(asked, Say)
        assert asked.edit_message_id == 70
    assert asked.facts["step"] == "made"
    assert [type(fact) for fact in rest] == [Card, Picture, Say]
    (order,) = await orders(desk)
    assert (order.amount.minor, order.mode) == (1000, "test")
    assert await find_key(store, order.merchant_id, trial_app.id, f"TEST{approval_id.hex}")


async def test_a_refusal_at_the_end_leaves_the_question_open(desk: Desk, trial_app: App) -> None:
    trials, actor = desk.runtime.trade.trials, await staff(desk)
    await trials.begin(actor)
    approval_id, _ = await question(desk)
    await trials.choose(actor, approval_id, "merchant", "M1001", message_id=70)
    await trials.choose(actor, approval_id, "app", trial_app.key_id, message_id=70)
    await trials.choose(actor, approval_id, "product", "alipay_qr", message_id=70)
    await trials.choose(actor, approval_id, "channel", "C01", message_id=70)
    with pytest.raises(Refusal) as error:
        await trials.choose(actor, approval_id, "amount", str(10**12), message_id=70)
    assert error.value.code == "no_channel"
    assert await question(desk) == (approval_id, "open")
    await trials.choose(actor, approval_id, "amount", "1000", message_id=70)
    assert await question(desk) == (approval_id, "used")


async def test_many_merchants_are_offered_by_pages(desk: Desk) -> None:
    for place in range(PAGE_SIZE):
        await desk.runtime.parties.merchants.open(f"M2{place:03}", f"shop {place}", reviewed=False)
    trials, actor = desk.runtime.trade.trials, await staff(desk)
    await trials.begin(actor)
    (asked,) = await facts(desk.runtime, OPS_CHAT)
    assert isinstance(asked, Say)
    assert (asked.facts["pages"], len(asked.facts["options"])) == (2, PAGE_SIZE)
    approval_id, _ = await question(desk)
    await trials.turn(actor, approval_id, 9, message_id=70)
    (asked,) = await facts(desk.runtime, OPS_CHAT)
    assert isinstance(asked, Say)
    assert (asked.facts["page"], asked.edit_message_id) == (2, 70)
    assert asked.facts["options"][-1]["value"] == f"M2{PAGE_SIZE - 1:03}"


@pytest.mark.usefixtures("trial_app")
async def test_one_person_makes_a_few_in_a_minute(desk: Desk) -> None:
    wanted = await told(desk, 100)
    for place in range(LIMIT.times):
        await make(desk, wanted, message_id=10 + place)
    with pytest.raises(Refusal) as error:
        await make(desk, wanted, message_id=20)
    assert error.value.code == "rate_limited"
    assert len(await orders(desk)) == LIMIT.times
    other = await staff(desk, ADMIN)
    await desk.runtime.trade.trials.order(other, wanted, Cause(OPS_CHAT, 21, 1))
    assert len(await orders(desk)) == LIMIT.times + 1


async def test_amounts_that_are_offered_are_taken(desk: Desk) -> None:
    channels: dict[str, Channel] = {
        channel.channel_no: channel for channel in await desk.runtime.supply.channels.all()
    }
    assert amounts_for([], "CNY") == ()
    assert amounts_for([channels["C01"]], "CNY") == (100, 1000, 10_000)
    assert amounts_for([channels["C01"]], "USD") == ()


async def test_which_app_fits_unless_one_is_named(desk: Desk) -> None:
    assert (await told(desk)).mode == "live", "there is no other"
    apps = desk.runtime.parties.merchants.apps
    await apps.open(desk.merchant, mode="test", name="trial", notify_url=None)
    assert (await told(desk)).mode == "test"
    assert (await told(desk, channel_no="C01")).mode == "test", "its supplier is a sandbox"
    assert (await told(desk, mode="live")).mode == "live"
    await desk.runtime.system.store.execute("UPDATE supplier SET sandbox = false")
    assert (await told(desk, channel_no="C01")).mode == "live"
    assert (await told(desk)).mode == "test"
