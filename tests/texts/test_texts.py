"""Languages, formats, templates and refusals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from core.kernel.errors import Refusal
from texts import (
    LANGUAGES,
    choose_language,
    day,
    instant,
    jinja_environment,
    money,
    number,
    refusal_text,
    translator,
)


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "en"), ("zh", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,zh;q=0.9", "en"),
     ("fr,zh;q=0.5,en;q=0.4", "zh"), ("zh;q=0,en;q=0.1", "en"), ("fr", "en"), ("zh;q=x", "en"),
     (";;,,q=1", "en"), ("ZH-Hant", "zh")],
)  # fmt: skip
def test_the_readers_language(header: str, language: str) -> None:
    assert choose_language(header) == language


def test_catalogues_agree_and_fall_back_to_english() -> None:
    for lang in LANGUAGES:
        assert translator(lang).gettext("no such sentence") == "no such sentence"
    assert translator("zh").gettext("Continue to pay") == "去支付"
    assert translator("xx").gettext("Continue to pay") == "Continue to pay"


def test_refusals_in_both_languages() -> None:
    refusal = Refusal("order_state", number="P1", status="paid")
    assert refusal_text(refusal, "en") == "The order P1 is paid; this cannot be done."
    assert refusal_text(refusal, "zh") == "订单 P1 已支付，无法执行该操作。"
    # what somebody wrote stays as it is, even where it looks like ours or like a placeholder
    foreign = Refusal("order_not_found", number="{paid}")
    assert refusal_text(foreign, "zh") == "没有找到订单 {paid}。"


def test_money_and_dates() -> None:
    assert money(-123450, "CNY") == "-1,234.50 CNY"
    assert number(5, "JPY") == "5"
    assert number(1_000, "KWD") == "1.000"
    for minor, text in ((100_000_000, "100.00"), (1_230_000, "1.23"), (-1, "-0.000001"),
                        (1_234_567_500_000, "1,234,567.50")):  # fmt: skip
        assert money(minor, "USDT") == f"{text} USDT"
    at = datetime(2026, 11, 20, 17, 0, 1, tzinfo=UTC)
    assert instant(at, "Asia/Shanghai") == "2026-11-21 01:00:01"
    assert day(date(2026, 11, 21)) == "2026-11-21"


def test_templates_translate_escape_and_miss_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "{% trans name=who %}\n  Pay {{ name }}\n{% endtrans %}|{{ money(100, 'CNY') }}|{{ lang }}",
        encoding="utf-8",
    )
    template = jinja_environment([tmp_path], "zh").get_template("a.html")
    assert template.render(who="<b>") == "向 &lt;b&gt; 付款|1.00 CNY|zh"
    with pytest.raises(UndefinedError):
        template.render()
