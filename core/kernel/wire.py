"""HTTP as plain data: what a connector builds and reads, and what the gateway sends and fetches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request ready to be sent.

    url: absolute. signed: the exact string that was signed, the key in it masked; empty where
    nothing is signed. It is for people who compare signatures and is not sent.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    signed: str


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whole and undecoded but for transfer and content encodings.

    headers: names in lower case; of a repeated one the last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
