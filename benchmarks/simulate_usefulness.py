"""Does a network that only ever saw simulated pairs find the lungs of real patients?

python benchmarks/simulate_usefulness.py --masked FOLDER [--masked FOLDER]
    --pairs phantom=pairs.zarr --pairs ct=ct.zarr [--sheet FOLDER]

Trains on each store, and on all of them together. No real radiograph is trained on, and none
chooses anything: the schedule is fixed, and the last average of the weights is the one scored.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from contact import write_sheet
from intervals import rounded
from machine import describe_machine
from numpy.typing import NDArray
from radiographs import LabelledImage, read_pairs, read_radiographs, to_eight_bits, to_square

from dfsynth.lung_segmentation.network import LungSegmentationNetwork
from dfsynth.lung_segmentation.samples import LungSample, simulated_sample
from dfsynth.lung_segmentation.training import LungTrainer, LungTrainingOptions
from dfsynth.records import Float32Map
from dfsynth.report import SheetColumn, SheetRow
from dfsynth.statistics import Interval, dice, resample_patients

GRID = 128
_SCORED_SIDE = 256
_WIDTHS = (16, 32, 64, 96)
_BATCH = 8
_RATE = 2e-3
_WORST = 24
WITH_HEART = frozenset({"hannover"})
"""Whose masks go on behind the heart, where the lung field, as simulated, ends."""


def to_sample(entry: LabelledImage) -> LungSample:
    """A simulated image and its lung field; the thickness is no part of this test."""
    assert entry.labels is not None
    field = to_square(entry.labels == 1, GRID) > 0.5
    hidden = to_square(entry.labels > 0, GRID) > 0.5
    labels = np.where(field, 1, np.where(hidden, 2, 0)).astype(np.uint8)
    return simulated_sample(appearance(entry, GRID), labels, np.zeros((GRID, GRID), np.float32))


def train(groups: Sequence[Sequence[LungSample]], steps: int, seed: int) -> LungSegmentationNetwork:
    """Trains on as many images of each group, however large it is."""
    trainer = LungTrainer(LungTrainingOptions(_WIDTHS, steps, _BATCH, _RATE, seed))

    def draw(rng: np.random.Generator) -> LungSample:
        group = groups[int(rng.integers(len(groups)))]
        return group[int(rng.integers(len(group)))]

    trainer.run(draw, steps, lambda _step, _loss: None)
    return LungSegmentationNetwork(trainer.averaged, GRID)


def score(
    segmenter: LungSegmentationNetwork, masked: Sequence[LabelledImage], seed: int
) -> tuple[dict[str, Interval], list[tuple[float, LabelledImage, NDArray[np.bool_]]]]:
    """Mean Dice of the lung field by archive and of all outlines that leave the heart out."""
    rows = []
    for entry in masked:
        assert entry.labels is not None
        found = segmenter(appearance(entry, _SCORED_SIDE)).field > 0.5
        truth = to_square(entry.labels > 0, _SCORED_SIDE) > 0.5
        rows.append((dice(found, truth), entry, found))
    groups = {
        "lung fields": [r for r in rows if r[1].source not in WITH_HEART],
        **{s: [r for r in rows if r[1].source == s] for s in sorted({d.source for d in masked})},
    }
    scores = {
        name: resample_patients([r[1].patient_id for r in group], seed).mean(
            np.array([r[0] for r in group])
        )
        for name, group in groups.items()
        if group
    }
    return scores, sorted(rows, key=lambda row: row[0])


def show_worst(
    folder: Path, name: str, rows: Sequence[tuple[float, LabelledImage, NDArray[np.bool_]]]
) -> None:
    """Draws the real radiographs with the worst Dice beside what was found and what people drew."""
    columns = [
        SheetColumn("radiograph", "grey value", "gray", 0.0, 1.0),
        SheetColumn("found less drawn", "1", "viridis", -1.0, 1.0),
    ]
    worst = []
    for value, entry, found in rows[:_WORST]:
        assert entry.labels is not None
        truth = to_square(entry.labels > 0, _SCORED_SIDE) > 0.5
        difference = found.astype(np.float32) - truth.astype(np.float32)
        caption = (entry.name, entry.source, f"Dice {value:.2f}")
        worst.append(SheetRow(caption, (appearance(entry, _SCORED_SIDE), difference)))
    write_sheet(folder, f"worst {name}", worst, columns)


def appearance(entry: LabelledImage, side: int) -> Float32Map:
    """Its central square, (side, side) in [0, 1]: what networks are given."""
    return to_eight_bits(to_square(entry.pixels, side)).astype(np.float32) / np.float32(255)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--masked", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--pairs", action="append", required=True, metavar="NAME=STORE")
    parser.add_argument("--pairs-limit", type=int, help="most pairs of each store")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="for contact sheets")
    return parser.parse_args()


def main() -> None:
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    masked = [d for folder in arguments.masked for d in read_radiographs(folder, masked=True)]
    stores = dict(named.partition("=")[::2] for named in arguments.pairs)
    samples = {
        name: [to_sample(d) for d in read_pairs(Path(path), limit=arguments.pairs_limit)]
        for name, path in stores.items()
    }
    runs = {name: [group] for name, group in samples.items()}
    if len(samples) > 1:
        runs["mix"] = list(samples.values())
    result: dict[str, object] = {**describe_machine(), "radiographs": len(masked)}
    for name, groups in runs.items():
        segmenter = train(groups, arguments.steps, arguments.seed)
        scores, rows = score(segmenter, masked, arguments.seed)
        result[name] = {
            "pairs": sum(map(len, groups)),
            **{group: rounded(value) for group, value in scores.items()},
        }
        if arguments.sheet:
            show_worst(arguments.sheet, name, rows)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
