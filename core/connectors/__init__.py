"""Suppliers as documents: load one, build its requests, read its answers, verify its callbacks.

Pure: no network, clock, database or randomness; everything is handed in. What a document may say
is in connectors/README.md.
"""

from __future__ import annotations

from core.connectors.checking import check as check
from core.connectors.connector import Connector as Connector
from core.connectors.connector import load as load
from core.connectors.types import Accepted as Accepted
from core.connectors.types import AttemptFacts as AttemptFacts
from core.connectors.types import Callback as Callback
from core.connectors.types import CreateReading as CreateReading
from core.connectors.types import DocumentFaults as DocumentFaults
from core.connectors.types import Event as Event
from core.connectors.types import Fault as Fault
from core.connectors.types import FixtureFailure as FixtureFailure
from core.connectors.types import InvalidCallback as InvalidCallback
from core.connectors.types import Pay as Pay
from core.connectors.types import Rejected as Rejected
from core.connectors.types import Reply as Reply
from core.connectors.types import Standing as Standing
from core.connectors.types import Unknown as Unknown
from core.wire import HttpAnswer as HttpAnswer
from core.wire import HttpRequest as HttpRequest

__all__ = [
    "Accepted",
    "AttemptFacts",
    "Callback",
    "Connector",
    "CreateReading",
    "DocumentFaults",
    "Event",
    "Fault",
    "FixtureFailure",
    "HttpAnswer",
    "HttpRequest",
    "InvalidCallback",
    "Pay",
    "Rejected",
    "Reply",
    "Standing",
    "Unknown",
    "check",
    "load",
]
