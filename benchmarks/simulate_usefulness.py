"""Does a network that only ever saw simulated pairs find the lungs of real patients?

python benchmarks/simulate_usefulness.py --masked FOLDER [--masked FOLDER]
    --pairs phantom=pairs.zarr --pairs ct=ct.zarr [--sheet FOLDER]

Trains on each store, and on all of them together. No real radiograph is trained on, and none
chooses anything: the options is fixed, and the last average of the weights is the one scored.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from contact import draw_sheet, sheet_path
from intervals import Interval, bootstrap_mean
from machine import describe_machine
from numpy.typing import NDArray
from radiographs import Drawing, read_pairs, read_radiographs, to_eight_bits, to_square

from dfsynth.lung_segmentation.network import LungSegmentationNetwork
from dfsynth.lung_segmentation.samples import LungSample, simulated_sample
from dfsynth.lung_segmentation.training import LungTrainer, LungTrainingOptions
from dfsynth.records import Float32Map

_GRID = 128
_SCORED_SIDE = 256
_WIDTHS = (16, 32, 64, 96)
_BATCH = 8
_RATE = 2e-3
_WORST = 24
_WITH_HEART = frozenset({"hannover"})
"""Whose masks go on behind the heart, where the lung field, as simulated, ends."""


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Twice the overlap over the sum of both areas; 0 where there is nothing at all."""
    return float(2 * (found & truth).sum() / max(int(found.sum() + truth.sum()), 1))


def to_sample(drawing: Drawing) -> LungSample:
    """A simulated image and its lung field; the thickness is no part of this test."""
    assert drawing.labels is not None
    field = to_square(drawing.labels == 1, _GRID) > 0.5
    hidden = to_square(drawing.labels > 0, _GRID) > 0.5
    labels = np.where(field, 1, np.where(hidden, 2, 0)).astype(np.uint8)
    return simulated_sample(_look(drawing, _GRID), labels, np.zeros((_GRID, _GRID), np.float32))


def train(groups: Sequence[Sequence[LungSample]], steps: int, seed: int) -> LungSegmentationNetwork:
    """Trains on as many images of each group, however large it is."""
    trainer = LungTrainer(LungTrainingOptions(_WIDTHS, steps, _BATCH, _RATE, seed))

    def draw(rng: np.random.Generator) -> LungSample:
        group = groups[rng.integers(len(groups))]
        return group[rng.integers(len(group))]

    trainer.run(draw, steps, lambda _step, _loss: None)
    return LungSegmentationNetwork(trainer.averaged, _GRID)


def score(
    segmenter: LungSegmentationNetwork, masked: Sequence[Drawing], seed: int
) -> tuple[dict[str, Interval], list[tuple[float, Drawing, NDArray[np.bool_]]]]:
    """Mean Dice of the lung field by archive and of all outlines that leave the heart out."""
    rows = []
    for drawing in masked:
        assert drawing.labels is not None
        found = segmenter(_look(drawing, _SCORED_SIDE)).field > 0.5
        truth = to_square(drawing.labels > 0, _SCORED_SIDE) > 0.5
        rows.append((dice(found, truth), drawing, found))
    groups = {
        "lung fields": [r for r in rows if r[1].source not in _WITH_HEART],
        **{s: [r for r in rows if r[1].source == s] for s in sorted({d.source for d in masked})},
    }
    scores = {
        name: bootstrap_mean(
            np.array([r[0] for r in group]), [r[1].patient_id for r in group], seed
        )
        for name, group in groups.items()
        if group
    }
    return scores, sorted(rows, key=lambda row: row[0])


def show_worst(path: Path, rows: Sequence[tuple[float, Drawing, NDArray[np.bool_]]]) -> None:
    """The worst of the real radiographs: found in red, drawn by people in green."""
    images = []
    for value, drawing, found in rows[:_WORST]:
        assert drawing.labels is not None
        grey = (_look(drawing, _SCORED_SIDE) * 255).astype(np.uint8)
        image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        truth = to_square(drawing.labels > 0, _SCORED_SIDE) > 0.5
        for mask, colour in ((truth, (0, 255, 0)), (found, (0, 0, 255))):
            edges, _ = cv2.findContours(
                mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            cv2.drawContours(image, edges, -1, colour, 1)
        text = f"{drawing.source} {value:.2f}"
        cv2.putText(image, text, (4, 250), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 255, 255), 1)
        images.append(image)
    thirds = [images[i : i + _WORST // 3] for i in range(0, len(images), _WORST // 3)]
    title = "worst of all: found in red, drawn by people in green"
    titles = [title, *[""] * (len(thirds) - 1)]
    draw_sheet(path, [(t, np.stack(p)) for t, p in zip(titles, thirds, strict=True)])


def _look(drawing: Drawing, side: int) -> Float32Map:
    return to_eight_bits(to_square(drawing.pixels, side)).astype(np.float32) / np.float32(255)


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
            **{group: value.rounded() for group, value in scores.items()},
        }
        if arguments.sheet:
            show_worst(sheet_path(arguments.sheet, f"worst {name}"), rows)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
