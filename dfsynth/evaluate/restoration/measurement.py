"""Pairs of a task of restoration → figures of nodules and spectra of input, restored and truth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.prediction import PredictedPair
from dfsynth.evaluate.restoration.contrast import (
    NoduleContrast,
    NoduleSurroundings,
    find_surroundings,
    nodule_contrast,
)
from dfsynth.evaluate.restoration.power_spectrum import (
    RING_CENTRES,
    log_spectral_distance,
    radial_power,
)
from dfsynth.evaluate.restoration.sizes import SIZES, size_of
from dfsynth.evaluate.scores import Evaluation
from dfsynth.records import Float32Map
from dfsynth.statistics import Interval, resample_patients
from dfsynth.tasks import Task

Array = NDArray[np.float64]
ImageKind = Literal["input", "restored", "truth"]
KINDS: Final[tuple[ImageKind, ...]] = get_args(ImageKind)
"""What goes in, what the network makes of it, and what it should have made."""
EXAMPLES: Final = 3
"""Images that are kept to be drawn."""
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class NoduleScores:
    """Nodules of one class in one kind of image."""

    cnr: Interval
    """Mean contrast-to-noise ratio, without unit."""
    contrast: Interval
    """Mean contrast, in the unit of the output."""
    recovery: Interval
    """Share of the truth's contrast that is there: the slope of contrast over that of the truth
    through 0. 1 of the truth itself."""


@dataclass(frozen=True, slots=True)
class NoduleClass:
    """The nodules of one range of diameters."""

    nodules: int
    images: Mapping[ImageKind, NoduleScores]


@dataclass(frozen=True, slots=True)
class PowerSpectra:
    """Means over images of radially averaged power."""

    frequency: tuple[float, ...]
    """(n), cycles a pixel."""
    power: Mapping[ImageKind, tuple[float, ...]]
    """(n) each, square of the output's unit a pixel²; 0 where no image has the frequency."""


@dataclass(frozen=True, slots=True)
class RestorationScores:
    """Figures of restored radiographs; intervals are over patients."""

    images: int
    nodules: Mapping[str, NoduleClass]
    """`all`, or a range of diameters → its nodules; classes without any are left out."""
    log_spectral_distance_db: Mapping[ImageKind, Interval]
    """Of `input` and `restored` from the truth: mean over images of the root mean square
    difference of log power."""
    spectra: PowerSpectra


@dataclass(frozen=True, slots=True)
class RestorationEvaluation(Evaluation):
    """The figures of an evaluation whose task measures nodules."""

    restoration: RestorationScores


@dataclass(frozen=True, slots=True)
class MeasuredNodule:
    """One nodule in all kinds of image."""

    key: str
    """The name of its image."""
    patient_id: str
    label: int
    diameter_mm: float
    """As drawn; of the disc of equal area where that is not known, NaN without a size of pixels."""
    images: Mapping[ImageKind, NoduleContrast]


@dataclass(frozen=True, slots=True, eq=False)
class RestorationExample:
    """One image to be drawn."""

    name: str
    images: Mapping[ImageKind, Float32Map]
    """(y, x) in the unit of the output."""
    nodules: NDArray[np.bool_] | None
    """(y, x), True in any nodule; None where there are no labels."""


@dataclass(frozen=True, slots=True, eq=False)
class RestorationMeasurement:
    """What the images of an evaluation gave, one after the other.

    It stays empty where the task measures no nodules.
    """

    task: Task
    patients: list[str] = field(default_factory=list)
    nodules: list[MeasuredNodule] = field(default_factory=list)
    powers: Mapping[ImageKind, list[Array]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )
    """Of each image, (32)."""
    examples: list[RestorationExample] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    """Images whose pair has no labels of nodules."""

    def add(self, pair: PredictedPair) -> None:
        """Measures the images of a pair, if the task asks for it."""
        if "nodules" not in self.task.metrics:
            return
        content, truth = pair.images.content, pair.image.clean
        images: dict[ImageKind, Float32Map] = {
            "input": self.task.input.restore(pair.images.image[content]),
            "restored": pair.image.stages[-1].mean,
            "truth": pair.image.noisy if truth is None else truth,
        }
        self.patients.append(pair.info.patient_id)
        for kind, image in images.items():
            self.powers[kind].append(radial_power(image))
        labels = None if pair.images.nodules is None else pair.images.nodules[content]
        if labels is None:
            self.unlabelled.append(pair.info.key)
        else:
            lung = None if pair.images.lung is None else pair.images.lung[content] == 1
            known = lung if lung is not None and lung.any() else None
            for nodule in find_surroundings(labels, known):
                self.nodules.append(_measured(pair, nodule, images))
        if len(self.examples) < EXAMPLES:
            shown = None if labels is None else labels > 0
            self.examples.append(RestorationExample(pair.info.key, images, shown))

    def warnings(self) -> tuple[str, ...]:
        """Says what the task would have measured, had the pairs labels of nodules."""
        if not self.unlabelled:
            return ()
        return (
            f"nodules of {counted(len(self.unlabelled), 'image')} are not measured: the pairs "
            f"have no labels of them; expected a store of dfsynth simulate --task {self.task.name}",
        )

    def summary(self, seed: int) -> RestorationScores:
        """Means over images and nodules; the bootstrap over patients draws from `seed`.

        Raises:
            ValueError: no image was measured.
        """
        resamples = resample_patients(self.patients, seed)
        distances = {
            kind: np.array(list(map(log_spectral_distance, self.powers[kind], truth)))
            for truth in [self.powers["truth"]]
            for kind in KINDS
            if kind != "truth"
        }
        return RestorationScores(
            images=len(self.patients),
            nodules={
                name: _scores(chosen, seed)
                for name in (ALL, *SIZES, size_of(float("nan")))
                if (chosen := self.of_size(name))
            },
            log_spectral_distance_db={k: resamples.mean(d) for k, d in distances.items()},
            spectra=PowerSpectra(
                tuple(map(float, RING_CENTRES)),
                {kind: _mean_power(powers) for kind, powers in self.powers.items()},
            ),
        )

    def of_size(self, name: str) -> list[MeasuredNodule]:
        """The nodules of a class, or `all`."""
        return [n for n in self.nodules if name in (ALL, size_of(n.diameter_mm))]

    def table(self) -> Iterator[list[object]]:
        """A header, then a line for each nodule and kind of image; "nan": not defined."""
        yield ["key", "patient_id", "nodule", "diameter_mm", "image", "contrast", "cnr"]
        for n in self.nodules:
            for kind, found in n.images.items():
                yield [
                    *(n.key, n.patient_id, n.label, round(n.diameter_mm, 3)),
                    *(kind, found.contrast, found.cnr),
                ]


def _measured(
    pair: PredictedPair, nodule: NoduleSurroundings, images: Mapping[ImageKind, Float32Map]
) -> MeasuredNodule:
    known, pixel_mm = pair.info.nodule_mm, pair.info.pixel_mm
    diameter = float("nan") if pixel_mm is None else nodule.width_px * pixel_mm
    if nodule.label <= len(known):
        diameter = known[nodule.label - 1]
    return MeasuredNodule(
        pair.info.key,
        pair.info.patient_id,
        nodule.label,
        diameter,
        {kind: nodule_contrast(image, nodule) for kind, image in images.items()},
    )


def _scores(nodules: list[MeasuredNodule], seed: int) -> NoduleClass:
    resamples = resample_patients([n.patient_id for n in nodules], seed)
    truth = np.array([n.images["truth"].contrast for n in nodules])
    found: dict[ImageKind, NoduleScores] = {}
    for kind in KINDS:
        contrast = np.array([n.images[kind].contrast for n in nodules])
        products = np.stack([contrast * truth, truth**2], axis=1)
        found[kind] = NoduleScores(
            cnr=resamples.mean(np.array([n.images[kind].cnr for n in nodules])),
            contrast=resamples.mean(contrast),
            recovery=resamples.ratio(products, lambda s: s[:, 0] / s[:, 1]),
        )
    return NoduleClass(len(nodules), found)


def _mean_power(powers: list[Array]) -> tuple[float, ...]:
    table = np.stack(powers)
    known = np.isfinite(table)
    sums = np.where(known, table, 0.0).sum(axis=0)
    return tuple(map(float, sums / np.maximum(known.sum(axis=0), 1)))
