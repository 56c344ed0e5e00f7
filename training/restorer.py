"""Packages a checkpoint of the task restoration, with its figures and what it was trained on.

    dfsynth simulate --task restoration --cxr GOOD/labels.csv --out good.zarr \
        --n 1074 --size 128 --degrader drr --seed 3
    dfsynth train restorer-128 --data good.zarr --out runs/restorer-128
    dfsynth simulate --task restoration --ct VOLUMES --out drrs.zarr --n 48 --size 128 --seed 1
    python training/restorer.py --run runs/restorer-128 --data good.zarr \
        --drrs drrs.zarr --package FOLDER

GOOD is as in `listed_radiographs.py`, with licenses.csv; a radiograph of another licence than those
that training/recipes/mixture.toml names as free is refused. The figures are of the test patients of
good.zarr, and of the radiographs that are computed from volumes, which nothing was trained on.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from drawn_lungs import read_recipe
from listed_radiographs import is_free_to_use
from packaged_checkpoint import count_trained, package_best, require_free
from restoration_measures import Unrestored, measure_images
from restoration_pairs import TASK

import dfsynth
from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import indices_in, open_pairs
from dfsynth.options import DEFAULT_RESTORER
from dfsynth.statistics import resample_patients
from dfsynth.tasks import task_named

MOST_BYTES: Final = 5_000_000
LIMITS: Final = (
    "Trained on radiographs at 128 × 128 pixels and on blurred partners that were computed from "
    "them, never on a measured pair. What it adds is likely and not seen: texture and edges are "
    "invented in the likeness of two archives. Look at nodules before and after before relying on "
    "any."
)
_FIGURES: Final = ("psnr", "ssim", "mae")
_SAMPLES: Final = 4
"""Of an image, averaged."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--drrs", type=Path, required=True)
    parser.add_argument("--package", type=Path, required=True)
    given = parser.parse_args()
    best = given.run / "best"
    metrics = {
        "radiographs": figures(best, given.data, "test", given.run / "evaluation"),
        "computed_radiographs": figures(best, given.drrs, "all", given.run / "evaluation-drrs"),
    }
    package_best(
        best,
        given.package,
        MOST_BYTES,
        name=DEFAULT_RESTORER,
        limits=LIMITS,
        metrics=metrics,
        training_data=training_data(given.data),
    )


def figures(best: Path, pairs: Path, split: str, out: Path) -> dict[str, Any]:
    """What `dfsynth evaluate` says of restored images, and of the blurred ones beside them."""
    dfsynth.evaluate_checkpoint(
        best, pairs, split=split, calibration="card", mc_samples=_SAMPLES, out=out
    )
    found = json.loads((out / "metrics.json").read_text())
    whole = found["stages"][-1]["whole"]["noisy"]
    return {
        "images": found["images"],
        "patients": found["patients"],
        "mc_samples": found["mc_samples"],
        **{name: whole[name] for name in _FIGURES},
        "coverage_90": whole["coverage"],
        "input": input_figures(read_checkpoint(best).card.grid[0], pairs, split),
        "log_spectral_distance_db": found["restoration"]["log_spectral_distance_db"],
    }


def input_figures(size: int, pairs: Path, split: str) -> dict[str, Any]:
    """The same of the blurred images themselves, taken for the answer."""
    task = task_named(TASK)
    source = open_pairs(pairs, None, size, task.window, task.input.convention, task)
    indices = range(len(source.rows)) if split == "all" else indices_in(source, split)
    rows, _, _ = measure_images(Unrestored(), source, task, indices)
    resamples = resample_patients([row["patient_id"] for row in rows], 0)
    return {
        name: asdict(resamples.mean(np.array([row[name] for row in rows]))) for name in _FIGURES
    }


def training_data(pairs: Path) -> tuple[dict[str, str], ...]:
    """The licences of the radiographs of all but the test patients, with their pairs.

    Raises:
        SystemExit: a licence that is not known to be free.
    """
    recipe = read_recipe("mixture")
    found = []
    for value, count in sorted(count_trained(pairs, "license").items(), key=str):
        licence = str(value)
        require_free(licence, is_free_to_use(licence, recipe))
        name = "radiographs and partners computed from them"
        found.append({"name": name, "licence": licence, "training_pairs": str(count)})
    return tuple(found)


if __name__ == "__main__":
    main()
