"""Packages a checkpoint of the task restoration, with its figures and what it was trained on.

    dfsynth simulate --task restoration --cxr GOOD/labels.csv --out good.zarr \
        --n 1074 --size 128 --degrader drr --seed 3
    dfsynth train restorer-128 --data good.zarr --out runs/restorer-128
    dfsynth simulate --task restoration --ct VOLUMES --out drrs.zarr --n 60 --size 128 --seed 1
    python training/restorer.py --run runs/restorer-128 --data good.zarr \
        --drrs drrs.zarr --package FOLDER

GOOD is as in `listed_radiographs.py`, with licenses.csv; a radiograph of another licence than those
that training/recipes/mixture.toml names as free is refused. The figures are of the test patients of
good.zarr, and of the radiographs that are computed from volumes, which nothing was trained on.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from drawn_lungs import read_recipe
from listed_radiographs import is_free_to_use
from packaged_checkpoint import require_free, write_package

import dfsynth
from dfsynth.checkpoint import read_checkpoint
from dfsynth.manifest import read_manifest
from dfsynth.store import StoreLayout

MOST_BYTES: Final = 5_000_000
LIMITS: Final = (
    "Trained on radiographs at 128 × 128 pixels and on blurred partners that were computed from "
    "them, never on a measured pair. What it adds is likely and not seen: texture and edges are "
    "invented in the likeness of two archives. Intervals are too narrow for radiographs that are "
    "computed from CT. Look at nodules before and after before relying on any."
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
    package(best, metrics, training_data(given.data), given.package)


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
        **{name: whole[name] for name in _FIGURES},
        "log_spectral_distance_db": found["restoration"]["log_spectral_distance_db"],
    }


def training_data(pairs: Path) -> tuple[dict[str, str], ...]:
    """The licences of the radiographs of all but the test patients, with their pairs.

    Raises:
        SystemExit: a licence that is not known to be free.
    """
    recipe = read_recipe("mixture")
    manifest = read_manifest(StoreLayout(pairs).manifest)
    counts: Counter[str] = Counter()
    columns = (manifest[name].to_pylist() for name in ("license", "split"))
    for licence, split in zip(*columns, strict=True):
        if split != "test":
            counts[str(licence)] += 1
    found = []
    for licence, count in sorted(counts.items()):
        require_free(licence, is_free_to_use(licence, recipe))
        name = "radiographs and partners computed from them"
        found.append({"name": name, "licence": licence, "training_pairs": str(count)})
    return tuple(found)


def package(
    best: Path, metrics: dict[str, Any], data: tuple[dict[str, str], ...], folder: Path
) -> None:
    """Writes the checkpoint under the name by which `simulate --display restored` finds it.

    Raises:
        SystemExit: it is too large.
    """
    files = read_checkpoint(best)
    card = replace(
        files.card,
        name="restoration",
        license="Apache-2.0",
        limits=LIMITS,
        metrics=metrics,
        training_data=data,
    )
    write_package(folder, files, card, MOST_BYTES)


if __name__ == "__main__":
    main()
