"""Figures of restored images, image by image, as results keep them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import from_numpy

from dfsynth.datasets import PairSource
from dfsynth.evaluate.measurement import Measurement
from dfsynth.evaluate.metrics import MetricKey
from dfsynth.evaluate.prediction import PredictedPair, predict_pairs
from dfsynth.evaluate.restoration import RestorationMeasurement, log_spectral_distance
from dfsynth.inference import MapBatch, MapGenerator
from dfsynth.progress import Silent
from dfsynth.records import Float32Map
from dfsynth.tasks import Task

FIGURES: Final = ("psnr", "ssim", "mae", "crps", "coverage_90", "spearman_pixels")
_OF_UNCERTAINTY: Final = ("crps", "coverage_90", "spearman_pixels")
DISTANCE: Final = "log_spectral_distance_db"
_SEED: Final = 0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of all test images; None stands for what is not defined."""

    images: Sequence[Row]
    """`key`, `patient_id`, `FIGURES` and `DISTANCE`."""
    nodules: Sequence[Row]
    """`patient_id`, `diameter_mm`, and `contrast`, `cnr` and `truth`, the contrast of the truth."""
    image_seconds: float
    """Time an image with all its samples, in s: on a CPU that of one core."""
    train_seconds: float = 0.0


class Unrestored:
    """Gives its input back, or that of half the resolution enlarged by bicubic interpolation.

    It knows no uncertainty, and has no figures of any.
    """

    def __init__(self, *, enlarged: bool = False) -> None:
        """`enlarged` takes the input at half its resolution."""
        self._enlarged = enlarged

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Any."""
        return max(2**20 // (grid[0] * grid[1]), 1)

    def stages(self, images: NDArray[np.floating], *_: object, **__: object) -> list[MapBatch]:
        """Images (n, H, W) as they are; their sigma is nearly 0."""
        mean = images
        if self._enlarged:
            small = F.avg_pool2d(from_numpy(images)[:, None], 2)
            large = F.interpolate(small, size=images.shape[1:], mode="bicubic")
            mean = large[:, 0].numpy()
        sigma = np.full_like(mean, 1e-3)
        return [MapBatch(mean, sigma, np.zeros_like(mean), None)]


def measure_images(
    generator: MapGenerator | Unrestored, source: PairSource, task: Task, indices: Sequence[int]
) -> tuple[list[Row], list[Row], NDArray[np.float32]]:
    """Rows of images, those of their nodules, and means and sigmas, (2, n, H, W)."""
    measure = Measurement(task.window[1] - task.window[0], (None,))
    images: list[Row] = []
    maps: list[tuple[Float32Map, Float32Map]] = []
    found = RestorationMeasurement(task)
    for pair in predict_pairs(generator, source, indices, Silent()):
        found.add(pair)
        maps.append((pair.image.stages[-1].mean, pair.image.stages[-1].sigma))
        powers = (found.powers[kind][-1] for kind in ("restored", "truth"))
        images.append(
            {
                **{"key": pair.info.key, "patient_id": pair.info.patient_id},
                **_figures(pair, measure, isinstance(generator, Unrestored)),
                DISTANCE: _known(log_spectral_distance(*powers)),
            }
        )
    nodules: list[Row] = [
        {
            **{"patient_id": n.patient_id, "diameter_mm": _known(n.diameter_mm)},
            "contrast": n.images["restored"].contrast,
            "cnr": _known(n.images["restored"].cnr),
            "truth": n.images["truth"].contrast,
        }
        for n in found.nodules
    ]
    return images, nodules, np.stack(maps, axis=1).astype(np.float32)


def values_of(rows: Sequence[Row], figure: str) -> Iterator[tuple[str, float]]:
    """(patient, value) of all rows in which the figure is defined."""
    for row in rows:
        if row[figure] is not None:
            yield row["patient_id"], float(row[figure])


def _figures(pair: PredictedPair, measure: Measurement, sure: bool) -> dict[str, float | None]:
    rng = np.random.default_rng([_SEED, pair.index])
    wanted = MetricKey(0, "whole", "noisy")
    metrics = next(m for key, m in measure(pair.image, rng) if key == wanted)
    known = {name: _known(metrics.values[name]) for name in FIGURES}
    return known | dict.fromkeys(_OF_UNCERTAINTY, None) if sure else known


def _known(value: float) -> float | None:
    """JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
