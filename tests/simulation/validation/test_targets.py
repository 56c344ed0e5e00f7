"""The statistics behind the validation table."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dfsynth.simulation.validation import TARGETS, Person, Target, compare_with_targets
from dfsynth.simulation.validation.targets import (
    capacity_over_prediction,
    mean_of,
    rank_correlation_of,
    spread_of,
)


def person(**changes: float) -> Person:
    values: dict[str, Any] = dict.fromkeys((f.name for f in dataclasses.fields(Person)), 1.0)
    return Person(**(values | {"male": True, "height_cm": 175.0} | changes))


def cohort(count: int = 60, seed: int = 0) -> list[Person]:
    rng = np.random.default_rng(seed)
    return [
        person(
            eps_bar_per_m=float(rng.normal(2.5, 0.4)),
            laa950=float(rng.choice([0.0, 0.0, rng.uniform(0, 0.3)])),
            eps_bar_ill_ratio=float(rng.uniform(0.5, 1)),
        )
        for _ in range(count)
    ]


def test_ranks_are_shared_by_ties_as_scipy_does() -> None:
    people = cohort()
    expected = stats.spearmanr(
        [p.laa950 for p in people], [p.eps_bar_ill_ratio for p in people]
    ).statistic
    found = rank_correlation_of("laa950", "eps_bar_ill_ratio")(people)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "met"), [(2.3, 2.7, "yes"), (2.3, 2.6, "in doubt"), (2.9, 3.1, "no")]
)
def test_a_target_is_met_where_all_of_the_interval_lies_in_the_range(
    low: float, high: float, met: str
) -> None:
    target = Target(
        "mean", "by construction", "1/m", low, high, "published", mean_of("eps_bar_per_m")
    )
    (finding,) = compare_with_targets([target], cohort(), seed=0)
    assert finding.met == met
    assert finding.interval[0] < finding.value < finding.interval[1]


def test_the_interval_narrows_as_the_cohort_grows() -> None:
    target = Target("mean", "emergent", "", 0, 9, "", mean_of("eps_bar_per_m"))
    widths = []
    for count in (30, 480):
        (finding,) = compare_with_targets([target], cohort(count), seed=0)
        widths.append(finding.interval[1] - finding.interval[0])
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.35)


def test_one_seed_gives_one_table() -> None:
    target = Target("spread", "emergent", "", 0, 9, "", spread_of("eps_bar_per_m"))
    assert compare_with_targets([target], cohort(), 3) == compare_with_targets(
        [target], cohort(), 3
    )


def test_capacity_is_compared_with_the_prediction_for_sex_and_height() -> None:
    man = person(male=True, height_cm=180.0, volume_l=7.99 * 1.8 - 7.08)
    woman = person(male=False, height_cm=165.0, volume_l=6.60 * 1.65 - 5.79)
    assert capacity_over_prediction([man, woman]) == pytest.approx(1.0)


def test_every_target_has_a_range_a_kind_and_a_source() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    for target in TARGETS:
        assert target.low < target.high
        assert target.reason
    kinds = {target.kind for target in TARGETS}
    assert kinds == {"by construction", "emergent"}
