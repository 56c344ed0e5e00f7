"""Scores a generator on radiographs it never saw, and draws them.

    python training/assess.py --data DIR --run runs/first-light --out runs/first-light/assessment

Reads what training/first_light.py left in --run. Writes metrics.json and contact sheets.
"""

import argparse
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from first_light import (
    RECIPE,
    is_free_to_use,
    list_radiographs,
    load_grey,
    load_mask,
    load_outliner,
    load_trained,
    shape_radiographs,
    share_of,
)
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from dfsynth.generate import MapBatch, TorchGenerator, resolve_device, resolve_precision
from dfsynth.models import Cascade, gennorm_nll
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png
from dfsynth.simulate import CohortScattering, lung_shape
from dfsynth.train import Radiograph, draw_example

QUANTILES = (0.5, 0.8, 0.9, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", default="gas", help="phase whose weights are scored")
    arguments = parser.parse_args()
    recipe = tomllib.loads(RECIPE.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    device = resolve_device("auto")
    network = load_trained(arguments.run / f"{arguments.weights}.safetensors", recipe)
    generator = TorchGenerator(network, device, resolve_precision("auto", device))
    listed = list_radiographs(arguments.data)
    metrics = {"drawn_lungs": score_drawn_lungs(generator, listed, recipe)}
    outliner = load_outliner(arguments.run / "outline.safetensors", recipe)
    shaped = shape_radiographs(
        [x for x in listed if is_free_to_use(x.licence, recipe)], outliner, recipe
    )
    k = calibrate(generator, [r for share, r in shaped if share == "calibration"], recipe)
    held_back = [r for share, r in shaped if share == "test"]
    metrics["calibration"] = k
    metrics["simulated_test_pairs"] = score_pairs(network, generator, held_back, k, recipe)
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))
    draw_held_back(generator, listed, recipe, arguments.out)


@dataclass(frozen=True, slots=True)
class Pair:
    """A test pair with what the generator says of it."""

    radiograph: Radiograph
    clean: Float32Map
    noisy: Float32Map
    mean: Float32Map
    aleatoric: Float32Map
    epistemic: Float32Map

    @property
    def lung(self) -> NDArray[np.bool_]:
        return self.radiograph.lung > 0.5

    @property
    def total(self) -> Float32Map:
        return np.hypot(self.aleatoric, self.epistemic)


def score_drawn_lungs(generator: TorchGenerator, listed: list, recipe: dict) -> dict:
    """Pixel AUROC of the dark-field value for lungs drawn by people, on unseen radiographs."""
    unseen = [
        x
        for x in listed
        if x.mask
        and (not is_free_to_use(x.licence, recipe) or share_of(x.patient_id, recipe) == "test")
    ]
    rows = []
    for entry in unseen:
        image, content = load_grey(entry.path, recipe["grid"])
        lung = load_mask(entry.mask, recipe["grid"]) > 0
        maps = generator(image[None], [entry.path.name])
        hidden = lung_shape(image, lung).hidden
        counted = np.zeros_like(lung)
        counted[content] = True
        auroc_all = pixel_auroc(maps.mean[0], lung, counted)
        auroc = pixel_auroc(maps.mean[0], lung, counted & ~hidden)
        found = maps.lung[0] > 0.5
        dice = 2 * (found & lung).sum() / max(found.sum() + lung.sum(), 1)
        rows.append((entry.path.name.split("_")[0], auroc, auroc_all, float(dice)))
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


def pixel_auroc(
    values: Float32Map, positive: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> float:
    """Chance that a pixel of `positive` has a higher value than another counted pixel."""
    ranks = rankdata(values[counted])
    inside = positive[counted]
    n1, n0 = int(inside.sum()), int((~inside).sum())
    return float((ranks[inside].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def draw_pairs(
    generator: TorchGenerator, radiographs: Sequence[Radiograph], recipe: dict, stream: int
) -> list[Pair]:
    """One pair a radiograph, not augmented, with the generator's maps."""
    pairs = []
    for number, radiograph in enumerate(radiographs):
        rng = np.random.default_rng([recipe["seed"], stream, number])
        example = draw_example(radiograph, CohortScattering(), None, IntensityWindow(), rng)
        maps: MapBatch = generator(example.image[None], [f"{stream}-{number}"])
        pairs.append(
            Pair(
                radiograph,
                example.dark_field_clean,
                example.dark_field,
                maps.mean[0],
                maps.aleatoric[0],
                maps.epistemic[0],
            )
        )
    return pairs


def calibrate(
    generator: TorchGenerator, radiographs: Sequence[Radiograph], recipe: dict
) -> dict[str, float]:
    """k for each central interval mean ± k · total standard deviation, over lung pixels."""
    pairs = draw_pairs(generator, radiographs, recipe, 101)
    ratio = np.concatenate([(np.abs(p.noisy - p.mean) / p.total)[p.lung] for p in pairs])
    return {str(q): float(np.quantile(ratio, q)) for q in QUANTILES}


def score_pairs(
    network: Cascade,
    generator: TorchGenerator,
    radiographs: Sequence[Radiograph],
    k: dict[str, float],
    recipe: dict,
) -> dict:
    """Fidelity and honesty inside the lung, against the semi-synthetic truth."""
    pairs = draw_pairs(generator, radiographs, recipe, 102)
    correlation = [float(np.corrcoef(p.mean[p.lung], p.clean[p.lung])[0, 1]) for p in pairs]
    shape = [
        float(np.corrcoef(p.mean[p.lung], p.radiograph.relative_thickness[p.lung])[0, 1])
        for p in pairs
    ]
    error = np.array([np.sqrt(np.mean((p.mean - p.clean)[p.lung] ** 2)) for p in pairs])
    constant = np.array([p.clean[p.lung].std() for p in pairs])
    sigma_pixels = np.concatenate([p.total[p.lung][::37] for p in pairs])
    error_pixels = np.concatenate([np.abs(p.mean - p.noisy)[p.lung][::37] for p in pairs])
    everywhere_sigma = np.concatenate([p.total.ravel()[::97] for p in pairs])
    everywhere_error = np.concatenate([np.abs(p.mean - p.noisy).ravel()[::97] for p in pairs])
    scores = np.array([np.sqrt(np.mean(p.total[p.lung] ** 2)) for p in pairs])
    coverage = {
        q: float(
            np.mean(
                np.concatenate(
                    [(np.abs(p.noisy - p.mean) <= value * p.total)[p.lung] for p in pairs]
                )
            )
        )
        for q, value in k.items()
    }
    return {
        "pairs": len(pairs),
        "pearson_with_clean_in_lung_median": float(np.median(correlation)),
        "pearson_with_thickness_in_lung_median": float(np.median(shape)),
        "rmse_clean_lung_median": float(np.median(error)),
        "rmse_over_own_best_constant_median": float(np.median(error / constant)),
        "coverage_in_lung": coverage,
        "spearman_sigma_error_lung_pixels": float(spearmanr(sigma_pixels, error_pixels)[0]),
        "spearman_sigma_error_all_pixels": float(spearmanr(everywhere_sigma, everywhere_error)[0]),
        "spearman_uncertainty_error_images": float(spearmanr(scores, error)[0]),
        "stages_in_lung": score_stages(network, pairs),
    }


@torch.inference_mode()
def score_stages(network: Cascade, pairs: Sequence[Pair]) -> list[dict[str, float]]:
    """Each stage without dropout, in float32, against the noisy target in the lung."""
    rows = [{"mse": 0.0, "nll": 0.0} for _ in range(network.config.stages)]
    keep_all = torch.ones(1, network.mask_width)
    for pair in pairs:
        lung = torch.from_numpy(pair.lung)[None, None]
        target = torch.from_numpy(pair.noisy)[None, None]
        stages = network(torch.from_numpy(pair.radiograph.image)[None, None], keep_all)
        for row, stage in zip(rows, stages, strict=True):
            nll = gennorm_nll(stage.mean, stage.alpha, stage.beta, target)[lung].mean()
            row["mse"] += float((stage.mean - target)[lung].square().mean()) / len(pairs)
            row["nll"] += float(nll) / len(pairs)
    return rows


def draw_held_back(generator: TorchGenerator, listed: list, recipe: dict, out: Path) -> None:
    """Contact sheets of every held-back radiograph, twelve a sheet."""
    chosen = [x for x in listed if share_of(x.patient_id, recipe) == "test"]
    rows, limits = [], (0.0, 0.25)
    for entry in chosen:
        image, content = load_grey(entry.path, recipe["grid"])
        maps = generator(image[None], [entry.path.name])
        pictures = (image, maps.mean[0], maps.aleatoric[0], maps.epistemic[0])
        rows.append(SheetRow((entry.path.stem,), tuple(p[content] for p in pictures)))
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
