"""Pay-out addresses of groups: read, verified, kept, and compared with what somebody writes."""

from core.people.payout_addresses.addresses import Address, Network, read_address
from core.people.payout_addresses.payout_addresses import (
    RIGHT,
    Owner,
    PayoutAddresses,
    PayoutAddressQuestion,
    PayoutAddressSet,
    Stored,
)

__all__ = [
    "RIGHT",
    "Address",
    "Network",
    "Owner",
    "PayoutAddressQuestion",
    "PayoutAddressSet",
    "PayoutAddresses",
    "Stored",
    "read_address",
]
