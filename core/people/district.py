"""Builds what concerns people: who speaks, with what right, and who is told what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.district import Delivery
from core.parties.district import Parties
from core.people.actors import Access
from core.people.alarms import Alarms
from core.people.appointments import Appointments
from core.people.approvals import Approvals
from core.people.broadcasts import BroadcastDelivery, Broadcasts
from core.people.desk_settings import DeskSettings
from core.people.enrolments import Enrolments
from core.people.factors import Factors
from core.people.group_links import GroupLinks
from core.people.group_settings import GroupSettings
from core.people.groups import Directory, Groups
from core.people.hand_limits import HandLimits
from core.people.lookalikes import Lookalikes
from core.people.parked import Parked
from core.people.payout_addresses import PayoutAddresses
from core.people.people import Persons
from core.people.receipts import Receipts
from core.people.recovery import Recovery
from core.people.refusals import Refusals
from core.people.safeguards import Safeguards
from core.people.setting_changes import SettingChanges
from core.people.staff import Invitations, Staff
from core.people.trail import Trail
from core.system.district import System


@dataclass(frozen=True, slots=True)
class People:
    people: Persons
    staff: Staff
    invitations: Invitations
    groups: Groups
    directory: Directory
    group_settings: GroupSettings
    group_links: GroupLinks
    broadcasts: Broadcasts
    broadcast_delivery: BroadcastDelivery
    appointments: Appointments
    access: Access
    factors: Factors
    enrolments: Enrolments
    recovery: Recovery
    settings: DeskSettings
    setting_changes: SettingChanges
    limits: HandLimits
    approvals: Approvals
    receipts: Receipts
    payout_addresses: PayoutAddresses
    alarms: Alarms
    lookalikes: Lookalikes
    parked: Parked
    refusals: Refusals
    trail: Trail


def build_people(system: System, delivery: Delivery, parties: Parties) -> People:
    store, clock, ids = system.store, system.clock, system.ids
    outbox, board, audit = delivery.outbox, delivery.board, delivery.audit
    people = Persons(store, clock, ids)
    groups = Groups(store, clock, ids, outbox, board)
    directory = Directory(store)
    alarms = Alarms(store, clock, ids, groups, board, audit)
    factors = Factors(store, system.vault, clock, alarms, groups, audit)
    approvals = Approvals(store, clock, ids, people, groups, board)
    receipts = Receipts(store, clock, outbox, audit)
    access, settings = Access(store, parties.merchants), DeskSettings(store, clock, audit)
    staff = Staff(store, delivery, people, groups, Safeguards(approvals, factors, settings))
    return People(
        people,
        staff,
        Invitations(system, delivery, people, access, approvals, staff),
        groups,
        directory,
        GroupSettings(store, groups, directory, audit),
        GroupLinks(system, access, audit),
        Broadcasts(system, delivery, directory),
        BroadcastDelivery(system, delivery),
        Appointments(store, delivery, people, groups, approvals),
        access,
        factors,
        Enrolments(store, factors, approvals),
        Recovery(store, people, factors, approvals),
        settings,
        SettingChanges(store, settings, approvals, groups),
        HandLimits(settings, clock),
        approvals,
        receipts,
        PayoutAddresses(store, clock, access, approvals, receipts),
        alarms,
        Lookalikes(store, clock, delivery, groups, alarms),
        Parked(store, groups, people, alarms, outbox, audit),
        Refusals(store, clock, ids, outbox),
        Trail(store),
    )
