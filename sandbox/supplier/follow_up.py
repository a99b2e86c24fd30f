"""Goes where a payer goes who opens an address: over redirects, pages and forms, to a pay link."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import aiohttp

from sandbox.process import is_loopback_host

MAX_HOPS = 10
MAX_PAGE_BYTES = 1_000_000
REDIRECTS = (301, 302, 303, 307, 308)
PAGE_PATH = "/gateway/page"

_TRADE_NO = re.compile(r"/pay/([0-9A-F]{24})(?![0-9A-Za-z])")


class Elsewhere(Exception):
    """The address is none that a payer is followed to; the message says why."""


class Lost(Exception):
    """The address leads to no pay link; the message says where it ended."""


@dataclass
class _Form:
    """A form of a page, with what its hidden fields carry."""

    action: str
    is_post: bool
    fields: dict[str, str] = field(default_factory=dict)


class Follower:
    """Follows addresses of this machine to a pay link of the supplier at `base`."""

    def __init__(self, http: aiohttp.ClientSession, base: Callable[[], str]) -> None:
        self._http = http
        self._base = base

    async def follow(self, url: str) -> str:
        """The trade number at the end of the way. Raises `Elsewhere`, `Lost`."""
        step = _Form(url, is_post=False)
        for _ in range(MAX_HOPS):
            if trade_no := self._own_trade_no(step.action):
                return trade_no
            _check_loopback_url(step.action)
            status, page, leads_to = await self._open(step)
            if leads_to is not None:
                step = _Form(leads_to, is_post=False)
                continue
            found = self._next_step(page, step.action)
            if found is None:
                raise Lost(f"{step.action} (HTTP {status}) has no link to this supplier")
            step = found
        raise Lost(f"more than {MAX_HOPS} redirects")

    async def _open(self, step: _Form) -> tuple[int, str, str | None]:
        """Its status, its page, and where it redirects to."""
        url = step.action
        try:
            async with self._http.request(
                "POST" if step.is_post else "GET",
                url,
                data=step.fields if step.is_post else None,
                allow_redirects=False,
            ) as answer:
                if answer.status in REDIRECTS:
                    return answer.status, "", urljoin(url, answer.headers.get("Location", ""))
                return answer.status, await _page(answer), None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Lost(f"{url} cannot be opened: {error}") from error

    def _next_step(self, page: str, page_url: str) -> _Form | None:
        """The first way on: a link to a payer's page of this supplier, or a form that goes
        there by itself. A refusal of the supplier leads nowhere."""
        if self._is_own(page_url):
            return None
        text = unescape(page).replace("\\/", "/")
        for link in re.findall(r"https?://[^\s\"'<>]+", text):
            target = urljoin(page_url, link)
            if (self._is_own(target) and "?" in target) or self._own_trade_no(_bare(target)):
                return _Form(target, is_post=False)
        forms = _Forms()
        forms.feed(page)
        for form in forms.found:
            form.action = urljoin(page_url, form.action)
            if form.is_post and self._is_own(form.action):
                return form
        return None

    def _is_own(self, url: str) -> bool:
        """Whether it is this supplier's address for a create that a payer brings."""
        return self._path_here(url) == PAGE_PATH

    def _own_trade_no(self, url: str) -> str | None:
        """The trade number when the URL is a pay link of this supplier."""
        found = _TRADE_NO.fullmatch(self._path_here(url))
        return found[1] if found else None

    def _path_here(self, url: str) -> str:
        """The path of an address of this supplier; '' for any other."""
        try:
            parts, own = urlsplit(url), urlsplit(self._base())
            same = parts.port == own.port and is_loopback_host(parts.hostname or "")
        except ValueError:
            return ""
        return parts.path if same and parts.scheme == "http" else ""


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(
                _Form(said.get("action", ""), said.get("method", "").lower() == "post")
            )
        elif tag == "input" and self.found and said.get("name"):
            self.found[-1].fields[said["name"]] = said.get("value", "")


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _check_loopback_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme == "http" and is_loopback_host(parts.hostname or "")
    except ValueError:
        fine = False
    if not fine:
        raise Elsewhere(f"{url} is neither a pay link nor an http URL of this machine")


async def _page(answer: aiohttp.ClientResponse) -> str:
    body = b""
    async for part in answer.content.iter_chunked(65_536):
        body += part
        if len(body) > MAX_PAGE_BYTES:
            break
    return body.decode("utf-8", "replace")
