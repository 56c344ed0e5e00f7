"""Packages the checkpoint of the recipe `streaks-ct`, with its scores and what it was trained on.

    dfsynth simulate --task dark-field-ct --origin mixed --ct VOLUMES --out ct.zarr \
        --n 480 --size 200 --shard-size 16 --seed 11
    dfsynth train streaks-ct --data ct.zarr --out runs/streaks-ct --precision bf16
    python training/streaks_ct.py --run runs/streaks-ct --data ct.zarr --package FOLDER

VOLUMES holds those that training/recipes/mixture.toml names as free; a store with others is
refused.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from drawn_lungs import read_recipe
from packaged_checkpoint import count_trained, package_best, require_free

import dfsynth

MOST_BYTES: Final = 5_000_000
LIMITS: Final = (
    "Trained on simulated slices of 200 × 200 pixels over 385 to 500 mm, one rotation of 2400 "
    "shots, and never on measured ones; another scanner, window, filter or pitch needs a training "
    "of its own. Restored lungs are smoother than true ones: a higher contrast to noise than the "
    "truth's is detail that was lost. The uncertainty covers slices like those of the training."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--package", type=Path, required=True)
    given = parser.parse_args()
    best, evaluation = given.run / "best", given.run / "evaluation"
    dfsynth.evaluate_checkpoint(best, given.data, split="test", calibration="card", out=evaluation)
    scores = json.loads((evaluation / "metrics.json").read_text())
    package(best, scores, training_data(given.data), given.package)


def training_data(pairs: Path) -> tuple[dict[str, str], ...]:
    """What the pairs of all but the test patients were made of, each with its licence.

    Raises:
        SystemExit: a volume that is not known to be free.
    """
    free: dict[str, str] = read_recipe("mixture")["volumes"]
    found = []
    for source, count in sorted(count_trained(pairs, "source").items(), key=str):
        name, licence = "drawn chests and test phantoms", "none"
        if source is not None:
            require_free(source, source in free)
            name, licence = f"CT volume {source}", free[source]
        found.append({"name": name, "licence": licence, "training_pairs": str(count)})
    return tuple(found)


def package(
    best: Path, scores: dict[str, Any], data: tuple[dict[str, str], ...], folder: Path
) -> None:
    """Writes the checkpoint with the figures of its slices and of its intervals.

    Raises:
        SystemExit: it is too large.
    """
    figures = {name: found for name, found in scores["streaks"].items() if name != "curves"}
    package_best(
        best,
        folder,
        MOST_BYTES,
        name="streaks-ct",
        limits=LIMITS,
        metrics={"images": scores["images"], "streaks": figures},
        training_data=data,
    )


if __name__ == "__main__":
    main()
