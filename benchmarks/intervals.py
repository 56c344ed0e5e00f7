"""Intervals as benchmarks print them."""

from dataclasses import asdict

from dfsynth.statistics import Interval


def rounded(interval: Interval) -> dict[str, float | None]:
    """The value and the ends to three decimals, for JSON; null where they are not defined."""
    return {k: None if v is None else round(v, 3) for k, v in asdict(interval).items()}
