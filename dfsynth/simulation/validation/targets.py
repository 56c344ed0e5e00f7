"""The validation targets: what published measurements ask, and what the simulator gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from dfsynth.simulation.validation.measures import Person
from dfsynth.statistics import bootstrap_percentiles

Samples = NDArray[np.float64]
Measured = TypeVar("Measured")
Statistic = Callable[[Sequence[Person]], float]

_CONSTRUCTION: Final = "by construction"
_EMERGENT: Final = "emergent"


@dataclass(frozen=True, slots=True)
class Target(Generic[Measured]):
    """One figure of a cohort, and the range in which the simulator's has to lie."""

    name: str
    kind: Literal["by construction", "emergent"]
    """Given back from an input, or a result of everything together."""
    unit: str
    low: float
    high: float
    reason: str
    """Where the range comes from."""
    statistic: Callable[[Sequence[Measured]], float]


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What the simulator gives for a target."""

    name: str
    kind: str
    unit: str
    expected: tuple[float, float]
    reason: str
    value: float
    """In `unit`."""
    interval: tuple[float, float]
    """95 %, by bootstrap over people, or over scans."""
    met: Literal["yes", "in doubt", "no"]
    """In doubt where the value lies in the expected range and the interval leaves it."""


def compare_with_targets(
    targets: Sequence[Target[Measured]], people: Sequence[Measured], seed: int
) -> tuple[TargetResult, ...]:
    """The results of a cohort; resampling is by whole people or scans, with the given seed."""
    results = []
    for target in targets:
        value = target.statistic(people)
        interval = bootstrap_percentiles(people, target.statistic, seed)
        results.append(
            TargetResult(
                name=target.name,
                kind=target.kind,
                unit=target.unit,
                expected=(target.low, target.high),
                reason=target.reason,
                value=value,
                interval=interval,
                met=_verdict(target, value, interval),
            )
        )
    return tuple(results)


def _verdict(
    target: Target[Measured], value: float, interval: tuple[float, float]
) -> Literal["yes", "in doubt", "no"]:
    if not target.low <= value <= target.high:
        return "no"
    inside = target.low <= interval[0] and interval[1] <= target.high
    return "yes" if inside else "in doubt"


def mean_of(name: str) -> Statistic:
    """The mean of a measure of `Person` over a cohort."""
    return lambda people: float(np.nanmean(_values(people, name)))


def spread_of(name: str) -> Statistic:
    """The standard deviation of a measure of `Person` over a cohort."""
    return lambda people: float(np.nanstd(_values(people, name), ddof=1))


def correlation_of(one: str, other: str) -> Statistic:
    """Pearson's correlation of two measures of `Person` over a cohort."""
    return lambda people: float(np.corrcoef(_values(people, one), _values(people, other))[0, 1])


def rank_correlation_of(one: str, other: str) -> Statistic:
    """Spearman's rank correlation of two measures of `Person` over a cohort."""

    def ranks(values: Samples) -> Samples:
        # Ties, such as all who have no emphysema, share their mean rank.
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        return (ends - (counts - 1) / 2)[inverse]

    def statistic(people: Sequence[Person]) -> float:
        pair = ranks(_values(people, one)), ranks(_values(people, other))
        return float(np.corrcoef(*pair)[0, 1])

    return statistic


def difference_between_sexes(name: str) -> Statistic:
    """Mean of men less mean of women."""

    def statistic(people: Sequence[Person]) -> float:
        values, male = _values(people, name), _values(people, "male") > 0
        return float(values[male].mean() - values[~male].mean())

    return statistic


def capacity_over_prediction(people: Sequence[Person]) -> float:
    """Mean of lung volume at full inspiration over the prediction from sex and height.

    Total lung capacity in l: 7.99 h − 7.08 for men, 6.60 h − 5.79 for women, h in m (Quanjer et
    al., Eur Respir J 1993).
    """
    height_m = _values(people, "height_cm") / 100
    male = _values(people, "male") > 0
    predicted = np.where(male, 7.99 * height_m - 7.08, 6.60 * height_m - 5.79)
    return float((_values(people, "volume_l") / predicted).mean())


def _values(people: Sequence[Person], name: str) -> Samples:
    return np.array([getattr(person, name) for person in people], np.float64)


TARGETS: Final[tuple[Target[Person], ...]] = (
    Target(
        "mean coefficient, healthy",
        _CONSTRUCTION,
        "1/m",
        2.4,
        2.6,
        "2.5 (Gassert 2021, n = 40)",
        mean_of("eps_bar_per_m"),
    ),
    Target(
        "its spread between people",
        _CONSTRUCTION,
        "1/m",
        0.34,
        0.46,
        "0.4 (Gassert 2021)",
        spread_of("eps_bar_per_m"),
    ),
    Target(
        "its correlation with height",
        _CONSTRUCTION,
        "",
        -0.2,
        0.2,
        "independent of size (Gassert 2021)",
        correlation_of("eps_bar_per_m", "height_cm"),
    ),
    Target(
        "its difference, men less women",
        _CONSTRUCTION,
        "1/m",
        -0.2,
        0.2,
        "independent of sex (Gassert 2021)",
        difference_between_sexes("eps_bar_per_m"),
    ),
    Target(
        "total signal at inspiration",
        _EMERGENT,
        "m²",
        1.2e-2,
        2.0e-2,
        "1.6e-2 ± 0.4e-2 (Urban 2025, n = 88)",
        mean_of("sdf_m2"),
    ),
    Target(
        "total signal, expiration over inspiration",
        _CONSTRUCTION,
        "",
        0.89,
        0.99,
        "0.94 (Urban 2025)",
        mean_of("sdf_ratio"),
    ),
    Target(
        "mean coefficient, expiration over inspiration",
        _CONSTRUCTION,
        "",
        1.28,
        1.42,
        "1.35 (Urban 2025)",
        mean_of("eps_bar_ratio"),
    ),
    Target(
        "signal of the lung field, hardening uncorrected, one scanner",
        _EMERGENT,
        "",
        0.12,
        0.38,
        "0.25 ± 0.13 (cadaver, uncorrected)",
        mean_of("raw_lung_signal"),
    ),
    Target(
        "signal behind bone, hardening uncorrected, one scanner",
        _EMERGENT,
        "",
        0.02,
        0.14,
        "0.08 ± 0.06 (cadaver, uncorrected)",
        mean_of("raw_bone_signal"),
    ),
    Target(
        "signal behind soft tissue, hardening uncorrected, one scanner",
        _CONSTRUCTION,
        "",
        0.004,
        0.042,
        "0.023 ± 0.019 (cadaver, uncorrected)",
        mean_of("raw_soft_signal"),
    ),
    Target(
        "signal of the lung field, as delivered by drawn scanners",
        _EMERGENT,
        "",
        0.12,
        0.38,
        "0.25 ± 0.13 (cadaver, uncorrected)",
        mean_of("lung_signal"),
    ),
    Target(
        "signal behind bone, as delivered by drawn scanners",
        _EMERGENT,
        "",
        0.02,
        0.14,
        "0.08 ± 0.06 (cadaver, uncorrected)",
        mean_of("bone_signal"),
    ),
    Target(
        "signal behind soft tissue, as delivered by drawn scanners",
        _EMERGENT,
        "",
        0.004,
        0.042,
        "0.023 ± 0.019 (cadaver, uncorrected)",
        mean_of("soft_signal"),
    ),
    Target(
        "rank correlation of coefficient with LAA-950",
        _CONSTRUCTION,
        "",
        -1.0,
        -0.5,
        "falls with LAA-950",
        rank_correlation_of("eps_bar_ill_ratio", "laa950"),
    ),
    Target(
        "signal per mm, left over right less 1",
        _EMERGENT,
        "",
        -0.03,
        0.03,
        "no bias",
        mean_of("left_right"),
    ),
    Target(
        "signal per mm, upper over lower third less 1",
        _EMERGENT,
        "",
        -0.15,
        0.15,
        "at most 15 % [assumed]",
        mean_of("apex_base"),
    ),
    Target(
        "counted noise over its formula",
        _EMERGENT,
        "",
        0.9,
        1.1,
        "within 10 % above a thousand photons",
        mean_of("noise_ratio"),
    ),
    Target(
        "the same, one to three thousand photons",
        _EMERGENT,
        "",
        0.9,
        1.1,
        "the same",
        mean_of("faint_noise_ratio"),
    ),
    Target(
        "transmission of the lung field at 70 kVp",
        _EMERGENT,
        "",
        0.05,
        0.25,
        "60 to 120 mm of water in the way [general knowledge]",
        mean_of("lung_transmission"),
    ),
    Target(
        "projected area of both lung fields",
        _EMERGENT,
        "cm²",
        350,
        600,
        "adults at full inspiration [general knowledge]",
        mean_of("lung_area_cm2"),
    ),
    Target(
        "cardiothoracic ratio",
        _EMERGENT,
        "",
        0.40,
        0.50,
        "normal below 0.5 [general knowledge]",
        mean_of("cardiothoracic"),
    ),
    Target(
        "total lung capacity over its prediction",
        _CONSTRUCTION,
        "",
        0.9,
        1.1,
        "from sex and height (Quanjer 1993)",
        capacity_over_prediction,
    ),
    Target(
        "correlation of lung volume with height",
        _EMERGENT,
        "",
        0.5,
        1.0,
        "rises with height (Quanjer 1993)",
        correlation_of("volume_l", "height_cm"),
    ),
)
