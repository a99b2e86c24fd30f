"""No threshold of a second person is crossed by one person alone: in one act or in parts, typed,
pressed or in reply, said again, with a code, or after what was seen has changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.people.actors import Actor
from core.people.desk_settings import SETTINGS, Value
from core.people.factors import PERIOD_S, code_at
from core.supply.channels import NewChannel
from core.trade.orders import OpenOrder, Order, PaymentSeen, get_attempts, get_order
from handlers.approvals.buttons import AnswerApproval
from handlers.merchants.buttons import OnApp
from tests.core.supply.onboarding import support as onboarding
from tests.core.support import set_setting
from tests.handlers.dialogue import employed, enrolled, press_and_prove, says
from tests.handlers.discrepancies.test_discrepancies import reply_to
from tests.handlers.support import OPS, OWNER, SPRUCE, Desk, button_data
from texts.tariffs import parse_tariff


@dataclass
class Alone:
    """An owner, who may do all that anybody may, and does it alone."""

    desk: Desk
    user_id: int
    merchant: Merchant
    app: App
    made: dict[str, Any] = field(default_factory=dict)

    async def say(self, text: str, chat_id: int = SPRUCE, **fields: Any) -> Any:
        """The last that is said because of it; None where that is nothing."""
        told = says(await self.desk.say(self.user_id, chat_id, text, **fields))
        return told[-1] if told else None

    async def prove(self, text: str, chat_id: int = SPRUCE) -> None:
        """Say it, press yes under the question, and prove it in private."""
        question = await self.say(text, chat_id)
        await press_and_prove(self.desk, self.user_id, chat_id, button_data(question))

    async def value(self, sql: str) -> Any:
        return await self.desk.runtime.system.store.fetchval(sql)

    async def paid(self, name: str, minor: int = 10_000, seen_minor: int = 0) -> Order:
        """An order of the merchant whose money a supplier reports; 0: none yet."""
        runtime = self.desk.runtime
        opened = await runtime.trade.creation.open(
            self.app,
            OpenOrder(name, Money(minor, "CNY"), "alipay_qr", "A lamp", "203.0.113.9"),
            request_id="test",
        )
        order = opened.order
        (attempt, *_) = await get_attempts(runtime.system.store, order.merchant_id, order.id)
        if seen_minor:
            seen = PaymentSeen(
                order.merchant_id, attempt.attempt_no, f"U{name}", Money(seen_minor, "CNY"),
                "reported",
            )  # fmt: skip
            await runtime.trade.payments.settle_payment(seen, request_id="see")
        await self.desk.news()
        self.made["order"] = await get_order(runtime.system.store, order.merchant_id, order.id)
        found: Order = self.made["order"]
        return found


Act = Callable[[Alone], Awaitable[object]]


@dataclass(frozen=True)
class Way:
    """parts: what one person may do alone. crosses: what is one too much. kind: of the question
    that waits then, where that is another one than the threshold's."""

    crosses: Act
    parts: tuple[Act, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class Threshold:
    """kind: of the question that a second person answers. moved: SQL, what would be other if it had
    been done. change: SQL, after which that is not any more what was seen."""

    value: Value
    kind: str
    moved: str
    change: str
    ways: Mapping[str, Way]
    prepare: Act | None = None


def said(text: str, chat_id: int = SPRUCE) -> Act:
    return lambda alone: alone.say(text, chat_id)


async def _take_back(alone: Alone) -> None:
    """More than was ever booked: whoever writes it is asked first, and presses yes."""
    question = await alone.say("-101")
    assert question.screen == "slip_question"
    await alone.desk.press(alone.user_id, SPRUCE, button_data(question), message_id=300)


async def _refund(alone: Alone, units: str) -> None:
    await alone.prove(f"退款 {alone.made['order'].order_no} {units} 重复支付")


async def _complete(alone: Alone, name: str) -> None:
    await alone.prove(f"补单 {(await alone.paid(name)).order_no} 已到账")


async def _resolve(alone: Alone) -> None:
    """The reason is a reply to the question."""
    desk, user_id = alone.desk, alone.user_id
    listed = await alone.say("差异单", OPS)
    (card,) = says(await desk.press(user_id, OPS, button_data(listed), message_id=50))
    await desk.press(user_id, OPS, button_data(card), message_id=51)
    question = await alone.say("it went back", OPS, **reply_to(51, OPS))
    await press_and_prove(desk, user_id, OPS, button_data(question), message_id=51)


async def _live_keys(alone: Alone) -> None:
    await enrolled(alone.desk, alone.user_id)
    await alone.desk.press(alone.user_id, OPS, OnApp(alone.app.id, "rotate").data())


async def _typed_live_keys(alone: Alone) -> None:
    await enrolled(alone.desk, alone.user_id)
    await alone.say("/merchant M1001 app live till", OPS)


async def _supplier(alone: Alone) -> None:
    """A real one that lacks nothing to be live."""
    runtime = alone.desk.runtime
    boss, supply = await onboarding.staff(runtime), runtime.supply.onboarding
    text = onboarding.changed(("sandbox_only: true", "sandbox_only: false"))
    document = await onboarding.approved(runtime, text)
    supplier = await supply.open(boss, onboarding.new_supplier(document, sandbox=True))
    await supply.set_credentials(boss, supplier, onboarding.CREDENTIALS)
    await runtime.system.store.execute(
        "UPDATE supplier SET sandbox = false WHERE id = $1", supplier.id
    )
    alone.made["supplier"] = supplier
    await alone.desk.news()


async def _go_live(alone: Alone) -> None:
    await alone.say(f"/supplier {alone.made['supplier'].supplier_no} live", OPS)


async def _dear_channel(alone: Alone) -> None:
    runtime = alone.desk.runtime
    supplier = await runtime.parties.suppliers.by_no("S01")
    cost = parse_tariff("3%", "CNY")
    new = NewChannel("C90", "dear", "alipay_qr", cost, (), currency="CNY")
    await runtime.supply.channels.add_channel(supplier, new)


async def _add_channel(alone: Alone) -> None:
    question = await alone.say("添加通道 S01 alipay_qr 支付宝 3% 100-50000 alipay_qr", OPS)
    await alone.desk.press(alone.user_id, OPS, button_data(question), message_id=300)


async def _hire_replied(alone: Alone) -> None:
    replied = alone.desk.message(7_770_001, OPS, text="hello")
    await alone.say("添加人员 财务", OPS, reply_to_message=replied)


async def _charged_anew(alone: Alone) -> None:
    await alone.paid("R-1", 1_500_000, 1_500_000)


async def _rerate(alone: Alone) -> None:
    question = await alone.say("重算费率 alipay_qr 0.5% 今日")
    await alone.desk.press(alone.user_id, SPRUCE, button_data(question), message_id=300)


_VOUCHERS: Final = "SELECT coalesce(sum(abs(minor)), 0)::bigint FROM voucher"
_LINE: Final = "UPDATE merchant SET credit_line_minor = 777"
_VERSION: Final = "UPDATE orders SET version = version + 1"
_PRICES: Final = """
SELECT (SELECT count(*) FROM tariff) + (SELECT count(*) FROM channel_tariff)
    + (SELECT count(*) FROM product_channel)
"""
_REFUNDED: Final = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM refund"
_RATES: Final = """
INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers, actor, at)
SELECT gen_random_uuid(), merchant_id, product_code, valid_from, 'amount',
    '[{"from": 0, "ppm": 90}]', actor, at FROM tariff
"""
_JOINED: Final = """
INSERT INTO person (id, user_id, name, role, created_at, hired_at)
VALUES (gen_random_uuid(), 7770001, 'x', 'operator', now(), now())
ON CONFLICT (user_id) DO UPDATE SET role = 'operator'
"""
_PEOPLE: Final = "SELECT string_agg(role || allowed::text, ' ' ORDER BY user_id) FROM person"

THRESHOLDS: Final[Mapping[str, Threshold]] = {
    "prepay_second": Threshold(100, "prepayment", _VOUCHERS, _LINE, {
        "whole": Way(said("+101")),
        "typed": Way(said("/prepay 101")),
        "lines": Way(said("+60\n+41")),
        "parts": Way(said("+41"), (said("+60"),)),
        "pressed": Way(_take_back),
    }),
    "adjust_second": Threshold(100, "adjustment", _VOUCHERS, _LINE, {
        "whole": Way(said("调账 -101 错费")),
        "typed": Way(said("/adjust M1001 -101 wrong fee", OPS)),
        "parts": Way(said("调账 41 错费"), (said("调账 -60 错费"),)),
    }),
    "credit_second": Threshold(
        100, "credit_line", "SELECT sum(credit_line_minor)::bigint FROM merchant", _LINE, {
            "whole": Way(said("授信 101")),
            "typed": Way(said("/credit M1001 101", OPS)),
            "parts": Way(said("授信 101"), (said("授信 50"), said("授信 100"))),
            "off": Way(said("授信 关"), (said("授信 50"),)),
        },
    ),
    "refund_second": Threshold(
        19, "refund_second", _REFUNDED, _VERSION, {
            "whole": Way(lambda alone: _refund(alone, "20")),
            "parts": Way(
                lambda alone: _refund(alone, "10"), (lambda alone: _refund(alone, "10"),)
            ),
        },
        lambda alone: alone.paid("SPRUCE-1", seen_minor=10_000),
    ),
    "resolve_second": Threshold(
        0, "resolve_second", "SELECT sum(left_minor)::bigint FROM discrepancy",
        "UPDATE discrepancy SET left_minor = left_minor - 1",
        {"replied": Way(_resolve)},
        lambda alone: alone.paid("SPRUCE-1", seen_minor=9_900),
    ),
    "complete_second": Threshold(
        150, "complete_second", "SELECT count(*) FROM completion", _VERSION, {
            "parts": Way(
                lambda alone: _complete(alone, "SPRUCE-2"),
                (lambda alone: _complete(alone, "SPRUCE-1"),),
            ),
        },
    ),
    "keys_second": Threshold(
        True, "keys", "SELECT string_agg(secrets_sealed::text, '' ORDER BY id) FROM app",
        "UPDATE merchant SET legal_name = 'Somebody Else'",
        {"pressed": Way(_live_keys), "typed": Way(_typed_live_keys)},
    ),
    "live_second": Threshold(
        True, "supplier_live", "SELECT count(*) FROM supplier WHERE state = 'live'",
        "UPDATE supplier SET legal_name = 'Somebody Else' WHERE NOT sandbox",
        {"typed": Way(_go_live)}, _supplier,
    ),
    "below_cost_second": Threshold(
        True, "rate", _PRICES, _RATES, {
            "typed": Way(said("/rate alipay_qr 0.1%")),
            "parts": Way(said("/rate alipay_qr 0.1%"), (said("/rate alipay_qr 1%"),)),
            "cost": Way(said("/cost C01 3%", OPS), kind="cost"),
            "sold": Way(said("/product alipay_qr + C90", OPS), kind="channel_loss"),
            "pressed": Way(_add_channel, kind="channel_loss"),
        },
        _dear_channel,
    ),
    "hire_second": Threshold(
        True, "hire", _PEOPLE, _JOINED, {
            "typed": Way(said("/hire 7770001 finance", OPS)),
            "replied": Way(_hire_replied),
            "parts": Way(
                said("/people 7770001 allow refund", OPS), (said("/hire 7770001 support", OPS),)
            ),
        },
    ),
}  # fmt: skip
# What has no settings of its own counts for another's.
SHARED: Final[Mapping[str, tuple[str, Threshold]]] = {
    "rerate": ("adjust_second", Threshold(
        50, "rerate_second", "SELECT count(*) FROM rerating",
        "UPDATE orders SET disputed = true", {"pressed": Way(_rerate)}, _charged_anew,
    )),
}  # fmt: skip
ALL: Final = [
    *((name, one, way) for name, one in THRESHOLDS.items() for way in one.ways),
    *((name, one, way) for name, one in SHARED.values() for way in one.ways),
]


def test_every_threshold_is_crossed_here() -> None:
    assert THRESHOLDS.keys() == {name for name in SETTINGS if name.endswith("_second")}
    for one in THRESHOLDS.values():
        # Whether parts are added up is a question of amounts.
        assert isinstance(one.value, bool) or {"parts", "replied"} & one.ways.keys()


@pytest.fixture
async def alone(desk: Desk, shop: tuple[Merchant, App]) -> Alone:
    return Alone(desk, await employed(desk, "owner"), *shop)


async def crossed(alone: Alone, name: str, one: Threshold, way: str) -> tuple[UUID, Any]:
    """All of it done by one person; the question that waits, and what was moved by then."""
    await set_setting(alone.desk.runtime, name, one.value)
    if one.prepare is not None:
        await one.prepare(alone)
    for part in one.ways[way].parts:
        await part(alone)
    assert await alone.desk.runtime.people.approvals.cards.waiting() == [], "so much may one do"
    before = await alone.value(one.moved)
    for _ in range(2):
        if not await alone.desk.runtime.people.approvals.cards.waiting():
            await one.ways[way].crosses(alone)
    (card,) = await alone.desk.runtime.people.approvals.cards.waiting()
    assert card.question.kind == (one.ways[way].kind or one.kind)
    assert await alone.value(one.moved) == before, "by one person alone"
    return card.id, before


async def app_of(desk: Desk, private: Actor) -> str:
    """The secret of an authenticator app that counts from now on."""
    factors, clock = desk.runtime.people.factors, desk.runtime.system.clock
    secret = (await factors.begin_totp(private, "Paydesk")).secret
    before = code_at(secret, clock.now() - timedelta(seconds=PERIOD_S))
    begun_at = await factors.finish_totp(private, before)
    if begun_at is not None:  # the password proved that
        async with desk.runtime.system.store.transaction() as tx:
            await factors.count(tx, private, "totp", begun_at)
    return secret


@pytest.mark.parametrize(("name", "one", "way"), ALL)
async def test_one_person_alone_crosses_no_threshold(
    alone: Alone, name: str, one: Threshold, way: str
) -> None:
    desk, user_id = alone.desk, alone.user_id
    card, before = await crossed(alone, name, one, way)
    yes = AnswerApproval(card, yes=True).data()
    for chat_id in (OPS, SPRUCE, user_id, OPS):
        await desk.press(user_id, chat_id, yes)
        assert desk.line.answers[-1].show_alert, "the same person"
    # Nor with a code, which is used up by that.
    people, clock = desk.runtime.people, desk.runtime.system.clock
    private = await people.access.actor(user_id, "x", user_id, private=True)
    secret = await app_of(desk, private)
    now = code_at(secret, clock.now())
    proof = await people.factors.prove(private, now, card)
    with pytest.raises(Refusal, match="second person"):
        await people.approvals.decide(private, card, yes=True, proof=proof)
    with pytest.raises(Refusal) as error:
        await people.factors.prove(private, now, card)
    assert error.value.code == "code_used"
    assert await alone.value(one.moved) == before


@pytest.mark.parametrize(("name", "one", "way"), ALL)
async def test_a_second_person_approves_what_was_seen_alone(
    alone: Alone, name: str, one: Threshold, way: str
) -> None:
    card, _ = await crossed(alone, name, one, way)
    await alone.desk.runtime.system.store.execute(one.change)
    before = await alone.value(one.moved)
    yes = AnswerApproval(card, yes=True).data()
    await alone.desk.press(OWNER, OPS, yes)
    assert alone.desk.line.answers[-1].show_alert
    assert await alone.value(one.moved) == before, "it is not any more what was seen"
