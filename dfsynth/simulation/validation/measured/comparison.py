"""Measured dark-field images beside the simulator: what compares, and what does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.simulation.tissue import DIAMETER_EXPONENT
from dfsynth.simulation.validation.measured.listing import find_listings
from dfsynth.simulation.validation.measured.lobes import Animal, Lobe, animals_of, read_lobes
from dfsynth.simulation.validation.measured.spheres import (
    SizeResponse,
    SphereScan,
    fit_sizes,
    read_spheres,
)
from dfsynth.simulation.validation.measures import Person
from dfsynth.statistics import Interval, Resamples, resample_patients

Samples = NDArray[np.float64]
Kind = Literal["emergent", "by construction", "not comparable"]

_NONE: Final = Interval(None, None, None)
_LOBE_NOTES: Final = (
    "Dried lobes of mice are no living human lungs: air sacs, blood, breath and size differ, and "
    "the ratio of -ln V to -ln T says nothing of the coefficient in 1/m, since no thickness was "
    "measured.",
    "Exposed over control: how ill the mice are was not graded, and the simulator's emphysema is "
    "drawn; direction and order of size compare, not the number. By their names some animals are "
    "knock-outs (KO), unevenly among the groups.",
    "Spread: mice kept alike differ less than people do. A simulator with less spread than theirs "
    "would be wrong; one with more is not shown to be.",
    "Spectrum: by cycles a side of the largest square in lobe or lung, since lobes are far "
    "smaller. It holds the shape of the lung as well as its unevenness, and of measured images the "
    "photon noise, which flattens it; the simulator's signal is free of noise.",
)
_SPHERE_NOTES: Final = (
    "Spheres are 0.2 to 8 µm wide, air sacs 150 to 1000 µm: at their size nothing was measured. "
    "What compares is whether the signal follows the theory of dilute spheres, from which the "
    f"simulator's exponent of -{DIAMETER_EXPONENT:g} is taken. Packed spheres shade each other and "
    "depart from it.",
)


@dataclass(frozen=True, slots=True)
class MeasuredImages:
    """All measured scans of a folder."""

    folder: Path
    lobes: tuple[Lobe, ...]
    spheres: tuple[SphereScan, ...]


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One figure of the measured images beside the simulator's."""

    name: str
    kind: Kind
    """Emergent or by construction in the simulator; or without a counterpart there."""
    measured: Interval
    """95 %, by bootstrap over animals."""
    simulated: Interval
    """95 %, by bootstrap over people."""
    basis: str
    """On how much the measured figure rests."""


@dataclass(frozen=True, slots=True)
class MeasuredComparison:
    """The table of `dfsynth simulate --validate --measured`, and what it rests on."""

    folder: Path
    rows: tuple[MeasuredRow, ...]
    notes: tuple[str, ...]
    """What cannot be compared, and why."""
    animals: tuple[Animal, ...]
    lobes: tuple[Lobe, ...]
    spheres: tuple[SphereScan, ...]
    size_responses: tuple[SizeResponse, ...]


def read_measured(folder: Path) -> MeasuredImages:
    """Reads measured scans: dried mouse lung lobes, microspheres, or both.

    Args:
        folder: a checkout of Enucatl/dried_lung_samples or of Enucatl/microspheres, or a folder
            that holds such checkouts.

    Raises:
        UsageError: there are none, or they are not as those repositories have them.
    """
    lobes: list[Lobe] = []
    spheres: list[SphereScan] = []
    for listing in find_listings(folder):
        if "size" in listing.columns or "particle_size" in listing.columns:
            spheres += read_spheres(listing)
        else:
            lobes += read_lobes(listing)
    groups = {lobe.exposed for lobe in lobes}
    if lobes and len(groups) == 1:
        raise UsageError(
            f"--measured {folder}: found lobes {'with' if True in groups else 'without'} smoke "
            "alone: expected both, to compare them"
        )
    return MeasuredImages(folder, tuple(lobes), tuple(spheres))


def compare_with_measured(
    images: MeasuredImages, people: Sequence[Person], seed: int
) -> MeasuredComparison:
    """Compares measured scans with a cohort; intervals resample whole animals and whole people.

    Raises:
        UsageError: the lobes of an animal attenuate nothing together.
    """
    animals = animals_of(images.lobes)
    responses = fit_sizes(images.spheres)
    rows: list[MeasuredRow] = []
    notes: tuple[str, ...] = ()
    if images.lobes:
        rows += _animal_rows(animals, people, seed)
        rows.append(_spectrum_row(images.lobes, people, seed))
        notes += _LOBE_NOTES
    if images.spheres:
        rows += _sphere_rows(responses)
        notes += _SPHERE_NOTES
    return MeasuredComparison(
        folder=images.folder,
        rows=tuple(rows),
        notes=notes,
        animals=animals,
        lobes=images.lobes,
        spheres=images.spheres,
        size_responses=responses,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Animals that were treated alike, and draws of them."""

    animals: Sequence[Animal]
    logs: Samples
    """(animals,): logarithm of the signal over attenuation."""
    draws: Resamples

    @classmethod
    def of(cls, animals: Sequence[Animal], exposed: bool, seed: int) -> "_Group":
        own = [animal for animal in animals if animal.exposed is exposed]
        logs = np.log([animal.signal_over_attenuation for animal in own])
        # Another seed for each group: their draws are independent.
        return cls(own, logs, resample_patients([a.name for a in own], seed + exposed))

    def mean(self) -> Interval:
        """Geometric mean of the signal over attenuation."""
        return self.draws.ratio(_mean_sums(self.logs), lambda s: np.exp(s[:, 0] / s[:, 1]))

    def over(self, other: "_Group") -> Interval:
        """Its geometric mean over that of another group."""
        sums = np.zeros((len(self.logs) + len(other.logs), 4))
        sums[: len(self.logs), :2] = _mean_sums(self.logs)
        sums[len(self.logs) :, 2:] = _mean_sums(other.logs)
        together = self.draws.beside(other.draws)
        return together.ratio(sums, lambda s: np.exp(s[:, 0] / s[:, 1] - s[:, 2] / s[:, 3]))

    def __str__(self) -> str:
        found = [animal.signal_over_attenuation for animal in self.animals]
        return f"{counted(len(found), 'animal')}, {min(found):.3g} to {max(found):.3g}"


def _animal_rows(
    animals: Sequence[Animal], people: Sequence[Person], seed: int
) -> Iterator[MeasuredRow]:
    control, exposed = (_Group.of(animals, ill, seed) for ill in (False, True))
    for name, group in (("controls", control), ("exposed to smoke", exposed)):
        title = f"sum of -ln V over sum of -ln T, {name}"
        yield MeasuredRow(title, "not comparable", group.mean(), _NONE, str(group))
    ill = [person for person in people if person.severity > 0]
    yield MeasuredRow(
        "the same, exposed over control",
        "by construction",
        exposed.over(control),
        _geometric_mean([p.eps_bar_ill_ratio / p.density_ill_ratio for p in ill], seed),
        f"{len(exposed.logs)} and {counted(len(control.logs), 'animal')}; "
        f"{counted(len(ill), 'phantom')} with emphysema and without",
    )
    healthy = np.log([person.eps_bar_per_m / person.density for person in people])
    yield MeasuredRow(
        "spread of its logarithm between controls",
        "by construction",
        control.draws.of_weights(lambda weights: _spread(weights, control.logs)),
        _draw(len(people), seed).of_weights(lambda weights: _spread(weights, healthy)),
        f"{counted(len(control.logs), 'animal')}; {counted(len(people), 'healthy phantom')}",
    )


def _spectrum_row(lobes: Sequence[Lobe], people: Sequence[Person], seed: int) -> MeasuredRow:
    slopes = np.array(
        [np.nan if lobe.spectral_slope is None else lobe.spectral_slope for lobe in lobes]
    )
    own = np.array([person.spectral_slope for person in people])
    return MeasuredRow(
        "slope of the power spectrum of the signal",
        "emergent",
        resample_patients([lobe.animal for lobe in lobes], seed).mean(slopes),
        _draw(len(people), seed).mean(own),
        f"large enough: {np.isfinite(slopes).sum()} of {counted(len(lobes), 'lobe')}, "
        f"{np.isfinite(own).sum()} of {counted(len(people), 'phantom')}",
    )


def _sphere_rows(responses: Sequence[SizeResponse]) -> Iterator[MeasuredRow]:
    for found in responses:
        yield MeasuredRow(
            f"share of the response to size that dilute-sphere theory explains, {found.kind}",
            "by construction",
            Interval(found.explained, None, None),
            Interval(1.0, None, None),
            f"{counted(found.sizes, 'size')}, one phantom each: no interval; fitted "
            f"autocorrelation length {found.autocorrelation_um:.2g} µm",
        )
    if not responses:
        yield MeasuredRow(
            "response to the size of spheres",
            "not comparable",
            _NONE,
            _NONE,
            "too few sizes of one kind: expected at least four that differ in signal",
        )


def _draw(people: int, seed: int) -> Resamples:
    return resample_patients([str(number) for number in range(people)], seed)


def _mean_sums(values: Samples) -> Samples:
    """(n, 2): what a weighted mean is the ratio of sums of."""
    return np.stack([values, np.ones_like(values)], axis=1)


def _geometric_mean(values: Sequence[float], seed: int) -> Interval:
    if not values:
        return _NONE
    sums = _mean_sums(np.log(values))
    return _draw(len(values), seed).ratio(sums, lambda s: np.exp(s[:, 0] / s[:, 1]))


def _spread(weights: Samples, values: Samples) -> Samples:
    """Standard deviation of each draw (draws), with n - 1; NaN of one alone."""
    count = weights.sum(axis=1)
    mean = weights @ values / count
    squares = (weights * (values[None, :] - mean[:, None]) ** 2).sum(axis=1)
    return np.sqrt(squares / np.where(count > 1, count - 1, np.nan))


def tabulate_comparison(comparison: MeasuredComparison) -> str:
    """The comparison as a Markdown table, with a line for each thing that does not compare."""
    lines = [
        "| measured images | kind | measured (95 % interval) | simulator | from |",
        "|---|---|---|---|---|",
        *(
            f"| {row.name} | {row.kind} | {_text(row.measured)} | {_text(row.simulated)} "
            f"| {row.basis} |"
            for row in comparison.rows
        ),
        "",
        *(f"- {note}" for note in comparison.notes),
    ]
    return "\n".join(lines)


def _text(interval: Interval) -> str:
    return "none" if interval == _NONE else f"{interval:.3g}"
