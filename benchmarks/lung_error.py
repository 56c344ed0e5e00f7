"""What the lung error of a generator is made of, beside predictions that see no radiograph.

    python benchmarks/lung_error.py --pairs pairs.zarr --size 64 --checkpoints runs/*/best

Mean absolute error of test patients' lungs against the clean dark-field, in units of it: as it is,
and after each image's prediction is multiplied by the one factor that makes it least. What that
factor takes away is mostly the patient's own scattering coefficient, which is not in a radiograph;
what is left is the shape. Beside it, without any image: `constant`, the median of all training
lungs; `thickness`, which knows the exact length of lung along each beam and takes the training
patients' median at that length.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import describe_machine
from numpy.typing import NDArray

import dfsynth
from dfsynth.datasets import open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.preprocess import to_grid
from dfsynth.records import Float32Map
from dfsynth.score.lung import LEAST_LUNG
from dfsynth.statistics import resample_patients

_EVERY, _BINS = 7, 40
"""Every so many lung pixels, in so many bins of thickness."""
_LEAST = 1e-6
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lung:
    """The lung field of one pair."""

    key: str
    patient_id: str
    image: Float32Map
    """The whole radiograph, (y, x)."""
    mask: NDArray[np.bool_]
    """(y, x)"""
    thickness_mm: Values
    """(pixels)"""
    clean: Values
    """(pixels)"""


def read_lungs(pairs: Path, size: int) -> dict[str, list[Lung]]:
    """Those of the training and of the test patients, large enough to measure."""
    source = open_pairs(pairs, None, size, (0.0, 1.0))
    if not isinstance(source, StorePairs):
        raise SystemExit(f"{pairs} is no store of pairs; only one knows how thick lungs are")
    found: dict[str, list[Lung]] = {"train": [], "test": []}
    for index, row in enumerate(source.rows):
        if row.split not in found:
            continue
        pair = source.read(index)
        if pair.clean is None or pair.lung is None:
            raise SystemExit(f"{pairs} knows no clean target or no lung")
        mask = pair.lung == 1
        if mask[pair.content].mean() < LEAST_LUNG:
            continue
        thickness = np.zeros_like(pair.image)
        stored = source.arrays.read("lung_thickness_mm", int(source.manifest["row"][index].as_py()))
        thickness[pair.content] = to_grid(stored, source.geometry)
        values = (v[mask].astype(np.float64) for v in (thickness, pair.clean))
        found[row.split].append(Lung(row.key, row.patient_id, pair.image, mask, *values))
    return found


def predict_by_thickness(training: list[Lung]) -> Callable[[Lung], Values]:
    """The training lungs' median at each thickness."""
    known = np.concatenate([lung.thickness_mm[::_EVERY] for lung in training])
    values = np.concatenate([lung.clean[::_EVERY] for lung in training])
    edges = np.quantile(known, np.linspace(0, 1, _BINS + 1))[1:-1]
    bins = np.digitize(known, edges)
    median = np.array([np.median(values[bins == b]) for b in range(_BINS)])
    return lambda lung: median[np.digitize(lung.thickness_mm, edges)]


def best_factor(prediction: Values, truth: Values) -> float:
    """The s of the least mean |truth − s · prediction|: a median of the ratios, weighted by it."""
    prediction = np.maximum(prediction, _LEAST)
    ratios = truth / prediction
    order = np.argsort(ratios)
    weight = np.cumsum(prediction[order])
    return float(ratios[order][np.searchsorted(weight, weight[-1] / 2)])


def describe(predictions: list[Values], lungs: list[Lung]) -> dict[str, str | float]:
    """Both errors with intervals over patients, and how much the factors scatter."""
    factors = [best_factor(g, lung.clean) for g, lung in zip(predictions, lungs, strict=True)]
    raw = [np.abs(lung.clean - g).mean() for g, lung in zip(predictions, lungs, strict=True)]
    shape = [
        np.abs(lung.clean - f * np.maximum(g, _LEAST)).mean()
        for f, g, lung in zip(factors, predictions, lungs, strict=True)
    ]
    resamples = resample_patients([lung.patient_id for lung in lungs], 0)
    return {
        "MAE": str(resamples.mean(np.array(raw, np.float64))),
        "MAE after the best factor": str(resamples.mean(np.array(shape, np.float64))),
        "factors, SD of the logarithm": round(float(np.std(np.log(factors))), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True, help="of the checkpoints")
    parser.add_argument("--checkpoints", nargs="*", default=[])
    arguments = parser.parse_args()
    lungs = read_lungs(arguments.pairs, arguments.size)
    test = lungs["test"]
    constant = float(np.median(np.concatenate([lung.clean[::_EVERY] for lung in lungs["train"]])))
    by_thickness = predict_by_thickness(lungs["train"])
    result: dict[str, object] = {
        **describe_machine(),
        "test images": len(test),
        "constant": describe([np.full_like(lung.clean, constant) for lung in test], test),
        "thickness": describe([by_thickness(lung) for lung in test], test),
    }
    for checkpoint in arguments.checkpoints:
        generator = dfsynth.load_generator(checkpoint)
        images = np.stack([lung.image for lung in test])
        stages = generator.stages(images, [lung.key for lung in test])
        for stage, maps in enumerate(stages, 1):
            predictions = [
                m[lung.mask].astype(np.float64) for m, lung in zip(maps.mean, test, strict=True)
            ]
            result[f"{checkpoint}, stage {stage}"] = describe(predictions, test)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
