"""Builds the accounts: merchants as people let them in, vouchers, rates, credit lines, day cuts."""

from __future__ import annotations

from dataclasses import dataclass

from core.accounts.adjustments import Adjustments
from core.accounts.credit import Credit
from core.accounts.daycuts import DayCuts
from core.accounts.onboarding import Admission, Keys, Pings
from core.accounts.payins import Payins
from core.accounts.prepayments import Prepayments
from core.accounts.pricing import Pricing
from core.accounts.rerating import Reratings
from core.accounts.slips import Slips
from core.accounts.voucher_approvals import VoucherApprovals
from core.accounts.vouchers import Vouchers
from core.accounts.written import WrittenLines
from core.books import Ledger
from core.delivery.district import Delivery
from core.parties.district import Parties
from core.people.district import People
from core.supply.district import Supply
from core.system.district import System


@dataclass(frozen=True, slots=True)
class Accounts:
    vouchers: Vouchers
    prepayments: Prepayments
    adjustments: Adjustments
    payins: Payins
    slips: Slips
    credit: Credit
    daycuts: DayCuts
    pricing: Pricing
    reratings: Reratings
    admission: Admission
    keys: Keys
    pings: Pings


def build_accounts(
    system: System,
    ledger: Ledger,
    delivery: Delivery,
    parties: Parties,
    people: People,
    supply: Supply,
) -> Accounts:
    store, outbox, merchants = system.store, delivery.outbox, parties.merchants
    receipts, approvals = people.receipts, people.approvals
    vouchers = Vouchers(system, ledger, delivery, people)
    verbs = (Prepayments(vouchers), Adjustments(vouchers), Payins(vouchers))
    lines = WrittenLines(parties, vouchers, *verbs)
    large = VoucherApprovals(store, people, lines)
    return Accounts(
        vouchers,
        *verbs,
        Slips(store, outbox, approvals, vouchers, lines, large),
        Credit(store, ledger, outbox, merchants, people),
        DayCuts(ledger, merchants, parties.suppliers, receipts),
        Pricing(system, merchants, supply, people),
        Reratings(system, ledger, delivery, merchants, supply, people),
        Admission(store, ledger, delivery.audit, merchants, people),
        Keys(system, outbox, delivery.audit, merchants, people),
        Pings(system, merchants),
    )
