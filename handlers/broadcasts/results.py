"""What became of a broadcast in each chat: page by page, and as a file."""

from __future__ import annotations

import csv
import io
from typing import Final

from core.delivery.outbox import TextFile
from core.people.broadcasts import ResultPage
from handlers.broadcasts.screens import BroadcastResultFile, BroadcastResults, ResultLine
from handlers.files.csv_table import for_spreadsheet
from handlers.kit.vocabulary import word
from texts import instant, translator

# By this mark Excel recognises UTF-8.
_MARK: Final = "\ufeff"


def results_page(found: ResultPage, zone: str) -> BroadcastResults:
    """zone: of its times."""
    broadcast = found.broadcast
    lines = tuple(
        ResultLine(one.no, one.title, one.state, one.fault, one.at) for one in found.entries
    )
    return BroadcastResults(
        broadcast.id, broadcast.no, found.page, found.pages, found.total, lines, zone
    )


def result_file(found: ResultPage, zone: str, language: str, reply_to: int) -> TextFile:
    """A CSV with a row for each chat, as a spreadsheet opens it."""
    translate, no = translator(language), found.broadcast.no
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    time = translate.gettext("Time")
    titles = (
        translate.gettext("No."),
        translate.gettext("Chat"),
        translate.gettext("State"),
        f"{time} ({zone})",
        translate.gettext("Reason"),
    )
    writer.writerow(titles)
    for one in found.entries:
        at = "" if one.at is None else instant(one.at, zone)
        state = word("broadcast_target", one.state, language)
        cells = (f"G{one.no}", one.title, state, at, one.fault)
        writer.writerow([for_spreadsheet(cell) for cell in cells])
    notice = BroadcastResultFile(no, found.total)
    return TextFile(f"B{no}.csv", _MARK + written.getvalue(), notice, reply_to=reply_to)
