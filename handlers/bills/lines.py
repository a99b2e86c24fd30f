"""What the bills of merchants, suppliers and the platform have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Final
from uuid import UUID

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from core.books import Heading, MerchantBalance
from core.kernel.days import Days
from core.reports.bills import Bill, ChannelLine, Movement, PlatformBill, ProductLine, VoucherLine
from core.supply.channels import Product
from handlers.bills.buttons import TurnCompleted, TurnVouchers
from handlers.kit.buttons import HolderKind
from handlers.kit.day_buttons import OpenChart, OpenExport, TurnBill
from handlers.kit.screen import button, clip, keyboard, percent, short_time, signed
from handlers.kit.sheet import Row, Size, Table, shortened
from handlers.kit.vocabulary import word
from handlers.orders.buttons import TurnCompletions
from texts import number, translator
from texts.days import Relative

RATE_PLACES: Final = 2
_HEADINGS: Final[tuple[Heading, ...]] = ("refunds", "credits", "adjustments", "reratings")


@dataclass(frozen=True, slots=True)
class Moved:
    """What opening or closing are told apart by. note: what the amount is made of."""

    name: str
    minor: int
    note: str = ""


class Lines:
    """Writes the lines of one bill. products: what is sold now, by code."""

    def __init__(
        self, language: str, currency: str, zone: str, products: Mapping[str, Product]
    ) -> None:
        self.language = language
        self.currency = currency
        self.zone = zone
        self._products = products
        self.translate = translator(language).gettext
        self.named = translator(language).pgettext
        self.plural = translator(language).ngettext

    def amount(self, minor: int) -> str:
        """'1,234.50'."""
        return number(minor, self.currency)

    def moved(self, minor: int) -> str:
        """'+1,234.50'."""
        return signed(minor, self.currency)

    def product(self, code: str) -> str:
        """What a product is called; its code where it is no longer sold."""
        product = self._products.get(code)
        if product is None:
            return code or "–"
        return product.name_zh if self.language == "zh" else product.name_en

    def title(self, days: Days) -> str:
        """The heading of a bill."""
        return "📒 " + self.translate("Bill of %(day)s") % {"day": str(days)}

    def status(self, *, is_open: bool) -> str:
        """Whether its figures still move."""
        return self.translate("🟢 live") if is_open else self.translate("⚪ closed")

    def period(self, starts_at: datetime, ends_at: datetime) -> str:
        """From when to when, on whose clocks, in which currency."""
        starts, ends = (short_time(at, self.zone)[:-3] for at in (starts_at, ends_at))
        return f"{starts} – {ends} · {self.zone} · {self.currency}"

    def products(self, lines: Sequence[ProductLine], size: Size) -> list[Table]:
        """What was sold, each product with its fee and net, the largest first, and together."""
        if not lines:
            return []
        largest = sorted(lines, key=lambda x: (-x.amount_minor, x.product_code))
        named = [(self.product(line.product_code), line) for line in largest]
        others = self.translate("Other products")
        shown = shortened(named, size.rows, lambda rest: (others, _added(x for _, x in rest)))
        rows = []
        for name, line in shown:
            rows.append(self._product(clip(name, size.name_chars), line))
            rows += self._reversed(line)
        if len(lines) > 1:
            total = self._product(self.named("desk", "Total"), _added(lines))
            rows.append(Row(total.cells, total.note, bold=True))
        header = (self.named("desk", "Product"), self.translate("Paid/all"), self._amount())
        return [Table(tuple(rows), header)]

    def _product(self, name: str, line: ProductLine) -> Row:
        note = self.translate("success %(success)s · fee %(fee)s (%(rate)s) · net %(net)s") % {
            "success": percent(line.cohort_paid, line.created),
            "fee": self.amount(line.fee_minor),
            "rate": percent(line.fee_minor, line.amount_minor, RATE_PLACES),
            "net": self.amount(line.net_minor),
        }
        paid = f"{line.paid}/{line.created}"
        return Row((name, paid, self.amount(line.amount_minor)), note)

    def _reversed(self, line: ProductLine) -> list[Row]:
        """What reversals of completions took away, which is in the line above."""
        if not (line.reversed or line.reversed_minor):
            return []
        name = "↳ " + word("heading", "reversals", self.language)
        note = self.translate("fee %(fee)s") % {"fee": self.moved(line.reversed_fee_minor)}
        return [Row((name, f"{line.reversed:+d}", self.moved(line.reversed_minor)), note)]

    def channel(self, line: ChannelLine) -> str:
        """The number of a channel; what was charged anew was on none."""
        return line.channel_no or word("heading", "reratings", self.language)

    def channels(self, lines: Sequence[ChannelLine], size: Size) -> list[Table]:
        """What went over which channel, with cost and margin: for staff only."""
        if not lines:
            return []
        rows = []
        largest = sorted(lines, key=lambda x: (-x.amount_minor, x.channel_no, x.product_code))
        named = [(f"{self.channel(x)} {self.product(x.product_code)}", x) for x in largest]
        others = self.translate("Other channels")
        for name, line in shortened(
            named, size.rows, lambda rest: (others, _added_channels(x for _, x in rest))
        ):
            note = self.translate("amount %(amount)s · fee %(fee)s · cost %(cost)s") % {
                "amount": self.amount(line.amount_minor),
                "fee": self.amount(line.fee_minor),
                "cost": self.amount(line.cost_minor),
            }
            cells = (clip(name, size.name_chars), str(line.paid), self.moved(line.margin_minor))
            rows.append(Row(cells, note))
        header = (
            self.named("desk", "Channel"),
            self.named("count", "Paid"),
            self.named("desk", "Margin"),
        )
        return [Table(tuple(rows), header)]

    def movements(
        self,
        opening: Iterable[Moved],
        more: Iterable[Moved],
        less: Iterable[Moved],
        closing: Iterable[Moved],
    ) -> Table:
        """opening + more - less = closing. Each with its name, and with the sign that it has
        everywhere else."""
        plus, minus = self.translate("Add: %(what)s"), self.translate("Less: %(what)s")
        rows = [
            *(Row((x.name, self.amount(x.minor))) for x in opening),
            *(Row((plus % {"what": x.name}, self.amount(x.minor)), x.note) for x in more),
            *(Row((minus % {"what": x.name}, self.amount(x.minor)), x.note) for x in less),
            *(Row((x.name, self.amount(x.minor)), bold=True) for x in closing),
        ]
        return Table(tuple(rows))

    def prepaid_balance(self, bill: Bill, label: str) -> Table:
        """How a merchant's prepaid balance moved, and beside it what the merchant owes beyond what
        was advanced. label: what prepayments are called."""
        named = self.named

        def at(name: str, owing: str, balance: MerchantBalance) -> list[Moved]:
            called = [Moved(name, balance.prepaid_minor - balance.owed_minor)]
            return [*called, Moved(owing, balance.owing_minor)] if balance.owing_minor else called

        return self.movements(
            at(
                named("desk", "Opening prepaid balance"),
                named("desk", "Owed by the merchant before"),
                bill.opening,
            ),
            [Moved(label, bill.prepaid_minor)],
            self._less(bill),
            at(
                named("desk", "Closing prepaid balance"),
                named("desk", "Owed by the merchant now"),
                bill.closing,
            ),
        )

    def net_balance(self, bill: PlatformBill) -> list[Table]:
        """How what all merchants owe us, less what we owe them, moved; and what it is made of, for
        no debt of one pays what is owed to another."""
        named, translate = self.named, self.translate
        moved = self.movements(
            [Moved(named("desk", "Opening balance, net"), bill.remaining_before_minor)],
            [Moved(named("desk", "Prepaid"), bill.prepaid_minor)],
            self._less(bill),
            [Moved(named("desk", "Closing balance, net"), bill.remaining_minor)],
        )
        closing = bill.closing
        made_of = (
            (translate("Prepaid balance"), closing.prepaid_minor),
            (translate("Owed by the merchant"), closing.owing_minor),
            (translate("Owed to the merchant"), -closing.owed_minor),
        )
        return [moved, Table(tuple(Row((name, self.moved(minor))) for name, minor in made_of))]

    def balance(self, balance: MerchantBalance) -> str:
        """How a merchant stands: 'Prepaid balance 1,000.00'."""
        words = {
            "prepaid": self.translate("Prepaid balance"),
            "owing": self.translate("Owed by the merchant"),
            "owed": self.translate("Owed to the merchant"),
        }
        parts = balance.parts or (("prepaid", 0),)
        return " · ".join(f"{words[name]} {self.amount(minor)}" for name, minor in parts)

    def due(self, minor: int) -> str:
        """What a supplier owes, in the cell of a table: '1,234.50', 'overpaid 819.98'."""
        if minor >= 0:
            return self.amount(minor)
        return self.named("supplier", "overpaid %(amount)s") % {"amount": self.amount(-minor)}

    def _less(self, bill: Bill | PlatformBill) -> list[Moved]:
        """What draws the advance down: orders, then what else moved, by heading, net of fees."""
        moved = {movement.heading: movement for movement in bill.movements}
        others = [
            Moved(word("heading", heading, self.language), movement.minor, self._gross(movement))
            for heading in _HEADINGS
            if (movement := moved.get(heading)) and (movement.minor or movement.fee_minor)
        ]
        return [Moved(self.translate("Orders, net of fees"), bill.net_minor), *others]

    def _gross(self, movement: Movement) -> str:
        """What a net is made of; of refunds, what payers got and whether our fee went back."""
        facts = {
            "gross": self.amount(movement.gross_minor),
            "fee": self.amount(movement.fee_minor),
            "back": self.amount(-movement.fee_minor),
        }
        if movement.heading == "refunds":
            if movement.fee_minor:
                return self.translate("gross %(gross)s · fee given back %(back)s") % facts
            return self.translate("gross %(gross)s · fee kept") % facts
        if movement.fee_minor and movement.gross_minor:
            return self.translate("gross %(gross)s · fee %(fee)s") % facts
        return ""

    def fees(self, bill: Bill) -> list[Table]:
        """What a merchant was charged, by what for; nothing where that is orders alone."""
        beside = {movement.heading: movement.fee_minor for movement in bill.movements}
        if not any(beside.values()):
            return []
        orders = sum(line.fee_minor for line in bill.products)
        rows = [(self.named("heading", "Orders"), orders)] + [
            (word("heading", heading, self.language), beside[heading])
            for heading in _HEADINGS
            if beside.get(heading)
        ]
        total = Row((self.translate("Total fees"), self.amount(bill.fee_minor)), bold=True)
        header = (self.named("desk", "Fees"), self._amount())
        return [Table((*(Row((name, self.moved(fee))) for name, fee in rows), total), header)]

    def vouchers(
        self, lines: Sequence[VoucherLine], count: int, label: str, size: Size
    ) -> list[Table]:
        """The last prepayments or pay-ins, undone ones struck through."""
        shown = lines[-size.rows :]
        if not shown:
            return []
        rows = tuple(self._voucher(line, size) for line in shown)
        return [Table(rows, (self._newest(label, len(shown), count), *self._amount_by()))]

    def completions(self, bill: Bill, size: Size) -> list[Table]:
        """The last orders that were completed by hand, reversed ones struck through."""
        shown = bill.completed_lines[-size.rows :]
        if not shown:
            return []
        label = self.named("sheet", "Completions")
        rows = tuple(
            Row(
                (
                    f"{short_time(line.at, self.zone)[:-3]} {line.order_no}",
                    self.amount(line.amount_minor),
                    clip(line.actor_name, size.name_chars),
                ),
                f"⏪ {clip(line.reversed_by, size.name_chars)}" if line.reversed_by else "",
                struck=bool(line.reversed_by),
            )
            for line in shown
        )
        title = self._newest(label, len(shown), bill.completed_count)
        return [Table(rows, (title, *self._amount_by()))]

    def _newest(self, label: str, shown: int, count: int) -> str:
        """What is listed, and whether that is all."""
        if count <= shown:
            return label
        words = {"label": label, "shown": shown, "count": count}
        return self.translate("%(label)s, the last %(shown)s of %(count)s") % words

    def _amount_by(self) -> tuple[str, str]:
        return self._amount(), self.named("desk", "By")

    def _voucher(self, line: VoucherLine, size: Size) -> Row:
        when = short_time(line.at, self.zone)[:-3]
        proof = " 📎" if line.proof else ""
        who = clip(line.actor_name, size.name_chars)
        notes = [
            f"{number(line.original_minor, line.original_currency)} {line.original_currency}"
            f" × {line.conversion_rate}" if line.conversion_rate else "",
            clip(line.remark, size.name_chars),
            f"↩️ {clip(line.undone_by, size.name_chars)}" if line.undone_by else "",
        ]  # fmt: skip
        return Row(
            (f"{when} {line.record_no}{proof}", self.moved(line.minor), who),
            " · ".join(note for note in notes if note),
            struck=bool(line.undone_by),
        )

    def _amount(self) -> str:
        return self.named("desk", "Amount")

    def keyboard(
        self, holder: HolderKind, holder_id: UUID, days: Days, *, fresh: bool, staff: bool = False
    ) -> InlineKeyboardMarkup | None:
        """Other days, and these days in detail, as a chart and as a file. fresh: other days are
        posted beside this bill, which stays what it is. staff: only staff reads along, so that
        completions are listed with their reasons; elsewhere without."""
        named, currency = self.named, self.currency

        def turned(name: str, days: Relative) -> InlineKeyboardButton:
            return button(name, TurnBill(holder, holder_id, days, fresh, currency))

        ends = (holder, holder_id, days.first, days.last)
        detail = []
        if holder != "p":
            of_merchant, of_supplier = named("desk", "Prepayments"), named("desk", "Paid in")
            records = of_merchant if holder == "m" else of_supplier
            detail.append(button(records, TurnVouchers(*ends, page=1, fresh=True)))
        if staff:
            whose = None if holder == "p" else holder_id
            done = TurnCompletions(days.first, days.last, 1, whose, fresh=True)
            detail.append(button(named("desk", "Completions"), done))
        elif holder == "m":
            own = TurnCompleted(holder_id, days.first, days.last, 1, fresh=True)
            detail.append(button(named("desk", "Completions"), own))
        return keyboard(
            (
                turned(named("desk", "Today"), "today"),
                turned(named("desk", "Yesterday"), "yesterday"),
                turned(named("desk", "This month"), "this_month"),
            ),
            tuple(turned(name, days) for name, days in last_days(translator(self.language))),
            tuple(detail),
            (
                button(named("desk", "Chart"), OpenChart(*ends, currency=currency)),
                button("Excel", OpenExport("excel", *ends, currency=currency)),
            ),
        )


def last_days(translate: NullTranslations) -> tuple[tuple[str, Relative], ...]:
    """What buttons call so many days up to today."""
    named = translate.pgettext
    return (
        (named("desk", "3 days"), "last_3"),
        (named("desk", "7 days"), "last_7"),
        (named("desk", "15 days"), "last_15"),
        (named("desk", "30 days"), "last_30"),
    )


def _added(lines: Iterable[ProductLine]) -> ProductLine:
    all_ = list(lines)
    return ProductLine(
        "", sum(x.created for x in all_), sum(x.cohort_paid for x in all_),
        sum(x.paid for x in all_), sum(x.amount_minor for x in all_),
        sum(x.fee_minor for x in all_), sum(x.net_minor for x in all_),
        sum(x.reversed for x in all_), sum(x.reversed_minor for x in all_),
        sum(x.reversed_fee_minor for x in all_),
    )  # fmt: skip


def _added_channels(lines: Iterable[ChannelLine]) -> ChannelLine:
    all_ = list(lines)
    return ChannelLine(
        "", "", sum(x.paid for x in all_), sum(x.amount_minor for x in all_),
        sum(x.fee_minor for x in all_), sum(x.cost_minor for x in all_),
    )  # fmt: skip
