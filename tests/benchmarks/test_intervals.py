"""Intervals as benchmarks print them."""

from intervals import rounded

from dfsynth.statistics import Interval


def test_an_interval_is_rounded_for_json() -> None:
    assert rounded(Interval(0.12345, 0.1, 0.9999)) == {"value": 0.123, "low": 0.1, "high": 1.0}
    assert rounded(Interval(0.5, None, None)) == {"value": 0.5, "low": None, "high": None}
