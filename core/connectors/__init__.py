"""Suppliers as documents: load one, build its requests, read its answers, verify its callbacks.

Pure: no network, clock, database or randomness; everything is handed in. What a document may say
is in docs/connectors.md.
"""

from __future__ import annotations

from core.connectors import codes as codes
from core.connectors.checks import check as check
from core.connectors.connector import Connector as Connector
from core.connectors.connector import load as load
from core.connectors.dry_run import DryRead as DryRead
from core.connectors.dry_run import DryRun as DryRun
from core.connectors.dry_run import DrySent as DrySent
from core.connectors.dry_run import tried_facts as tried_facts
from core.connectors.explanation import CallExplained as CallExplained
from core.connectors.explanation import Caution as Caution
from core.connectors.explanation import Explanation as Explanation
from core.connectors.explanation import Signing as Signing
from core.connectors.pay_instructions import opens_app as opens_app
from core.connectors.requests import fits_host as fits_host
from core.connectors.schema import json_schema as json_schema
from core.connectors.tables import fill_reference as fill_reference
from core.connectors.trace import STEPS as STEPS
from core.connectors.trace import Step as Step
from core.connectors.types import REFUSED_FOR as REFUSED_FOR
from core.connectors.types import Accepted as Accepted
from core.connectors.types import AttemptFacts as AttemptFacts
from core.connectors.types import Balance as Balance
from core.connectors.types import Callback as Callback
from core.connectors.types import CreateReading as CreateReading
from core.connectors.types import DocumentFaults as DocumentFaults
from core.connectors.types import Event as Event
from core.connectors.types import Fault as Fault
from core.connectors.types import FixtureFailure as FixtureFailure
from core.connectors.types import InvalidCallback as InvalidCallback
from core.connectors.types import Pay as Pay
from core.connectors.types import RefundFacts as RefundFacts
from core.connectors.types import RefundStanding as RefundStanding
from core.connectors.types import Rejected as Rejected
from core.connectors.types import Reply as Reply
from core.connectors.types import Standing as Standing
from core.connectors.types import Token as Token
from core.connectors.types import TokenRefused as TokenRefused
from core.connectors.types import Unknown as Unknown
from core.kernel.wire import HttpAnswer as HttpAnswer
from core.kernel.wire import HttpRequest as HttpRequest

__all__ = [
    "REFUSED_FOR",
    "STEPS",
    "Accepted",
    "AttemptFacts",
    "Balance",
    "CallExplained",
    "Callback",
    "Caution",
    "Connector",
    "CreateReading",
    "DocumentFaults",
    "DryRead",
    "DryRun",
    "DrySent",
    "Event",
    "Explanation",
    "Fault",
    "FixtureFailure",
    "HttpAnswer",
    "HttpRequest",
    "InvalidCallback",
    "Pay",
    "RefundFacts",
    "RefundStanding",
    "Rejected",
    "Reply",
    "Signing",
    "Standing",
    "Step",
    "Token",
    "TokenRefused",
    "Unknown",
    "check",
    "fill_reference",
    "fits_host",
    "json_schema",
    "load",
    "opens_app",
    "tried_facts",
]
