"""Scores a generator on lungs that people drew, and draws what it makes of held-back radiographs.

    python training/drawn_lungs.py --data DIR --checkpoint default --out runs/drawn-lungs

DIR as in listed_radiographs.py. The packaged generator was trained on no radiograph that has a
drawn mask; scored are those of them that the lung segmentation network was not trained on either,
which found the lungs of the others. Writes metrics.json and contact sheets.

With --pairs (a store of simulated pairs) it also says how the noise-free truth itself would score,
by the outline that people would draw: an outline leaves out lung behind heart and domes, which does
scatter, so that nobody who is right reaches 1 where that lung counts against.
"""

import argparse
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from listed_radiographs import (
    Listed,
    Metrics,
    Recipe,
    is_free_to_use,
    list_radiographs,
    load_grey,
    load_mask,
    share_of,
)
from numpy.typing import NDArray

import dfsynth
from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.datasets import open_pairs
from dfsynth.inference import MapGenerator
from dfsynth.records import Float32Map
from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png
from dfsynth.score.lung import predicted_lung
from dfsynth.simulation.cxr.thickness import lung_shape
from dfsynth.statistics import auroc, dice

_TRUTH_GRID, _TRUTH_PAIRS = 256, 40
RECIPES = Path(__file__).parent / "recipes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", default="default", help="folder or packaged name")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, help="simulated, whose truth is scored as well")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    listed = list_radiographs(arguments.data)
    metrics = score_checkpoint(arguments.checkpoint, listed, arguments.out)
    if arguments.pairs is not None:
        metrics["truth"] = score_truth(arguments.pairs)
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


def score_checkpoint(checkpoint: str, listed: list[Listed], out: Path) -> Metrics:
    """Figures of each group of radiographs; images into `out`."""
    generator = dfsynth.load_generator(checkpoint)
    grid = read_checkpoint(checkpoint_path(checkpoint)).card.grid[0]
    own, lung = (read_recipe(name) for name in ("mixture", "lung-reader"))
    held_back = [x for x in listed if share_of(x.patient_id, own) == "test"]
    draw_held_back(generator, held_back, grid, out)
    unseen = [
        x
        for x in listed
        if x.mask
        and (not is_free_to_use(x.license, lung) or share_of(x.patient_id, lung) == "test")
    ]
    return score_drawn_lungs(generator, unseen, grid)


def read_recipe(name: str) -> Recipe:
    """A recipe of these scripts."""
    return tomllib.loads((RECIPES / f"{name}.toml").read_text())


def score_drawn_lungs(generator: MapGenerator, listed: list[Listed], grid: int) -> Metrics:
    """Pixel AUROC of the dark-field value for lungs drawn by people."""
    rows = []
    for entry in listed:
        found = score_drawn_lung(generator, entry, grid)
        source = entry.path.name.split("_")[0]
        rows.append((source, found.auroc_of_shown, found.auroc_of_all, found.overlap))
    result = {}
    for group in ["all", *sorted({r[0] for r in rows})]:
        chosen = [r for r in rows if group in ("all", r[0])]
        result[group] = {
            "radiographs": len(chosen),
            "auroc_median": float(np.median([r[1] for r in chosen])),
            "auroc_p10": float(np.percentile([r[1] for r in chosen], 10)),
            "auroc_median_hidden_lung_counted_against": float(np.median([r[2] for r in chosen])),
            "lung_head_dice_mean": float(np.mean([r[3] for r in chosen])),
        }
    return result


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLung:
    """A real radiograph, and what a generator makes of it beside what people drew."""

    shown: tuple[Float32Map, Float32Map, Float32Map]
    """Radiograph, dark-field image and probability of lung less the drawn mask, in the grid."""
    auroc_of_shown: float
    """Of the dark-field value for the drawn lung; pixels that may hide lung do not count."""
    auroc_of_all: float
    overlap: float
    """Dice of the lung output."""
    overlap_of_shown: float
    """The same where no lung may hide: there the lung output is trained to nothing."""


def score_drawn_lung(
    generator: MapGenerator, entry: Listed, grid: int, hidden: NDArray[np.bool_] | None = None
) -> DrawnLung:
    """One radiograph with a drawn mask.

    `hidden` (y, x) is where lung may hide; by the shape of the drawn lungs where it is not given.
    """
    image, content = load_grey(entry.path, grid)
    lung = load_mask(entry, grid) > 0
    maps = generator(image[None], [entry.path.name])
    if maps.lung is None:
        raise SystemExit("the checkpoint has no lung output to compare with drawn lungs")
    if hidden is None:
        hidden = lung_shape(image, lung).hidden
    counted = np.zeros_like(lung)
    counted[content] = True
    values, probability = maps.mean[0], maps.lung[0]
    shown = counted & ~hidden
    found = predicted_lung(probability)
    return DrawnLung(
        (image, values, probability - lung.astype(np.float32)),
        auroc_of_shown=float(auroc(values[shown], lung[shown])),
        auroc_of_all=float(auroc(values[counted], lung[counted])),
        overlap=float(dice(found, lung)),
        overlap_of_shown=float(dice(found & shown, lung & shown)),
    )


def score_truth(pairs: Path) -> Metrics:
    """The same figures of the clean target of up to so many pairs of each origin."""
    source = open_pairs(pairs, None, _TRUTH_GRID, (0.0, 1.0))
    found: dict[str, list[tuple[float, float]]] = {}
    for index, row in enumerate(source.rows):
        rows = found.setdefault(str(row.origin), [])
        if len(rows) == _TRUTH_PAIRS:
            continue
        pair = source.read(index)
        if pair.clean is None or pair.lung is None or pair.lung_weight is None:
            raise SystemExit(f"{pairs}: {row.key} has no truth; expected simulated pairs")
        lung, counted = pair.lung > 0, np.zeros(pair.image.shape, np.bool_)
        counted[pair.content] = True
        if lung.any():
            outside = counted & (pair.lung_weight > 0)
            of_shown, of_all = (auroc(pair.clean[p], lung[p]) for p in (outside, counted))
            rows.append((of_shown, of_all))
    return {
        origin: {
            "pairs": len(rows),
            "auroc_median": float(np.median([r[0] for r in rows])),
            "auroc_median_hidden_lung_counted_against": float(np.median([r[1] for r in rows])),
            "auroc_p10_hidden_lung_counted_against": float(np.percentile([r[1] for r in rows], 10)),
        }
        for origin, rows in found.items()
    }


def draw_held_back(generator: MapGenerator, listed: list[Listed], grid: int, out: Path) -> None:
    """Contact sheets of all of them, twelve a sheet."""
    rows, limits = [], (0.0, 0.25)
    for entry in listed:
        image, content = load_grey(entry.path, grid)
        maps = generator(image[None], [entry.path.name])
        shown = (image, maps.mean[0], maps.aleatoric[0], maps.epistemic[0])
        rows.append(SheetRow((entry.path.stem,), tuple(p[content] for p in shown)))
    columns = [
        SheetColumn("attenuation", "grey value", "gray", 0.0, 1.0),
        SheetColumn("dark-field", "1", "gray", 0.0, 0.8),
        SheetColumn("aleatoric", "1", "viridis", *limits),
        SheetColumn("epistemic", "1", "inferno", 0.0, 0.1),
    ]
    for start in range(0, len(rows), 12):
        sheet = contact_sheet(
            rows[start : start + 12],
            columns,
            title=f"held-back radiographs {start + 1} to {min(start + 12, len(rows))}",
            footer="Synthetic dark-field images, not for diagnosis.",
        )
        (out / f"held-back-{start // 12 + 1}.png").write_bytes(encode_png(sheet))


if __name__ == "__main__":
    main()
