"""Builds the trade: orders from their creation to their end."""

from __future__ import annotations

from dataclasses import dataclass

from core.books import Ledger
from core.delivery.district import Delivery
from core.parties.district import Parties, nonce
from core.people.district import People
from core.supply.channels import Routing
from core.supply.district import Supply
from core.system.district import System
from core.trade.booking_tools import TradeBooks
from core.trade.callbacks import Callbacks, RefusedCallbacks
from core.trade.completions import Completions
from core.trade.discrepancies import Discrepancies
from core.trade.enquiries import Chases, Enquiries
from core.trade.hand_questions import HandQuestions
from core.trade.lookups import Lookups
from core.trade.notifications import Notifications
from core.trade.orders import (
    Addresses,
    Contradictions,
    Creation,
    FollowUp,
    NewOrders,
    Openings,
    OrdersByHand,
    OrdinaryPayments,
    Payments,
    Placements,
    ShownOrders,
    SupplierCalls,
)
from core.trade.reasons import Reasons
from core.trade.refunds import RefundDispatch, RefundRequests, Refunds, RefundsByHand
from core.trade.trials import TrialChoices, TrialResults, Trials
from core.trade.watches import Watches


@dataclass(frozen=True, slots=True)
class Trade:
    addresses: Addresses
    creation: Creation
    payments: Payments
    contradictions: Contradictions
    follow_up: FollowUp
    notifications: Notifications
    callbacks: Callbacks
    refused_callbacks: RefusedCallbacks
    completions: Completions
    discrepancies: Discrepancies
    enquiries: Enquiries
    chases: Chases
    reasons: Reasons
    refunds: Refunds
    refund_dispatch: RefundDispatch
    refund_requests: RefundRequests
    refunds_by_hand: RefundsByHand
    watches: Watches
    lookups: Lookups
    shown: ShownOrders
    trial_choices: TrialChoices
    trials: Trials


def build_trade(
    system: System,
    ledger: Ledger,
    delivery: Delivery,
    parties: Parties,
    people: People,
    supply: Supply,
    addresses: Addresses,
) -> Trade:
    """addresses: where suppliers call back and payers pay."""
    store, clock, market = system.store, system.clock, supply.market
    groups, alarms, routing = people.groups, people.alarms, supply.routing
    audit = delivery.audit
    books = TradeBooks(system.ids, ledger, market, groups, delivery.outbox, alarms)
    supplier_calls = SupplierCalls(market, parties.calls, clock, nonce, addresses)
    contradictions = Contradictions(store, clock, system.ids, alarms)
    ordinary = OrdinaryPayments(store, clock, books, addresses.cashier_url)
    payments = Payments(books, routing, contradictions, ordinary, addresses.cashier_url)
    by_hand = OrdersByHand(books, payments, routing)
    creation = build_creation(system, books, routing, supplier_calls, payments)
    follow_up = FollowUp(system, routing, supplier_calls, creation, payments)
    refused = RefusedCallbacks(store, clock, system.ids, alarms)
    refunds = Refunds(books)
    choices = TrialChoices(system, parties, supply)
    results = TrialResults(store, parties, addresses)
    dispatch = RefundDispatch(system, ledger, parties, supplier_calls, refunds, alarms)
    questions = HandQuestions(system, delivery, people)
    completions = Completions(system, people, questions, follow_up, by_hand)
    enquiries = Enquiries(system, delivery, groups, people.settings)
    watches = Watches(store, clock)
    discrepancies = Discrepancies(system, books, delivery, people, questions, completions)
    return Trade(
        addresses=addresses,
        creation=creation,
        payments=payments,
        contradictions=contradictions,
        follow_up=follow_up,
        notifications=Notifications(store, clock, system.ids, system.gateway, market, alarms),
        callbacks=Callbacks(system, market, payments, follow_up, alarms, refused),
        refused_callbacks=refused,
        completions=completions,
        discrepancies=discrepancies,
        enquiries=enquiries,
        chases=Chases(system, groups, enquiries),
        reasons=Reasons(system, delivery, people, questions, discrepancies),
        refunds=refunds,
        refund_dispatch=dispatch,
        refund_requests=RefundRequests(system, people, questions, refunds, dispatch),
        refunds_by_hand=RefundsByHand(system, books, audit, people, questions, refunds),
        watches=watches,
        lookups=Lookups(store, delivery.outbox, watches),
        shown=ShownOrders(store),
        trial_choices=choices,
        trials=Trials(system, books, people, choices, results, creation),
    )


def build_creation(
    system: System,
    books: TradeBooks,
    routing: Routing,
    supplier_calls: SupplierCalls,
    payments: Payments,
) -> Creation:
    """What creates orders: a placement is found, a draft made, written, and sent."""
    placements = Placements(system.store, system.clock, books, routing)
    new_orders = NewOrders(system.store, books, payments)
    openings = Openings(system.clock, books, placements, supplier_calls, new_orders)
    return Creation(system, books, routing, openings, supplier_calls, payments)
