"""Figures of calls."""

from __future__ import annotations

import math

from bench.faults.kit import Call, Meter, p95


def call(took_s: float, status: int, merchant_no: str = "M1001") -> Call:
    return Call(merchant_no, "F-1", 0.0, took_s, status)


def test_the_95th_percentile_is_one_of_the_values() -> None:
    assert p95(range(1, 101)) == 95
    assert p95([3.0]) == 3.0
    assert p95([1.0, 9.0]) == 9.0
    assert math.isnan(p95([]))


def test_calls_are_counted_by_what_came_back() -> None:
    meter = Meter([call(0.1, 201), call(0.3, 201), call(15.0, 0, "M1002"), call(0.2, 503)])
    assert meter.answers() == "1 × unanswered, 2 × 201, 1 × 503"
    assert (meter.unanswered, meter.count(201, 503)) == (1, 3)
    assert (meter.median_s, meter.longest_s) == (0.25, 15.0)
    assert meter.only(lambda one: one.merchant_no == "M1002").answers() == "1 × unanswered"
    assert Meter().answers() == "no call"


def test_an_answer_tells_its_order_and_where_it_is_paid() -> None:
    body: dict[str, object] = {"order_no": "T1", "pay": {"value": "http://127.0.0.1:1/pay/1"}}
    made = Call("M1001", "F-1", 0.0, 0.1, 201, body)
    assert (made.order_no, made.pay_url) == ("T1", "http://127.0.0.1:1/pay/1")
    assert (call(0.1, 503).order_no, call(0.1, 503).pay_url) == ("", "")
