"""One picture → its figures: each stage, each region, each target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.calibration import LEVELS, Factors, covered
from dfsynth.evaluate.density import GAUSSIAN, Array, negative_log_density, ranked_probability_score
from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map
from dfsynth.evaluate.oracle import error_sigma, expected_target
from dfsynth.evaluate.ranking import REMOVED, area_between, rank_correlation, sparsification_curve
from dfsynth.records import Float32Map

PIXELS_A_PICTURE: Final = 16_384
"""Drawn from a region for what needs sorting or special functions: all of most lungs at 256²."""

COVERAGE_NAMES: Final = tuple(f"coverage_{round(100 * level)}" for level in LEVELS)
MEANS: Final = (
    *("mse", "mae", "psnr", "ssim", "pearson", "nll", "crps"),
    *COVERAGE_NAMES,
    *("ause", "spearman_pixels"),
)
"""Figures of one picture that are averaged over pictures."""
NAMES: Final = (*MEANS, "error", "uncertainty")
"""`error`: root mean square error; `uncertainty`: root mean variance. Both over the region."""
REGIONS: Final = ("whole", "lung")
TARGETS: Final = ("noisy", "clean", "oracle")
"""`oracle` is against the noisy target, with what an oracle knows in the stage's place."""


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """What one stage says of a picture, each (y, x) float32: a density for every pixel."""

    mean: Float32Map
    sigma: Float32Map
    """Total standard deviation."""
    beta: Float32Map


class Place(NamedTuple):
    """What a figure is of."""

    stage: int
    """From 0."""
    region: str
    """One of `REGIONS`."""
    target: str
    """One of `TARGETS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The figures of one picture at one place, and some of its pixels in random order."""

    values: Mapping[str, float]
    """`NAMES` → number; NaN where it is not defined."""
    errors: Float32Map
    """(pixels)"""
    sigmas: Float32Map
    """(pixels)"""
    covered: NDArray[np.bool_]
    """(levels, pixels)"""
    curve: Array
    """Sparsification by sigma, (20,)."""
    best_curve: Array
    """The same by the error itself."""

    def first(self, pixels: int) -> "Measured":
        """With at most so many pixels."""
        return Measured(
            self.values,
            self.errors[:pixels].copy(),
            self.sigmas[:pixels].copy(),
            self.covered[:, :pixels].copy(),
            self.curve,
            self.best_curve,
        )


def _nothing() -> Measured:
    """Of a picture without the region."""
    none, gap = np.empty(0, np.float32), np.full(REMOVED.size, np.nan)
    values = dict.fromkeys(NAMES, float("nan"))
    return Measured(values, none, none, np.empty((len(LEVELS), 0), np.bool_), gap, gap)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One test pair and what the stages say of it; maps (y, x) without padding."""

    guesses: Sequence[Guess]
    noisy: Float32Map
    clean: Float32Map | None
    lung: NDArray[np.bool_] | None
    """Null where no lung is known, and for a lung too small to measure."""


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """A part of a picture."""

    mask: NDArray[np.bool_]
    """(y, x)"""
    pixels: NDArray[np.intp]
    """At most `PIXELS_A_PICTURE` of it, as flat numbers, in random order."""

    def take(self, values: Float32Map) -> Array:
        """(y, x) → (pixels)"""
        return values.ravel()[self.pixels].astype(np.float64)

    def root_mean_square(self, values: Float32Map) -> float:
        """Of all of the part."""
        return float(np.sqrt(np.mean(np.square(values[self.mask], dtype=np.float64))))


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """A prediction beside a target; maps (y, x)."""

    guess: Guess
    target: Float32Map
    similarity: Float32Map
    """See `similarity_map`."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measures pictures one by one; what depends on no picture."""

    data_range: float
    factors: Sequence[Factors | None]
    """Of each stage."""

    def __call__(
        self, picture: Picture, rng: np.random.Generator
    ) -> Iterator[tuple[Place, Measured]]:
        """The figures at every place, with nothing in them where the pair lacks what they need.

        `rng` draws the pixels.
        """
        noisy, clean = picture.noisy, picture.clean
        masks = (np.ones(noisy.shape, np.bool_), picture.lung)
        regions = [None if mask is None else _draw_pixels(mask, rng) for mask in masks]
        floor = None if clean is None else self._compare(_truth(noisy, clean), noisy)
        for stage, guess in enumerate(picture.guesses):
            against_noisy = self._compare(guess, noisy)
            against_clean = None if clean is None else self._compare(guess, clean)
            for name, region in zip(REGIONS, regions, strict=True):
                found = dict.fromkeys(TARGETS, _nothing())
                if region is not None:
                    found["noisy"] = self._judge(against_noisy, region, stage)
                    if against_clean is not None and floor is not None:
                        found["clean"] = self._judge(against_clean, region, stage)
                        found["oracle"] = self._bound(guess, floor, region)
                for target, measured in found.items():
                    yield Place(stage, name, target), measured

    def _compare(self, guess: Guess, target: Float32Map) -> _Comparison:
        return _Comparison(guess, target, similarity_map(guess.mean, target, self.data_range))

    def _judge(self, comparison: _Comparison, region: _Region, stage: int) -> Measured:
        guess = comparison.guess
        errors = comparison.target - guess.mean
        beta = region.take(guess.beta)
        inside = covered(region.take(errors), region.take(guess.sigma), beta, self.factors[stage])
        values = {
            **self._fidelity(comparison, region),
            **dict(zip(COVERAGE_NAMES, map(float, inside.mean(axis=1)), strict=True)),
        }
        return _with_trust(values, errors, guess.sigma, region, inside)

    def _bound(self, guess: Guess, floor: _Comparison, region: _Region) -> Measured:
        """Figures of the truth as a prediction, and trust in the guess by who knows the truth.

        The stage's own errors are ranked by the sigma of somebody who knows all but the noise.
        """
        truth = floor.guess
        errors = floor.target - guess.mean
        sigmas = error_sigma(guess.mean, truth.mean, truth.sigma)
        values = {
            **self._fidelity(floor, region),
            **dict.fromkeys(COVERAGE_NAMES, float("nan")),
        }
        inside = np.zeros((len(LEVELS), region.pixels.size), np.bool_)
        return _with_trust(values, errors, sigmas, region, inside)

    def _fidelity(self, comparison: _Comparison, region: _Region) -> Mapping[str, float]:
        guess, target = comparison.guess, comparison.target
        error, sigma, beta = map(region.take, (target - guess.mean, guess.sigma, guess.beta))
        return {
            **measure_fidelity(
                guess.mean, target, comparison.similarity, region.mask, self.data_range
            ),
            "nll": float(negative_log_density(error, sigma, beta).mean()),
            "crps": float(ranked_probability_score(error, sigma, beta).mean()),
        }


def _truth(noisy: Float32Map, clean: Float32Map) -> Guess:
    """The clean target, with the offset that artefacts leave, as a prediction of the noisy one."""
    return Guess(*expected_target(noisy, clean), np.full_like(clean, GAUSSIAN))


def _draw_pixels(mask: NDArray[np.bool_], rng: np.random.Generator) -> _Region:
    return _Region(mask, rng.permutation(np.flatnonzero(mask))[:PIXELS_A_PICTURE])


def _with_trust(
    values: Mapping[str, float],
    errors: Float32Map,
    sigmas: Float32Map,
    region: _Region,
    inside: NDArray[np.bool_],
) -> Measured:
    """Adds how well sigmas (y, x) rank errors (y, x)."""
    error, sigma = region.take(errors), region.take(sigmas)
    curve = sparsification_curve(error, sigma)
    best_curve = sparsification_curve(error, np.abs(error))
    return Measured(
        values={
            **values,
            "ause": area_between(curve, best_curve),
            "spearman_pixels": rank_correlation(sigma, np.abs(error)),
            "error": region.root_mean_square(errors),
            "uncertainty": region.root_mean_square(sigmas),
        },
        errors=error.astype(np.float32),
        sigmas=sigma.astype(np.float32),
        covered=inside,
        curve=curve,
        best_curve=best_curve,
    )
