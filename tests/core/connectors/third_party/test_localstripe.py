"""The Stripe document and the gateway with localstripe, a server that others wrote after Stripe.

What localstripe does otherwise than Stripe is said where a test meets it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from core.connectors import (
    Accepted,
    AttemptFacts,
    Callback,
    CreateReading,
    HttpAnswer,
    HttpRequest,
    InvalidCallback,
    RefundFacts,
    RefundStanding,
    Rejected,
    Standing,
    load,
)
from core.kernel.money import Money
from core.system.gateway import Gateway
from tests.core.connectors.support import FACTS, here

DOCUMENT = here("stripe_payment_intent")
# localstripe refuses two fields that Stripe takes, and does not say `amount_received`.
LACKS = {
    "    description: $subject\n": "",
    '    automatic_payment_methods: { enabled: "true" }\n': "",
    "paid: amount_received": "paid: amount",
}
SECRET = "whsec_0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WEBHOOK_WAIT_S = 20.0  # localstripe waits for one before it calls
ASKED_AT = datetime(2026, 3, 4, tzinfo=UTC)
REFUND = RefundFacts("R2A0001N3P5R7T9V2X4Y", Money(500, "USD"), "returned", ASKED_AT)


def spoken() -> str:
    """The document as localstripe understands it."""
    text = DOCUMENT
    for said, understood in LACKS.items():
        assert text.count(said) == 1, said
        text = text.replace(said, understood)
    return text


WHOLE = load(DOCUMENT)
CONNECTOR = load(spoken())


@dataclass
class Stripe:
    """Our end, and what the payer's page does at theirs."""

    gateway: Gateway
    credentials: Mapping[str, str]
    called: asyncio.Queue[Callback]
    facts: AttemptFacts = field(default_factory=lambda: replace(FACTS, amount=Money(1234, "USD")))

    async def create(self) -> CreateReading:
        """Opens a payment; once accepted, its number is known from then on."""
        answer, now = await self._send("create"), datetime.now(UTC)
        reading = CONNECTOR.read_create(answer, self.facts, self.credentials, now=now, nonce="n")
        if isinstance(reading, Accepted):
            self.facts = replace(self.facts, upstream_no=reading.upstream_no)
        return reading

    async def standing(self, operation: str = "query") -> Standing:
        answer, now = await self._send(operation), datetime.now(UTC)
        return CONNECTOR.read_standing(operation, answer, self.facts, self.credentials, now=now)

    async def refund(self, operation: str, refund: RefundFacts) -> RefundStanding:
        self.facts = replace(self.facts, refund=refund)
        answer, now = await self._send(operation), datetime.now(UTC)
        return CONNECTOR.read_refund(operation, answer, self.facts, self.credentials, now=now)

    async def pay(self, card: str) -> Callback:
        """What Stripe.js does with the client secret, and the webhook that comes of it.

        localstripe wants the secret key for it, and the card before its confirmation.
        """
        number = self.facts.upstream_no
        await self.post(f"/v1/payment_intents/{number}", payment_method=card)
        await self.post(f"/v1/payment_intents/{number}/confirm")
        return await asyncio.wait_for(self.called.get(), WEBHOOK_WAIT_S)

    async def post(self, path: str, **fields: str) -> HttpAnswer:
        headers = {
            "Authorization": f"Bearer {self.credentials['secret_key']}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = self.credentials["base_url"] + path
        body = urlencode(fields).encode()
        return await self.gateway.send(HttpRequest("POST", url, headers, body, ""))

    async def _send(self, operation: str) -> HttpAnswer:
        now = datetime.now(UTC)
        request = CONNECTOR.build(operation, self.facts, self.credentials, now=now, nonce="n")
        return await self.gateway.send(request)


@asynccontextmanager
async def localstripe() -> AsyncIterator[str]:
    """Its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("localstripe_server.py")),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 60))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def receiver(called: asyncio.Queue[Callback]) -> AsyncIterator[str]:
    """Where webhooks go; they are answered as the document says."""

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        called.put_nowait(Callback("POST", "", headers, body, request.remote or ""))
        reply = CONNECTOR.reply("success")
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type)

    app = web.Application()
    app.router.add_post("/callbacks/S01", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks/S01"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
async def base_url() -> AsyncIterator[str]:
    async with localstripe() as address:
        yield address


@pytest.fixture
async def stripe(base_url: str) -> AsyncIterator[Stripe]:
    called: asyncio.Queue[Callback] = asyncio.Queue()
    credentials = {
        "base_url": base_url,
        "secret_key": "sk_test_of_this_test",
        "webhook_secret": SECRET,
    }
    async with receiver(called) as webhook_url:
        gateway = Gateway(allow_private=True)
        stripe = Stripe(gateway, credentials, called)
        try:
            told = await stripe.post("/_config/webhooks/desk", url=webhook_url, secret=SECRET)
            assert told.status == 200
            yield stripe
        finally:
            await gateway.close()


@pytest.mark.parametrize(
    "amount", [Money(1234, "USD"), Money(500, "JPY"), Money(5120, "KWD")], ids=str
)
async def test_from_create_to_the_webhook(stripe: Stripe, amount: Money) -> None:
    stripe.facts = replace(stripe.facts, amount=amount)
    accepted = await stripe.create()
    assert isinstance(accepted, Accepted)
    assert accepted.pay.kind == "app"
    assert accepted.pay.value.startswith(f"{accepted.upstream_no}_secret_")
    assert (await stripe.standing()).state == "pending"

    call, now = await stripe.pay("pm_card_visa"), datetime.now(UTC)
    currency = amount.currency
    (event,) = CONNECTOR.verify(call, stripe.credentials, currency=currency, now=now)
    assert event.attempt_no == stripe.facts.attempt_no
    assert (event.state, event.paid, event.upstream_no) == ("paid", amount, accepted.upstream_no)
    assert await stripe.standing() == Standing("paid", "", accepted.upstream_no, amount)
    assert (await stripe.standing("close")).state == "unknown"  # too late: a query says why


async def test_a_webhook_is_believed_as_it_came_and_while_it_is_new(stripe: Stripe) -> None:
    await stripe.create()
    call, now = await stripe.pay("pm_card_visa"), datetime.now(UTC)
    others = {**stripe.credentials, "webhook_secret": "whsec_of_somebody_else"}
    live = {**stripe.credentials, "secret_key": "sk_live_of_this_test"}
    changed = replace(call, body=call.body.replace(b"1234", b"9234"))
    for forged, credentials, moment in (
        (changed, stripe.credentials, now),
        (call, others, now),
        (call, live, now),
        (call, stripe.credentials, now + timedelta(minutes=6)),
    ):
        with pytest.raises(InvalidCallback):
            CONNECTOR.verify(forged, credentials, currency="USD", now=moment)


async def test_money_goes_back_in_parts(stripe: Stripe) -> None:
    await stripe.create()
    await stripe.pay("pm_card_visa")
    back = await stripe.refund("refund", REFUND)
    assert back.state == "succeeded"
    assert back.upstream_refund_no is not None
    known = replace(REFUND, upstream_refund_no=back.upstream_refund_no)
    assert await stripe.refund("refund_query", known) == back
    # What it says of one refund is not believed of another.
    other = replace(known, refund_no="R2A0001N3P5R7T9V2X4Z")
    assert (await stripe.refund("refund_query", other)).state == "unknown"
    more = replace(known, amount=Money(501, "USD"))
    assert (await stripe.refund("refund_query", more)).state == "unknown"
    lost = replace(REFUND, upstream_refund_no="re_nowhere")
    assert (await stripe.refund("refund_query", lost)).state == "not_found"
    rest = replace(REFUND, refund_no=other.refund_no, amount=Money(734, "USD"))
    assert (await stripe.refund("refund", rest)).state == "succeeded"


async def test_a_declined_card_ends_nothing(stripe: Stripe) -> None:
    await stripe.create()
    call, now = await stripe.pay("pm_card_chargeCustomerFail"), datetime.now(UTC)
    assert b"payment_intent.payment_failed" in call.body
    assert CONNECTOR.verify(call, stripe.credentials, currency="USD", now=now) == ()
    assert (await stripe.standing()).state == "pending"
    back = await stripe.refund("refund", REFUND)
    assert (back.state, back.code) == ("failed", "invalid_request_error")


async def test_a_closed_payment_takes_no_card(stripe: Stripe) -> None:
    await stripe.create()
    assert (await stripe.standing("close")).state == "closed"
    assert (await stripe.standing()).state == "closed"
    confirmed = await stripe.post(f"/v1/payment_intents/{stripe.facts.upstream_no}/confirm")
    assert confirmed.status == 400


async def test_numbers_that_are_not_there_and_keys_that_are_none(stripe: Stripe) -> None:
    stripe.facts = replace(stripe.facts, upstream_no="pi_nowhere")
    assert (await stripe.standing()).state == "not_found"
    stripe.credentials = {**stripe.credentials, "secret_key": "no_key"}
    refused = await stripe.create()
    assert refused == Rejected("invalid_request_error", "Unauthorized")
    assert (await stripe.standing()).state == "unknown"


async def test_money_of_another_currency_is_not_ours(stripe: Stripe) -> None:
    await stripe.create()
    call, now = await stripe.pay("pm_card_visa"), datetime.now(UTC)
    with pytest.raises(InvalidCallback, match="another currency"):
        CONNECTOR.verify(call, stripe.credentials, currency="JPY", now=now)
    stripe.facts = replace(stripe.facts, amount=Money(1234, "JPY"))
    assert (await stripe.standing()).state == "unknown"


async def test_what_localstripe_does_otherwise(stripe: Stripe) -> None:
    """Stripe takes the whole document, answers a number that it knows with the payment that it
    made of it, gives back no more than was paid, and takes 5.124 KWD not at all."""
    now = datetime.now(UTC)
    request = WHOLE.build("create", stripe.facts, stripe.credentials, now=now, nonce="n")
    answer = await stripe.gateway.send(request)
    whole = WHOLE.read_create(answer, stripe.facts, stripe.credentials, now=now, nonce="n")
    assert isinstance(whole, Rejected)
    assert whole.message == "Unexpected description, automatic_payment_methods"

    first, second = await stripe.create(), await stripe.create()
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.upstream_no != second.upstream_no

    await stripe.pay("pm_card_visa")
    more = replace(REFUND, amount=Money(5000, "USD"))
    assert (await stripe.refund("refund", more)).state == "succeeded"

    stripe.facts = replace(stripe.facts, amount=Money(5124, "KWD"))
    assert isinstance(await stripe.create(), Accepted)


async def test_a_server_that_breaks_proves_nothing(stripe: Stripe) -> None:
    """localstripe fails with a 500 where a payment that was closed is to be given back."""
    await stripe.create()
    await stripe.standing("close")
    assert (await stripe.refund("refund", REFUND)).state == "unknown"
