"""Slices whose truth is known → figures of streaks, noise and resolution."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.prediction import PredictedPair
from dfsynth.evaluate.scores import Evaluation
from dfsynth.evaluate.streaks import (
    CURVES,
    SLICE_KINDS,
    CurveName,
    MeanCurve,
    SliceCurves,
    SliceKind,
    SliceMetrics,
    known_slice,
    mean_curve,
    measure_curves,
    slice_metrics,
    summarise_slices,
)
from dfsynth.records import Float32Map
from dfsynth.statistics import Interval
from dfsynth.tasks import Task

EXAMPLES: Final = 3
"""Slices that are kept to be drawn."""


@dataclass(frozen=True, slots=True)
class StreakScores:
    """Figures of slices, as `SliceMetrics` has them: name → median over slices, 95 % interval."""

    slices: int
    input: Mapping[str, Interval]
    """Of what the network is given: one rotation."""
    restored: Mapping[str, Interval]
    """Of what it makes of that, after the last stage."""
    target: Mapping[str, Interval]
    """Of what networks are trained on: all rotations."""
    curves: Mapping[CurveName, MeanCurve]
    """`noise_power` in the lung, (1/m)² mm² at cycles a mm; `streak_power`, (1/m)² by angle in
    degrees; `transfer`, of modulation, at cycles a pixel."""


@dataclass(frozen=True, slots=True)
class SliceEvaluation(Evaluation):
    """The figures of an evaluation whose task measures streaks."""

    streaks: StreakScores


@dataclass(frozen=True, slots=True, eq=False)
class SliceExample:
    """One slice to be drawn."""

    name: str
    images: Mapping[SliceKind, Float32Map]
    """(y, x) in 1/m."""
    truth: Float32Map
    """(y, x) in 1/m."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceMeasurement:
    """What the slices of an evaluation gave, one after the other.

    It stays empty where the task measures no streaks, or pairs do not know enough of their slices.
    """

    task: Task
    keys: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    metrics: Mapping[SliceKind, list[SliceMetrics]] = field(
        default_factory=lambda: {kind: [] for kind in SLICE_KINDS}
    )
    curves: Mapping[SliceKind, list[SliceCurves]] = field(
        default_factory=lambda: {kind: [] for kind in SLICE_KINDS}
    )
    examples: list[SliceExample] = field(default_factory=list)

    def add(self, pair: PredictedPair) -> None:
        """Measures the slice of a pair, if the task and what the pair knows allow it.

        Raises:
            ValueError: an image that is not finite.
        """
        known = known_slice(pair.images, pair.info) if "streaks" in self.task.metrics else None
        if known is None:
            return
        images: dict[SliceKind, Float32Map] = {
            "input": self.task.input.restore(pair.images.image[pair.images.content]),
            "restored": pair.image.stages[-1].mean,
            "target": pair.image.noisy,
        }
        self.keys.append(pair.info.key)
        self.patients.append(pair.info.patient_id)
        for kind, image in images.items():
            curves = measure_curves(image, known)
            self.curves[kind].append(curves)
            self.metrics[kind].append(slice_metrics(image, curves, known))
        if len(self.examples) < EXAMPLES:
            self.examples.append(SliceExample(pair.info.key, images, known.truth))

    def warnings(self) -> tuple[str, ...]:
        """Says what the task would have measured, had the pairs known enough of their slices."""
        if "streaks" not in self.task.metrics or self.keys:
            return ()
        return (
            "streaks are not measured: the pairs lack truth, masks or the size of pixels; expected "
            f"a store of dfsynth simulate --task {self.task.name}",
        )

    def summary(self, seed: int) -> StreakScores:
        """Medians over slices; the bootstrap over patients draws from `seed`.

        Raises:
            ValueError: no slice was measured.
        """
        found = {
            kind: summarise_slices(metrics, self.patients, seed)
            for kind, metrics in self.metrics.items()
        }
        return StreakScores(len(self.keys), **found, curves=self.mean_curves())

    def mean_curves(self) -> Mapping[CurveName, MeanCurve]:
        """Means over slices of all curves, of each kind of image."""
        return {name: mean_curve(name, self.curves) for name in CURVES}

    def values(self, kind: SliceKind, figure: str) -> NDArray[np.float64]:
        """One figure of all n slices, (n) in its own unit; NaN where it is not defined."""
        return np.array([m.values()[figure] for m in self.metrics[kind]], np.float64)

    def table(self) -> Iterator[list[object]]:
        """A header, then a line for each slice and kind of image; "nan": not defined."""
        names = list(self.metrics["input"][0].values())
        yield ["key", "patient_id", "image", *names]
        for index, (key, patient) in enumerate(zip(self.keys, self.patients, strict=True)):
            for kind, metrics in self.metrics.items():
                yield [key, patient, kind, *metrics[index].values().values()]
