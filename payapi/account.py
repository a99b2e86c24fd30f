"""What an app may know of its account, and help with signing."""

from __future__ import annotations

import hashlib
from typing import Final

from aiohttp import web

from payapi.answers import answer
from payapi.auth import authenticate, authenticate_for_debugging, text_to_sign
from payapi.requests import RUNTIME, read_query
from payapi.wire import (
    BalanceView,
    DescribedRequest,
    ProductList,
    ProductView,
    TextToSign,
    read_json,
    tier_view,
)
from texts import choose_language


async def products(request: web.Request) -> web.StreamResponse:
    """The products that are open to the merchant, with its rates."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    read_query(request)
    lang = choose_language(request.headers.get("Accept-Language", ""))
    sold = (await runtime.supply.market.now()).products
    offers = await runtime.parties.merchants.offers.of(call.app.merchant)
    views = [
        ProductView(
            code=code,
            name=sold[code].name_zh if lang == "zh" else sold[code].name_en,
            tiers_by=offer.tariff.tiers_by,
            tiers=[tier_view(tier) for tier in offer.tariff.tiers],
        )
        for code, offer in offers.items()
        if code in sold
    ]
    return answer(ProductList(data=views))


async def balance(request: web.Request) -> web.StreamResponse:
    """The merchant's balance in the app's mode and the merchant's currency."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    read_query(request)
    merchant, mode = call.app.merchant, call.app.mode
    position = await runtime.ledger.position(
        runtime.system.store, merchant.id, mode, merchant.currency
    )
    facts = {
        "mode": mode,
        "currency": merchant.currency,
        "payable": position.payable_minor,
        "prepaid": position.prepaid_minor,
        "position": position.minor,
        "remaining_prepayment": position.remaining_minor,
    }
    return answer(BalanceView.model_validate(facts))


async def signature_check(request: web.Request) -> web.StreamResponse:
    """The exact text that a described request has to sign. This call itself is not signed."""
    call = await authenticate_for_debugging(request.app[RUNTIME], request)
    read_query(request)
    described = read_json(call.body, DescribedRequest)
    head = text_to_sign(described.id, str(described.timestamp), described.method, described.target)
    signed = head + described.body
    return answer(
        TextToSign(expected_to_sign=signed, sha256=hashlib.sha256(signed.encode()).hexdigest())
    )


ROUTES: Final[list[web.RouteDef]] = [
    web.get("/products", products, allow_head=False),
    web.get("/balance", balance, allow_head=False),
    web.post("/signature-check", signature_check),
]
