"""Figures are medians of rounds that took turns, and a table shows what was measured."""

from __future__ import annotations

import json

import pytest

from bench.__main__ import main
from bench.figures import Figure, Round, as_json, as_markdown, as_table, beside, percentile
from bench.plan import BENCHES


def rounds(*per_s: int, cpu_s: float) -> list[Round]:
    return [Round(n, 0, 1.0, (0.001, 0.003), cpu_s * n, cpu_s * n) for n in per_s]


def test_a_ratio_is_of_the_same_round_and_not_of_medians() -> None:
    figure = beside("x", rounds(10, 60, 20, cpu_s=0.004), rounds(20, 200, 80, cpu_s=0.001), 0.5)
    assert (figure.desk, figure.bare) == (20, 80)
    assert figure.ratio == 0.3
    assert figure.to_epay == 0.6
    assert figure.cpu_ratio == pytest.approx(0.25)
    assert (figure.p50_ms, figure.p99_ms) == (1, 3)


def test_failures_of_both_sides_are_counted() -> None:
    assert beside("x", [Round(9, 2, 1.0)], [Round(9, 1, 1.0)]).failed == 3


def test_what_was_not_measured_is_no_number() -> None:
    figure = beside("x", [Round(9, 0, 1.0)], [Round(9, 0, 1.0)])
    assert figure.p99_ms is None
    assert figure.cpu_ratio is None
    assert json.loads(as_json([figure]))[0]["p99_ms"] is None
    for table in (as_table([figure]), as_markdown([figure])):
        assert "—" in table.splitlines()[-1]
        assert "nan" not in table


def test_a_unit_stands_beside_what_is_no_rate() -> None:
    assert "start (s)" in as_table([Figure("start", "s", 2.5, 3)])


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(1, 201)]
    assert [percentile(values, p) for p in (50, 99, 100)] == [100, 198, 200]


def test_an_unknown_bench_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["create", "weather"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "'weather'" in said
    assert all(name in said for name in BENCHES)
