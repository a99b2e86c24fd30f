"""Links to the API's description, and a merchant's own numbers."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import Message

from core.parties.district import Parties
from core.people.district import People
from core.supply.channels import Product
from core.supply.district import Supply
from core.system.district import System
from handlers.integration.screens import AppLine, IntegrationNotice, ProductLine
from handlers.integration.words import ShowIntegration
from handlers.kit.chat import Chat
from handlers.kit.context import Wants

_REFERENCE: Final = "/docs/api"
_OPENAPI: Final = "/v1/openapi.json"


def add_routes(routes: Router) -> None:
    """How do we connect?"""
    routes.message.register(show, Wants(ShowIntegration))


async def show(
    _: Message,
    chat: Chat,
    intent: ShowIntegration,
    system: System,
    people: People,
    parties: Parties,
    supply: Supply,
) -> None:
    """What a merchant's developers need. Refusals: those of `Access.merchant_in`."""
    chat.actor.need("read_money")
    merchant = await people.access.merchant_in(
        chat.actor, intent.merchant_no, example="/docs M1001"
    )
    products = (await supply.market.now()).products
    offers = await parties.merchants.offers.of(merchant)
    open_ones = (products.get(code, Product(code, code, code)) for code in sorted(offers))
    apps = [kept for kept in await parties.merchants.apps.all(merchant) if kept.state == "open"]
    await chat.say(
        IntegrationNotice(
            reference_url=f"{system.public_url}{_REFERENCE}",
            openapi_url=f"{system.public_url}{_OPENAPI}",
            api_url=f"{system.public_url}/v1",
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            currency=merchant.currency,
            apps=tuple(
                AppLine(
                    kept.name,
                    kept.app.mode,
                    kept.app.key_id,
                    kept.app.notify_url or "",
                    tuple(kept.app.ip_allow),
                )
                for kept in apps
            ),
            products=tuple(ProductLine(p.code, p.name_zh, p.name_en) for p in open_ones),
        )
    )
