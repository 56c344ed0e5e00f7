"""The tables of Frey et al.: contrast and edge width of every configuration over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dfsynth.description.markdown import table
from dfsynth.evaluate.streaks.seed_tests import PairwiseTest, SeedValues

Loss = Literal["L1", "L2"]
Figure = Literal["cnr", "fwhm_px"]

TITLES: Final[Mapping[Figure, str]] = {"cnr": "CNR", "fwhm_px": "FWHM (px)"}
PUBLISHED: Final[Mapping[tuple[Figure, Loss, bool], str]] = {
    ("cnr", "L1", False): "1.78",
    ("cnr", "L2", False): "1.89",
    ("cnr", "L1", True): "up to 2.21",
    ("cnr", "L2", True): "up to 2.52",
    ("fwhm_px", "L1", False): "52 to 56",
    ("fwhm_px", "L2", False): "52 to 56",
    ("fwhm_px", "L1", True): "52 to 56",
    ("fwhm_px", "L2", True): "52 to 56",
}
"""(figure, loss, amplified) → what Frey et al. found on measured slices of 800², not public: the
CNR of the plain U-Net and of the best amplified loss, and the widths of all configurations."""
OTHER_DATA: Final = "Frey et al. (other data)"
"""Head of the column of published figures: measured slices, other regions, another grid."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to train, and what its trainings reached."""

    name: str
    loss: Loss
    amplified: bool
    """False for the plain loss, the baseline of its kind."""
    cnr: SeedValues
    """Seed → median over test slices; no unit."""
    fwhm_px: SeedValues
    """Seed → median over test slices of the width of the edge-spread derivative."""

    def values(self, figure: Figure) -> SeedValues:
        """Seed → figure."""
        return self.cnr if figure == "cnr" else self.fwhm_px


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """One figure over seeds: `median` and quartiles, `p25` and `p75`, in the unit of the figure.

    NaN where no seed has it.
    """

    median: float
    p25: float
    p75: float
    seeds: int
    """How many have it."""

    def __str__(self) -> str:
        if not self.seeds:
            return "undefined"
        return f"{self.median:.2f} ({self.p25:.2f} to {self.p75:.2f})"


def seed_spread(values: SeedValues) -> SeedSpread:
    """Median and quartiles of one figure over seeds; what is no finite number is left out."""
    known = [value for value in values.values() if np.isfinite(value)]
    if not known:
        return SeedSpread(float("nan"), float("nan"), float("nan"), seeds=0)
    low, middle, high = map(float, np.percentile(known, [25, 50, 75]))
    return SeedSpread(middle, low, high, len(known))


def tabulate_configurations(configurations: Sequence[Configuration], figure: Figure) -> list[str]:
    """One of the paper's two tables in Markdown: ours, and what was published beside it.

    Published figures are of other data, and marked so: compare how configurations rank and by which
    factor they gain, not levels.

    Raises:
        ValueError: two configurations of one name.
    """
    names = [configuration.name for configuration in configurations]
    if len(set(names)) < len(names):
        raise ValueError(f"expected configurations of different names, found {sorted(names)}")
    header = [f"{TITLES[figure]}, configuration", "median (quartiles)", "seeds", OTHER_DATA]
    rows = []
    for configuration in configurations:
        spread = seed_spread(configuration.values(figure))
        published = PUBLISHED[figure, configuration.loss, configuration.amplified]
        rows.append([configuration.name, str(spread), str(spread.seeds), published])
    return table(header, rows).splitlines()


def baseline_pairs(configurations: Sequence[Configuration]) -> list[tuple[str, str]]:
    """(baseline, amplified) of each loss: the tests that the paper's question asks for."""
    return [
        (plain.name, other.name)
        for plain in configurations
        for other in configurations
        if not plain.amplified and other.amplified and plain.loss == other.loss
    ]


def tabulate_tests(tests: Sequence[PairwiseTest]) -> list[str]:
    """The tests in Markdown; `least` is the smallest p that so few seeds can reach."""
    header = ["first", "second", "seeds", "second - first", "p", "p (Holm)", "least p (Holm)"]
    rows = []
    for test in tests:
        seeds = " / ".join(map(str, test.seeds))
        numbers = [f"{p:.2g}" for p in (test.p, test.p_holm, test.least_p_holm)]
        rows.append([test.first, test.second, seeds, f"{test.difference:+.3f}", *numbers])
    return table(header, rows).splitlines()
