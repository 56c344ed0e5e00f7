"""Trains the heads for trust of a checkpoint with members, and says how well they do.

    python training/trust_heads.py --data DIR --checkpoint runs/joined --pairs runs/pairs.zarr \
        --more runs/more.zarr --left-out runs/left-out.zarr --out runs/heads

DIR as `trust_examples.Inputs` says. Examples are kept in --out, so that the same command goes on.
Writes `scores.safetensors` and the table for filters of the model card into the checkpoint, and
`metrics.json` into --out.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from drawn_lungs import read_recipe
from trust_examples import Inputs, PictureSet, picture_sets
from trust_report import report

from dfsynth.checkpoint import SEMI_SYNTHETIC, CalibrationRow, CheckpointFiles, read_checkpoint
from dfsynth.devices import resolve_precision
from dfsynth.inference import load_map_generator, load_network, save_checkpoint
from dfsynth.train.heads import MAP_SCORES, DescribingHeads, Examples, fit_heads, generate_examples
from dfsynth.trust import TrustHeads

_BATCH = 8
_KEPT = ("predicted_error", "ood_score", "epistemic_mean", "uncertainty")
"""Scores of the table for filters: what a promise may be asked by."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "checkpoint", "pairs", "more", "left-out", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    metrics = train_heads(
        given.checkpoint, given.data, given.pairs, given.more, given.left_out, given.out
    )
    print(json.dumps(metrics, indent=2))


def train_heads(
    checkpoint: Path, data: Path, pairs: Path, more: Path, left_out: Path, out: Path
) -> dict[str, object]:
    """Fits the heads of a checkpoint, writes them into it, and gives the figures of the report."""
    out.mkdir(parents=True, exist_ok=True)
    files = read_checkpoint(checkpoint)
    inputs = Inputs(data, pairs, more, left_out, read_recipe("mixture"), files.card)
    made = {each.name: examples(files, each, out) for each in picture_sets(inputs)}
    heads = fit_heads(
        _joined(made, "shifted"),
        _joined(made, "pictures"),
        _joined(made, "held"),
        _joined(made, "calibration"),
    )
    table = calibration_rows(heads, made["calibration-full"])
    card = replace(files.card, error_calibration=table)
    with torch.inference_mode():
        save_checkpoint(checkpoint, load_network(files), card, heads)
    metrics = report(heads, made)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    return metrics


def examples(files: CheckpointFiles, chosen: PictureSet, out: Path) -> Examples:
    """The examples of one set, generated once."""
    kept = out / f"{chosen.name}.npz"
    if not kept.exists():
        heads = DescribingHeads()
        cpu = torch.device("cpu")
        precision = resolve_precision("auto", cpu)
        generator = load_map_generator(files, cpu, precision, 20, 0, chosen.mode, heads)
        found = generate_examples(generator, heads, chosen.pictures(), _BATCH)
        part = kept.with_suffix(".part.npz")
        found.save(part)
        part.rename(kept)
        print(f"{chosen.name}: {len(found)} examples", flush=True)
    return Examples.load(kept)


def calibration_rows(heads: TrustHeads, examples: Examples) -> tuple[CalibrationRow, ...]:
    """Scores and errors of calibration patients, none of them semi-synthetic."""
    learned = heads.judge(heads.projection(examples.figures, examples.layout))
    rows = []
    for number, said in enumerate(learned):
        error, origin = float(examples.targets[number, -1]), str(examples.origins[number])
        of_maps = dict(zip(MAP_SCORES, map(float, examples.scores[number]), strict=True))
        # As filters see them: without a lung there is no uncertainty, and the image is dropped.
        known = np.isfinite([error, of_maps["uncertainty"]]).all()
        if known and origin not in SEMI_SYNTHETIC:
            scores = of_maps | dict(said.scores)
            finite = {k: float(np.float32(scores[k])) for k in _KEPT if np.isfinite(scores[k])}
            rows.append(CalibrationRow(str(examples.patients[number]), origin, finite, error))
    return tuple(rows)


def _joined(made: dict[str, Examples], name: str) -> Examples:
    """The sets of all modes: heads are to say the same of all."""
    return Examples.joined([found for key, found in made.items() if key.startswith(name)])


if __name__ == "__main__":
    main()
