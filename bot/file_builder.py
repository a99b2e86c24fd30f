"""Builds what was asked for: pictures and files, without ever holding the event loop up."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from core.kernel.errors import Bug, Refusal
from core.reports.exports import (
    MAX_ROWS,
    ListReading,
    MerchantReading,
    Paper,
    PlatformReading,
    SupplierReading,
)
from core.runtime import Runtime
from handlers.files import picture
from handlers.files.books import (
    Column,
    CsvTable,
    ListHead,
    MerchantBook,
    OrderListBook,
    Speech,
    SupplierBook,
    day_columns,
    days_of,
    distinct,
    merchant_columns,
    order_columns,
    taking_columns,
    voucher_columns,
    write_platform_book,
)
from handlers.files.chart import chart_caption, draw_chart
from handlers.order_lists.screens import filter_words, list_title
from handlers.screens import call_log, caption

R = TypeVar("R")
_PICTURE: Final = Path(picture.__file__)
_RENDER_TIMEOUT_S: Final = 30.0
# Raised when charts look different: those that were sent before are not sent again.
_CHART_LAYOUT: Final = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be. rows: of a workbook. size_bytes: what a bot may send."""

    rows: int = MAX_ROWS
    size_bytes: int = 50_000_000


LIMITS: Final = Limits()


@dataclass(slots=True)
class Progress:
    """How far a file is: rows written of all there are."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """What is to be sent: a file, or Telegram's id of one that says the same. caption: Telegram's
    HTML, at most 1024 characters of text."""

    digest: str
    caption: str
    path: Path | None = None
    file_id: str | None = None


class Builder:
    """Builds into a folder of the caller's."""

    def __init__(self, runtime: Runtime, limits: Limits = LIMITS) -> None:
        self._runtime = runtime
        self._limits = limits

    async def chart(self, paper: Paper, language: str, folder: Path) -> Built:
        """A chart as PNG."""
        facts = await self._runtime.reports.exports.chart(paper)
        said = repr((_CHART_LAYOUT, language, paper, facts))
        digest = hashlib.sha256(said.encode()).hexdigest()
        under = chart_caption(facts, language)
        file_id = await self._runtime.reports.exports.queue.file_of(digest)
        if file_id is not None:
            return Built(digest, under, file_id=file_id)
        path = folder / "chart.png"
        png = await render(draw_chart(facts, language))
        await asyncio.to_thread(path.write_bytes, png)
        return Built(digest, under, path)

    async def file(self, paper: Paper, language: str, folder: Path, progress: Progress) -> Built:
        """A workbook, a CSV, or the log of an order's calls. Refusals: export_too_large,
        list_too_large, export_too_big."""
        exports = self._runtime.reports.exports
        if paper.order_id is not None:
            return await self._calls(paper.holder_id, paper.order_id, language, folder)
        if paper.listed is not None:
            async with exports.order_list(paper, paper.listed) as reading:
                built = await self._list(reading, language, folder, progress)
        elif paper.holder == "m":
            async with exports.merchant(paper) as merchant:
                built = await self._known(merchant, language, folder, merchant.bill.merchant_no)
                if built.path is not None:
                    await self._merchant(merchant, language, built.path, progress)
        elif paper.holder == "s":
            async with exports.supplier(paper) as supplier:
                built = await self._known(supplier, language, folder, supplier.bill.supplier_no)
                if built.path is not None:
                    await self._supplier(supplier, language, built.path, progress)
        else:
            async with exports.platform(paper) as platform:
                name = f"paydesk_{platform.bill.currency}"
                built = await self._known(platform, language, folder, name)
                if built.path is not None:
                    await self._platform(platform, language, built.path)
        most_bytes = self._limits.size_bytes
        if built.path is not None and built.path.stat().st_size > most_bytes:
            raise Refusal("export_too_big", limit_mb=most_bytes // 1_000_000)
        return built

    async def _known(
        self,
        reading: MerchantReading | SupplierReading | PlatformReading,
        language: str,
        folder: Path,
        name: str,
    ) -> Built:
        """The file that was sent before, or the place of a new one."""
        paper = reading.paper
        digest = await reading.digest(language)
        stem = f"{name}_{_span(paper)}" + (f"_{paper.table}" if paper.what == "csv" else "")
        under = caption(f"📄 {name} · {paper.days}")
        file_id = await reading.file_of(digest)
        if file_id is not None:
            return Built(digest, under, file_id=file_id)
        suffix = "csv" if paper.what == "csv" else "xlsx"
        return Built(digest, under, folder / f"{stem}.{suffix}")

    async def _calls(self, merchant_id: UUID, order_id: UUID, language: str, folder: Path) -> Built:
        log = await self._runtime.reports.exports.calls(merchant_id, order_id)
        text = call_log(log, language)
        digest = hashlib.sha256(text.encode()).hexdigest()
        under = caption(f"📄 {log.order_no}")
        file_id = await self._runtime.reports.exports.queue.file_of(digest)
        if file_id is not None:
            return Built(digest, under, file_id=file_id)
        path = folder / f"{log.order_no}_calls.txt"
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
        return Built(digest, under, path)

    async def _list(
        self, reading: ListReading, language: str, folder: Path, progress: Progress
    ) -> Built:
        """The workbook of a list, written unless the same was sent before."""
        listed = reading.listed
        await reading.need_room(self._limits.rows)
        progress.total = await reading.count()
        digest = await reading.digest(language)
        products = (await self._runtime.supply.market.now()).products
        names = {code: (one.name_zh, one.name_en) for code, one in products.items()}
        title = list_title(listed.wanted, filter_words(listed.wanted, names, language), language)
        under = caption(f"📄 {title}")
        file_id = await reading.file_of(digest)
        if file_id is not None:
            return Built(digest, under, file_id=file_id)
        path = folder / f"orders_{_span(reading.paper)}.xlsx"
        speech = await self._speech(listed.wanted.currency, reading.paper.zone, language)
        now = self._runtime.system.clock.now()
        head = ListHead(title, reading.whose, listed, reading.totals, now)
        book = await asyncio.to_thread(OrderListBook, path, head, speech)
        await _pour(reading.lines(), book.lines.add, progress)
        await asyncio.to_thread(book.close)
        return Built(digest, under, path)

    async def _speech(self, currency: str, zone: str, language: str) -> Speech:
        products = (await self._runtime.supply.market.now()).products
        names = {
            code: product.name_zh if language == "zh" else product.name_en
            for code, product in products.items()
        }
        return distinct(Speech(language, currency, zone, names))

    async def _merchant(
        self, reading: MerchantReading, language: str, path: Path, progress: Progress
    ) -> None:
        speech = await self._speech(reading.bill.currency, reading.bill.zone, language)
        progress.total = await reading.count()
        if reading.paper.what == "csv":
            await self._merchant_csv(reading, speech, path, progress)
            return
        await reading.need_room(self._limits.rows)
        staff, now = reading.paper.staff, self._runtime.system.clock.now()
        book = await asyncio.to_thread(
            MerchantBook, path, reading.bill, speech, staff=staff, built_at=now
        )
        await _pour(reading.orders(), book.orders.add, progress)
        await _pour(reading.prepayments(), book.prepayments.add)
        await _pour(reading.movements(), book.movements.add)
        await _pour(reading.completions(), book.completions.add)
        if staff:
            await _pour(reading.discrepancies(), book.add_discrepancies)
        await asyncio.to_thread(book.close)

    async def _merchant_csv(
        self, reading: MerchantReading, speech: Speech, path: Path, progress: Progress
    ) -> None:
        paper = reading.paper
        match paper.table:
            case "orders":
                columns = order_columns(speech, staff=paper.staff)
                await _csv(path, columns, speech, paper, reading.orders(), progress)
            case "prepayments":
                await _csv(path, voucher_columns(speech), speech, paper, reading.prepayments())
            case "days":
                lines = _one(days_of(reading.bill))
                await _csv(path, day_columns(speech), speech, paper, lines)

    async def _supplier(
        self, reading: SupplierReading, language: str, path: Path, progress: Progress
    ) -> None:
        paper = reading.paper
        speech = await self._speech(reading.bill.currency, reading.bill.zone, language)
        progress.total = await reading.count()
        if paper.what == "csv":
            if paper.table == "prepayments":
                await _csv(path, voucher_columns(speech), speech, paper, reading.paid_in())
            else:
                columns = taking_columns(speech)
                await _csv(path, columns, speech, paper, reading.takings(), progress)
            return
        await reading.need_room(self._limits.rows)
        now = self._runtime.system.clock.now()
        book = await asyncio.to_thread(SupplierBook, path, reading.bill, speech, built_at=now)
        await _pour(reading.takings(), book.takings.add, progress)
        await _pour(reading.paid_in(), book.paid_in.add)
        await asyncio.to_thread(book.close)

    async def _platform(self, reading: PlatformReading, language: str, path: Path) -> None:
        speech = await self._speech(reading.bill.currency, reading.bill.zone, language)
        if reading.paper.what == "csv":
            lines = _one(reading.bill.merchants)
            await _csv(path, merchant_columns(speech), speech, reading.paper, lines)
            return
        now = self._runtime.system.clock.now()
        await asyncio.to_thread(write_platform_book, path, reading.bill, speech, built_at=now)


def _span(paper: Paper) -> str:
    """The days of a paper, in the name of its file."""
    days = paper.days
    return f"{days.first}" + (f"_{days.last}" if len(days) > 1 else "")


async def render(svg: str) -> bytes:
    """An SVG as PNG, made by a process of its own: see handlers/files/picture.py."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_PICTURE),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_RENDER_TIMEOUT_S):
            png, said = await process.communicate(svg.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Bug(f"the chart was not drawn: {said.decode(errors='replace')[-500:]}")
    return png


async def _pour(
    chunks: AsyncIterator[list[Any]],
    add: Callable[[list[Any]], None],
    progress: Progress | None = None,
) -> None:
    """Write rows as they come, each few hundred in a thread."""
    async for rows in chunks:
        await asyncio.to_thread(add, rows)
        if progress is not None:
            progress.done += len(rows)


async def _csv(
    path: Path,
    columns: Sequence[Column[R]],
    speech: Speech,
    paper: Paper,
    chunks: AsyncIterator[list[R]],
    progress: Progress | None = None,
) -> None:
    with await asyncio.to_thread(CsvTable, path, columns, speech, bom=paper.bom) as table:
        await _pour(chunks, table.add, progress)


async def _one(rows: Iterable[R]) -> AsyncIterator[list[R]]:
    yield list(rows)
