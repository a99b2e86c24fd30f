"""Figures of today and of the last seven days, from the facts of a Say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from handlers.kit.lines import SHOWN_NAME_CHARS, shortened
from handlers.kit.screen import Screen, clip, percent, short_time, signed
from handlers.kit.sheet import Row, Sheet, Size, Table, render_sheet
from texts import number, translator

_Facts = Mapping[str, Any]
# What a row counts.
FIGURES: Final = ("created", "cohort_paid", "paid", "amount_minor", "fee_minor", "cost_minor")
_NONE: Final[_Facts] = dict.fromkeys(FIGURES, 0)


def render_statistics(facts: _Facts, language: str) -> Screen:
    """facts: what (volume, success, stats), whose, and a part for each way to tell rows apart.

    A part's rows: key (the same on all days; '': others), names and FIGURES, the largest first.
    fees, costs: whether these may be shown there.
    """
    writer = _Writer(facts, language)
    return render_sheet(writer.sheet, language, None)


class _Writer:
    def __init__(self, facts: _Facts, language: str) -> None:
        self._facts = facts
        self._language = language
        self._currency: str = facts["currency"]
        self._translate = translator(language).gettext
        self._named = translator(language).pgettext

    def sheet(self, size: Size) -> Sheet:
        facts, translate = self._facts, self._translate
        titles = {
            "volume": translate("Volume of %(day)s"),
            "success": translate("Success of %(day)s"),
            "stats": translate("Statistics of %(day)s"),
        }
        name = f"{clip(facts['holder_name'], SHOWN_NAME_CHARS)} · {facts['holder_no']}"
        everybody = translate("The platform, all merchants")
        footer = [short_time(facts["at"], facts["zone"]), facts["zone"], self._currency]
        if facts["also"]:
            others = {"currencies": ", ".join(facts["also"])}
            footer.append(translate("also: %(currencies)s") % others)
        if facts["holder"] != "m" and facts["what"] != "volume":
            footer.append(translate("success by merchants' own days"))
        return Sheet(
            title="📊 " + titles[facts["what"]] % {"day": facts["day"]},
            name=everybody if facts["holder"] == "p" else name,
            status="",
            parts=tuple(self._parts(size)),
            footer=" · ".join(footer),
        )

    def _parts(self, size: Size) -> list[Table | str]:
        parts: list[Table | str] = []
        match self._facts["what"]:
            case "volume":
                parts += [self._volume(part, size) for part in self._facts["parts"]]
            case "success":
                parts += [self._success(part, size) for part in self._facts["parts"]]
            case _:
                parts += [self._earned(part, "today", size) for part in self._facts["parts"]]
                parts += self._week(size)
        return parts

    def _week(self, size: Size) -> list[Table | str]:
        """The seven days before today, where there is anything to tell of them."""
        span = f"{self._facts['first']} – {self._facts['last']}"
        title = "🗓 " + self._translate("The seven days before: %(days)s") % {"days": span}
        told = [part for part in self._facts["parts"] if part["week"]["rows"]]
        if not told:
            return [title, self._translate("No record in these days.")]
        return [title, *(self._earned(part, "week", size) for part in told)]

    def _volume(self, part: _Facts, size: Size) -> Table:
        rows = [
            Row((name, str(row["paid"]), self._amount(row["amount_minor"])))
            for name, row in self._rows(part["today"], size)
        ]
        total = part["today"]["total"]
        rows.append(self._total(total, ""))
        return Table(tuple(rows), self._header(part))

    def _success(self, part: _Facts, size: Size) -> Table:
        """Today beside the seven days before, also where there was nothing on one of the two."""
        today = {row["key"]: row for row in part["today"]["rows"]}
        week = {row["key"]: row for row in part["week"]["rows"]}
        both = [
            (self._name(row, size), today.get(key, _NONE), week.get(key, _NONE), key)
            for key, row in (week | today).items()
        ]
        both.sort(key=lambda x: (not x[3], -x[1]["created"] - x[2]["created"], x[3]))
        others = self._translate("Others")
        shown = shortened(
            both,
            size.rows,
            lambda rest: (others, added(x[1] for x in rest), added(x[2] for x in rest), ""),
        )
        rows = [Row((name, _share(now), _share(then))) for name, now, then, _ in shown]
        totals = (_share(part["today"]["total"]), _share(part["week"]["total"]))
        rows.append(Row((self._named("desk", "Together"), *totals), bold=True))
        header = (self._by(part), self._named("desk", "Today"), self._translate("7 days"))
        return Table(tuple(rows), header)

    def _earned(self, part: _Facts, when: str, size: Size) -> Table:
        found = part[when]
        rows = [
            Row((name, str(row["paid"]), self._amount(row["amount_minor"])), self._note(row))
            for name, row in self._rows(found, size)
        ]
        rows.append(self._total(found["total"], self._note(found["total"])))
        if when == "week":
            average = found["average"]
            cells = (str(average["paid"]), self._amount(average["amount_minor"]))
            rows.append(Row((self._translate("A day on average"), *cells), self._note(average)))
        return Table(tuple(rows), self._header(part))

    def _total(self, total: _Facts, note: str) -> Row:
        cells = (str(total["paid"]), self._amount(total["amount_minor"]))
        return Row((self._named("desk", "Together"), *cells), note, bold=True)

    def _note(self, row: _Facts) -> str:
        fee, cost = row["fee_minor"], row["cost_minor"]
        said = [(self._named("desk", "Success"), _share(row))]
        if self._facts["fees"]:
            said.append((self._named("desk", "Fees"), self._amount(fee)))
        if self._facts["costs"]:
            said.append((self._named("supplier", "Cost"), self._amount(cost)))
        if self._facts["fees"] and self._facts["costs"]:
            said.append((self._named("desk", "Margin"), signed(fee - cost, self._currency)))
        return " · ".join(f"{name} {figure}" for name, figure in said)

    def _rows(self, found: _Facts, size: Size) -> list[tuple[str, _Facts]]:
        others = self._translate("Others")
        called = [(self._name(row, size), row) for row in found["rows"]]
        return shortened(called, size.rows, lambda rest: (others, added(x for _, x in rest)))

    def _name(self, row: _Facts, size: Size) -> str:
        field = "name_zh" if self._language == "zh" else "name_en"
        return clip(row[field], size.name_chars) or self._translate("Others")

    def _header(self, part: _Facts) -> tuple[str, str, str]:
        return (self._by(part), self._named("count", "Paid"), self._named("desk", "Amount"))

    def _by(self, part: _Facts) -> str:
        named = self._named
        words = {
            "merchant": named("desk", "Merchant"),
            "product": named("desk", "Product"),
            "channel": named("desk", "Channel"),
        }
        return words[part["by"]]

    def _amount(self, minor: int) -> str:
        return number(minor, self._currency)


def _share(row: _Facts) -> str:
    """'83.3% 5/6'; '–' where nothing was created."""
    if not row["created"]:
        return "–"
    return f"{percent(row['cohort_paid'], row['created'])} {row['cohort_paid']}/{row['created']}"


def added(rows: Iterable[_Facts]) -> dict[str, int]:
    """The figures of rows, added up."""
    kept = list(rows)
    return {name: sum(row[name] for row in kept) for name in FIGURES}
