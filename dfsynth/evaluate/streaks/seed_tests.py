"""Whether configurations of a training differ by more than their seeds do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, wilcoxon

from dfsynth.statistics import holm_adjusted

Array = NDArray[np.float64]
SeedValues = Mapping[int, float]
"""Seed → figure."""
Method = Literal["signed-rank", "rank-sum"]


@dataclass(frozen=True, slots=True)
class PairwiseTest:
    """One configuration against another; two-sided."""

    first: str
    second: str
    seeds: tuple[int, int]
    """How many of each count."""
    difference: float
    """Median over pairs of seeds of `second` less `first`, in the unit of the figure: pairs of one
    seed for signed ranks, all pairs for rank sums (the estimate of Hodges and Lehmann)."""
    p: float
    """Probability of ranks as far apart by chance."""
    p_holm: float
    """The same, corrected for all tests made with it."""
    least_p_holm: float
    """Least `p_holm` that so few seeds and so many tests leave within reach as the smallest of all:
    above 0.05, no difference, however large, could have been found."""


def compare_configurations(
    values: Mapping[str, SeedValues],
    pairs: Iterable[tuple[str, str]],
    method: Method = "rank-sum",
) -> tuple[PairwiseTest, ...]:
    """Tests pairs of configurations over their seeds, corrected by Holm for all these pairs.

    `rank-sum` (Mann & Whitney 1947) takes seeds as independent draws. `signed-rank` (Wilcoxon 1945)
    takes the differences of trainings of one seed, where a seed draws the same start and the same
    order of samples for both. Ten seeds give p of 2/2^10 = 0.002 at best by signed ranks: enough
    against one baseline, too few for all 153 pairs of 18 configurations, which rank sums can tell.
    Exact where no two values are equal. Seeds are those of one data set: what the tests find holds
    for other seeds, not for other patients.

    Args:
        values: configuration → seed → figure, such as the median CNR over test slices; figures that
            are no finite numbers are left out.
        pairs: configurations to compare, as `all_pairs` gives them.
        method: the test.

    Raises:
        ValueError: a pair without seeds to compare.
    """
    wanted = list(pairs)
    found = [_compare(values, pair, method) for pair in wanted]
    raised = holm_adjusted(np.array([comparison.p for comparison in found]))
    return tuple(
        PairwiseTest(
            first=first,
            second=second,
            seeds=comparison.seeds,
            difference=comparison.difference,
            p=comparison.p,
            p_holm=float(p_holm),
            least_p_holm=min(comparison.least_p * len(found), 1.0),
        )
        for (first, second), comparison, p_holm in zip(wanted, found, raised, strict=True)
    )


def all_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Every two of the configurations, in their order."""
    return [(first, second) for i, first in enumerate(names) for second in names[i + 1 :]]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A test by itself."""

    seeds: tuple[int, int]
    difference: float
    """In the unit of the figure."""
    p: float
    least_p: float
    """Where all ranks are on one side."""


def _compare(
    values: Mapping[str, SeedValues], pair: tuple[str, str], method: Method
) -> _Comparison:
    first, second = (_finite(values[name]) for name in pair)
    paired = method == "signed-rank"
    shared = sorted(first.keys() & second.keys())
    if not (shared if paired else first and second):
        raise ValueError(
            f"{pair[0]} against {pair[1]}: found no seeds to compare, expected finite figures of "
            f"both{' for the same seeds' if paired else ''}"
        )
    if paired:
        return _signed_ranks(np.array([second[seed] - first[seed] for seed in shared]))
    return _rank_sums(np.array(list(first.values())), np.array(list(second.values())))


def _signed_ranks(differences: Array) -> _Comparison:
    count = differences.size
    p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return _Comparison((count, count), float(np.median(differences)), p, min(2.0 ** (1 - count), 1))


def _rank_sums(first: Array, second: Array) -> _Comparison:
    together = np.concatenate([first, second])
    tied = np.unique(together).size < together.size
    p = mannwhitneyu(second, first, method="asymptotic" if tied else "exact").pvalue
    shift = float(np.median(second[:, None] - first[None, :]))
    least = min(2 / comb(together.size, first.size), 1.0)
    return _Comparison((first.size, second.size), shift, float(p), least)


def _finite(values: SeedValues) -> SeedValues:
    return {seed: value for seed, value in values.items() if np.isfinite(value)}
