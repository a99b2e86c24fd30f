"""What screens show of merchants: lists, cards, and their apps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.accounts.district import Accounts
from core.accounts.onboarding import Ping
from core.kernel.tariff import format_tariff
from core.parties.district import Parties
from core.parties.merchants import KeptApp, Merchant
from core.people.district import People
from handlers.kit.chat import Chat
from handlers.merchants.screens import (
    AppLine,
    AppNotice,
    MerchantLine,
    MerchantNotice,
    MerchantProducts,
    MerchantsNotice,
    PingNotice,
    SoldLine,
)

APPS: Final = 12
GROUPS: Final = 10


@dataclass(frozen=True, slots=True)
class Cards:
    """Reads from three districts what is shown of merchants."""

    parties: Parties
    people: People
    accounts: Accounts

    async def page(self, number: int, words: str = "", state: str = "") -> MerchantsNotice:
        """A page of those that were looked for."""
        found = await self.parties.merchants.search(words, state, number)
        lines = tuple(
            MerchantLine(one.id, one.merchant_no, one.name, one.state, one.reviewed)
            for one in found.merchants
        )
        return MerchantsNotice(found.page, found.pages, found.total, words, state, lines)

    async def card(self, chat: Chat, merchant_id: UUID) -> MerchantNotice:
        """Everything about a merchant; whom to ask there only where nobody else reads."""
        dossier = await self.parties.merchants.dossier(merchant_id)
        merchant, facts = dossier.merchant, dossier.facts
        standing = await self.accounts.credit.standing(merchant)
        private = chat.id == chat.actor.user_id
        return MerchantNotice(
            merchant_id=merchant.id,
            merchant_no=merchant.merchant_no,
            name=merchant.name,
            state=merchant.state,
            currency=merchant.currency,
            zone=merchant.day_cut.zone,
            cut=f"{merchant.day_cut.at:%H:%M}",
            legal_name=facts.legal_name,
            licence_no=facts.licence_no,
            category=facts.category,
            site=facts.site,
            contact=facts.contact if private else "",
            reviewed=merchant.reviewed,
            reviewed_at=dossier.reviewed_at,
            reviewed_by_name=dossier.reviewed_by_name,
            changed=dossier.changed,
            lacking=facts.missing,
            balance_minor=standing.position_minor,
            advanced_minor=standing.advanced_minor,
            line_minor=standing.line_minor,
            products=await self._sold(merchant),
            apps=await self._apps(merchant),
            groups=tuple(await self.people.groups.titles_of(merchant.id))[:GROUPS],
            private=private,
        )

    async def products(self, merchant: Merchant) -> MerchantProducts:
        """What it may buy, and what it could once."""
        lines = await self._sold(merchant)
        return MerchantProducts(merchant.id, merchant.merchant_no, merchant.name, lines)

    async def app(self, kept: KeptApp) -> AppNotice:
        """Everything about an app but its secrets."""
        app, merchant = kept.app, kept.app.merchant
        places = [one.id for one in await self.parties.merchants.apps.all(merchant)]
        return AppNotice(
            app_id=app.id,
            merchant_id=merchant.id,
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            place=places.index(app.id) + 1,
            name=kept.name,
            mode=app.mode,
            key_id=app.key_id,
            state=kept.state,
            created_at=kept.created_at,
            used_at=kept.used_at,
            notify_url=app.notify_url or "",
            ip_allow=app.ip_allow,
            calls_per_s=app.calls_per_s,
            old_until=app.old_until,
            zone=merchant.day_cut.zone,
        )

    def ping(self, ping: Ping) -> PingNotice:
        """What came of a ping."""
        return PingNotice(
            app_id=ping.app.id,
            merchant_no=ping.app.app.merchant.merchant_no,
            app_name=ping.app.name,
            url=ping.url,
            status=ping.status,
            heard=ping.heard,
            took_ms=ping.took_ms,
            why=ping.why,
            body=ping.body,
        )

    async def _sold(self, merchant: Merchant) -> tuple[SoldLine, ...]:
        offers = await self.parties.merchants.offers.of(merchant)
        states = await self.parties.merchants.offers.states(merchant)
        return tuple(
            SoldLine(
                code,
                state,
                format_tariff(offers[code].tariff, merchant.currency) if code in offers else "",
            )
            for code, state in states.items()
        )

    async def _apps(self, merchant: Merchant) -> tuple[AppLine, ...]:
        """Those that are open first; the oldest of the others are left out."""
        found = [
            AppLine(one.id, place, one.name, one.app.mode, one.app.key_id, one.state)
            for place, one in enumerate(await self.parties.merchants.apps.all(merchant), start=1)
        ]
        found.sort(key=lambda line: (line.state != "open", -line.place))
        return tuple(sorted(found[:APPS], key=lambda line: line.place))
