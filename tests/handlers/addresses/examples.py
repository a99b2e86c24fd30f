"""What is said of addresses, as widely as it can be."""

from __future__ import annotations

from typing import Final, get_args

from core.delivery.outbox import Notice
from core.people.payout_addresses import (
    Address,
    Network,
    Owner,
    PayoutAddressQuestion,
    PayoutAddressSet,
    Stored,
)
from core.people.payout_addresses.addresses import Checksum
from handlers.addresses.screens import (
    AddressCheckNotice,
    Comparison,
    PayoutAddressesNotice,
    Verdict,
)
from tests.handlers.written import AT, HOSTILE, ID

TRON: Final = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
OTHER: Final = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
KEPT: Final = Stored("M1001", "trc20", TRON, HOSTILE, AT)
OWNER: Final = Owner(ID, "M1001", HOSTILE, is_merchant=True)
NETWORKS: Final[tuple[Network, ...]] = get_args(Network)
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
CHECKSUMS: Final[tuple[Checksum, ...]] = get_args(Checksum)
ASKED: Final = tuple(
    PayoutAddressQuestion(OWNER, "erc20", OTHER, OTHER, unchecked) for unchecked in (True, False)
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        AddressCheckNotice(
            Address(network, TRON, checksum),
            Comparison(verdict, None if verdict == "none" else KEPT),
            "Asia/Shanghai",
        )
        for network in NETWORKS
        for checksum in CHECKSUMS
        for verdict in VERDICTS
    ),
    PayoutAddressesNotice((), "UTC"),
    PayoutAddressesNotice((KEPT,) * 8, "UTC"),
    PayoutAddressSet("M1001", HOSTILE, "trc20", "", TRON, HOSTILE),
    PayoutAddressSet("S01", HOSTILE, "erc20", OTHER, OTHER, HOSTILE, 1, HOSTILE),
)
