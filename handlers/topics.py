"""All topics of the chat. The help tells of them in this order, and Telegram's menu too."""

from __future__ import annotations

from typing import Final

from handlers import (
    addresses,
    alarms,
    approvals,
    audit,
    bills,
    calculator,
    channels,
    checklist,
    desk,
    discrepancies,
    documents,
    enquiries,
    factors,
    files,
    groups,
    merchants,
    money,
    orders,
    people,
    rates,
    refunds,
    settings,
    statistics,
    status,
    suppliers,
    trials,
)
from handlers.kit.topic import Topic

TOPICS: Final[tuple[Topic, ...]] = (
    money.TOPIC,
    calculator.TOPIC,
    addresses.TOPIC,
    orders.TOPIC,
    enquiries.TOPIC,
    bills.TOPIC,
    statistics.TOPIC,
    files.TOPIC,
    rates.TOPIC,
    channels.TOPIC,
    discrepancies.TOPIC,
    refunds.TOPIC,
    merchants.TOPIC,
    suppliers.TOPIC,
    documents.TOPIC,
    trials.TOPIC,
    alarms.TOPIC,
    approvals.TOPIC,
    factors.TOPIC,
    people.TOPIC,
    status.TOPIC,
    settings.TOPIC,
    audit.TOPIC,
    desk.TOPIC,
    checklist.TOPIC,
    groups.TOPIC,
)
