"""Each word beside a figure is explained in both languages, and none is that nobody says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file

from handlers.guide import fill_money_words, money_word
from handlers.kit.money_words import MONEY_WORDS, Label
from handlers.kit.vocabulary import WORDS
from tests.handlers.test_catalogue import KEYWORDS, OPTIONS, ROOT, catalogue

PAGE = (ROOT / "docs/money-words.md").read_text(encoding="utf-8")
# Whose screens and files tell of money: bills, receipts, balances, workbooks.
ROOMS = ("handlers/bills", "handlers/files", "handlers/money")
BALANCES = ("balance.html", "balances.html", "balance_lines.html", "balance_names.html")
# What stands there beside anything but an amount of money: whose, when, how many, and buttons.
PLAIN = {
    "All", "As of %(at)s", "Attempt", "By", "Callback", "Channel", "Channels", "Completions",
    "Created", "Created at", "Currency",
    "Day", "Days", "Difference", "Evidence", "Kind", "Merchant", "Merchant's number", "Merchants",
    "Name", "Order", "Orders", "Orders created", "Orders paid", "Orders still unpaid", "Paid",
    "Paid at", "Paid same day", "Paid/all", "Platform", "Product", "Products", "Reason", "Record",
    "Records", "Remark", "State", "Success", "Summary", "Supplier", "Supplier's number",
    "Suppliers", "Time", "Total", "Together", "Discrepancies", "Bookings", "Today", "Yesterday",
    "This month", "3 days", "7 days", "15 days", "30 days", "Chart", "Cancel", "late", "picture",
    "taken back", "Other channels", "Other merchants", "Other products", "Other suppliers",
    "How it was paid", "Undoes record", "Undone by record", "Written as", "plus this",
    "Add: %(what)s", "Less: %(what)s", "Line %(line)s:", "%(num)s line", "%(num)s record",
    "%(count)s order still unpaid", "%(num)s unpaid order today", "of %(count)s created",
    "%(merchant_no)s is not open.", "%(name)s confirmed the undo.", "All merchants",
    "Also in %(currencies)s: %(example)s", "Before: %(cut)s", "Bill of %(day)s",
    "Book these large prepayments?", "Book this large adjustment?",
    "Book this large prepayment?", "Book this?", "Days begin at %(cut)s",
    "Credit is running low", "Not undone", "Nothing was booked", "Picture kept",
    "Success rate", "Undo this record?", "Unpaid", "Undone by %(name)s: %(record_no)s",
    "Undone: %(record_no)s, %(amount)s", "off", "wrong fee", "… and %(num)s more",
    "%(num)s completion", "Completed by hand, %(days)s",
    "↩️ Undo it", "⏳ Building the file…", "✅ Book it",
    "%(num)s days after ▶",
    "◀ %(num)s days before", "Day after ▶", "◀ Day before", "Month after ▶",
    "◀ Month before", "closed", "so far", "📄 Excel", "📒 Bill", "less this",
    "🟢 live", "What it came to", "How it adds up", "The platform, all merchants",
}  # fmt: skip
# A sentence explains itself; a label is short and says one thing.
LABEL_WORDS = 4


def extracted(path: Path) -> Iterator[Label]:
    """The messages of a file, with their contexts."""
    is_page = path.suffix == ".html"
    method = "jinja2.ext:babel_extract" if is_page else "python"
    options = OPTIONS if is_page else {}
    for _, message, _, context in extract_from_file(method, path, KEYWORDS, options=options):
        yield context or "", message if isinstance(message, str) else message[0]


def labels() -> set[Label]:
    """What stands beside figures on the screens and in the files of money."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.*") if is_text(path)]
    files += [path for path in (ROOT / "handlers").rglob("*.html") if path.name in BALANCES]
    found = {label for path in files for label in extracted(path)}
    found |= {("heading", text) for text in WORDS["heading"].values()}
    return {label for label in found if len(label[1].split()) <= LABEL_WORDS}


def is_text(path: Path) -> bool:
    return path.suffix in (".py", ".html")


def test_every_label_beside_money_is_explained() -> None:
    explained = {label for word in MONEY_WORDS for label in word.labels}
    assert {label for label in labels() - explained if label[1] not in PLAIN} == set()


def test_what_is_explained_is_said_somewhere_and_once() -> None:
    there = {(context or "", message) for context, message in catalogue("paydesk.po")}
    named = [label for word in MONEY_WORDS for label in word.labels]
    assert set(named) - there == set()
    assert len(named) == len(set(named))
    assert not {message for _, message in named} & PLAIN - {"Other", "Paid in"}


def test_the_labels_of_a_word_have_it_in_them() -> None:
    for word in MONEY_WORDS:
        said = money_word(word.label, "zh")
        pairs = {said[n : n + 2] for n in range(len(said) - 1)}
        for label in word.labels:
            other = money_word(label, "zh")
            assert any(pair in other for pair in pairs), (said, other)


def test_the_page_is_made_of_the_table() -> None:
    assert fill_money_words(PAGE) == PAGE, "write it with: python tools/references.py"
    words = [money_word(word.label, "zh") for word in MONEY_WORDS]
    assert len(words) == len(set(words)), "a word has one meaning"
    assert {"预付余额", "应结", "多付", "商户欠款", "净额", "营业日"} <= set(words)
