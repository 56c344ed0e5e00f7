"""How `--mc fast` agrees with `--mc full`: maps of radiographs, and figures of test patients.

    python benchmarks/sampling_modes.py --radiographs DIR --pairs pairs.zarr

Of each map the Pearson correlation over the pixels of an image between both modes, median and 10th
percentile over the images; on the pairs, what `dfsynth evaluate` says of both, by the intervals of
the model card. How scores agree, `training/trust_heads.py` reports.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from machine import describe_machine

import dfsynth
from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import MONTE_CARLO_MODES, MonteCarloMode

_MAPS = ("dark_field", "aleatoric", "epistemic", "lung")
_FIGURES = ("mae", "nll", "coverage")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--radiographs", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60, help="radiographs, evenly spaced")
    parser.add_argument("--checkpoint", default="default")
    arguments = parser.parse_args()
    found = {
        **describe_machine(),
        "maps": correlations(arguments.radiographs, arguments.checkpoint, arguments.limit),
        "pairs": {
            mode: figures(arguments.checkpoint, arguments.pairs, mode) for mode in MONTE_CARLO_MODES
        },
    }
    print(json.dumps(found, indent=2))


def correlations(folder: Path, checkpoint: str, limit: int) -> dict[str, dict[str, float]]:
    """Of each map between both modes, over the images of a folder."""
    card = read_checkpoint(checkpoint_path(checkpoint)).card
    reader = ModelInputReader(card.grid, card.intensity)
    generators = [dfsynth.load_generator(checkpoint, mc=mode) for mode in MONTE_CARLO_MODES]
    paths = sorted(folder.glob("*.png"))
    found: dict[str, list[float]] = {name: [] for name in _MAPS}
    for path in paths[:: max(len(paths) // limit, 1)]:
        ready = reader(path.read_bytes())[1]
        made = [generator.generate([ready], [path.name])[0] for generator in generators]
        for name in _MAPS:
            full, fast = (getattr(each, name)[ready.geometry.content].ravel() for each in made)
            found[name].append(float(np.corrcoef(full, fast)[0, 1]))
    return {
        name: {
            "images": len(values),
            "median": float(np.median(values)),
            "p10": float(np.quantile(values, 0.1)),
        }
        for name, values in found.items()
    }


def figures(checkpoint: str, pairs: Path, mode: MonteCarloMode) -> dict[str, float | None]:
    """In the lungs of test patients, against the noisy target."""
    scores = dfsynth.evaluate_checkpoint(checkpoint, pairs, mc=mode, calibration="card")
    lung = scores.stages[-1].lung
    if lung is None:
        raise SystemExit(f"{pairs} has no lungs to measure")
    return {name: getattr(lung.noisy, name).value for name in _FIGURES}


if __name__ == "__main__":
    main()
