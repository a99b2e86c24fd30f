"""Builds the reports: what the books say, whether they hold, and how the desk is."""

from __future__ import annotations

from dataclasses import dataclass

from core.books import Ledger
from core.delivery.district import Delivery
from core.parties.district import Parties
from core.people.district import People
from core.reports.balances import Balances
from core.reports.bills import Bills
from core.reports.changes import Changes
from core.reports.checklist import Checklist
from core.reports.configuration import Configuration
from core.reports.day_reports import DayReports
from core.reports.exports import Exports
from core.reports.instance import Instance
from core.reports.order_lists import OrderLists
from core.reports.standing import Standing
from core.reports.statistics import Statistics
from core.reports.ticks import Ticks
from core.reports.verify import Verify
from core.supply.district import Supply
from core.system.district import System
from core.trade.district import Trade


@dataclass(frozen=True, slots=True)
class Reports:
    """balances: how all merchants stand. ticks: turns of the timetable. instance: this process
    among all that run the desk. changes: what is to be shown anew. standing: how the desk is as a
    whole. checklist: what is still to be done to open it. configuration: how it is set up.
    day_reports: bills of days that closed. order_lists: orders by pages."""

    bills: Bills
    statistics: Statistics
    balances: Balances
    exports: Exports
    verify: Verify
    ticks: Ticks
    instance: Instance
    changes: Changes
    standing: Standing
    checklist: Checklist
    configuration: Configuration
    day_reports: DayReports
    order_lists: OrderLists


def build_reports(
    system: System,
    ledger: Ledger,
    delivery: Delivery,
    parties: Parties,
    people: People,
    supply: Supply,
    trade: Trade,
    *,
    instance_name: str,
) -> Reports:
    store, clock = system.store, system.clock
    merchants, suppliers = parties.merchants, parties.suppliers
    bills = Bills(store, clock, ledger, merchants, supply.market)
    order_lists = OrderLists(store, clock, system.ids)
    statistics = Statistics(store, bills, suppliers)
    return Reports(
        bills,
        statistics,
        Balances(store, statistics),
        Exports(system, ledger, parties, bills, order_lists),
        Verify(store, clock, merchants, suppliers, bills),
        Ticks(store, clock, people.alarms),
        Instance(instance_name, store, clock, people.alarms),
        Changes(store, clock, delivery.board, trade.enquiries, trade.watches),
        Standing(system, supply),
        Checklist(store),
        Configuration(store, delivery.audit),
        DayReports(people.groups, delivery.outbox, delivery.board),
        order_lists,
    )
