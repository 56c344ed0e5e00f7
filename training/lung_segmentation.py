"""Trains, scores and packages the lung segmentation network.

    python training/lung_segmentation.py --data DIR --pairs pairs.zarr --out runs/lung-reader \\
        --package dfsynth/data/checkpoints/lung-reader

DIR holds `cxr/` and `cxr-masks/` with their `labels.csv`; each --pairs is a store that
`dfsynth simulate` made. The same command goes on where a stopped run left off. What has no
licence that the recipe names is never trained on.
"""

import argparse
import json
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import torch
import zarr
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
from safetensors.torch import load_file, save_file

from dfsynth.devices import resolve_precision
from dfsynth.lung_segmentation import (
    NETWORK_NAME,
    OUTPUT_CHANNELS,
    LungNetworkCard,
    LungSample,
    LungSegmentationNetwork,
    LungSegmenter,
    LungTrainer,
    LungTrainingOptions,
    NotAChestRadiograph,
    is_plausible,
    locate_lungs,
    lung_field_sample,
    pseudo_labelled_sample,
    save_lung_network,
    simulated_sample,
    whole_lung_sample,
)
from dfsynth.models.unet import UNet
from dfsynth.records import Float32Map
from dfsynth.resources import data_folder
from dfsynth.statistics import dice

RECIPE = Path(__file__).parent / "recipes" / "lung-reader.toml"
SIMULATED = "made by dfsynth"
MOST_BYTES = 8_000_000
SAVE_EVERY = 100
SCORED_GRID = 256
INTENDED_USE = (
    "Finding lungs in frontal chest radiographs and estimating their thickness along the beam, to "
    "draw synthetic dark-field images over them. For research and software testing; not for "
    "diagnosis."
)
LIMITS = (
    "The thickness was learned from simulated bodies alone and never compared with measured ones; "
    "a radiograph does not tell the size of the patient. Lateral views, children and other body "
    "parts give meaningless maps, which are refused only where they look implausible."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A simulated radiograph with its truth, in the recipe's grid."""

    patient_id: str
    origin: str
    license: str
    share: str
    attenuation: Float32Map
    labels: NDArray[np.uint8]
    thickness_mm: Float32Map

    def sample(self) -> LungSample:
        return simulated_sample(self.attenuation, self.labels, self.thickness_mm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--package", type=Path, help="folder of the packaged checkpoint")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    arguments = parser.parse_args()
    recipe = tomllib.loads(arguments.recipe.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    listed = list_radiographs(arguments.data)
    pairs = [p for store in arguments.pairs for p in read_pairs(store, recipe)]
    trainer = train(arguments.out, listed, pairs, recipe)
    segmenter = LungSegmentationNetwork(trainer.averaged, recipe["grid"])
    metrics = score_masks(segmenter, listed, recipe)
    metrics |= score_pairs(segmenter, [p for p in pairs if p.share == "test"])
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))
    if arguments.package:
        package(arguments.package, trainer, listed, pairs, recipe, metrics)


def read_pairs(store: Path, recipe: Recipe) -> list[Pair]:
    """The pairs of a store; the shares are the store's own, else by patient."""
    arrays = zarr.open_group(store, mode="r")
    names = ("attenuation", "lung_mask", "lung_thickness_mm")
    found = []
    for line in pq.read_table(store / "manifest").sort_by("row").to_pylist():
        if line["status"] != "ok":
            continue
        licence = SIMULATED if line["origin"] == "phantom" else line["license"]
        attenuation, labels, thickness = (np.asarray(arrays[n][line["row"]]) for n in names)
        found.append(
            Pair(
                line["patient_id"],
                line["origin"],
                licence,
                line.get("split") or share_of(line["patient_id"], recipe),
                shrunk(attenuation, recipe["grid"]),
                shrunk_labels(labels, recipe["grid"]),
                shrunk(thickness, recipe["grid"]),
            )
        )
    return found


def shrunk(values: NDArray[np.generic], grid: int) -> Float32Map:
    size = (grid, grid)
    small = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def shrunk_labels(labels: NDArray[np.uint8], grid: int) -> NDArray[np.uint8]:
    field, any_lung = shrunk(labels == 1, grid) > 0.5, shrunk(labels > 0, grid) > 0.5
    return np.where(field, 1, np.where(any_lung, 2, 0)).astype(np.uint8)


def may_train(licence: str, recipe: Recipe) -> bool:
    return licence == SIMULATED or is_free_to_use(licence, recipe)


def drawn_whole(entry: Listed) -> bool:
    """Whether the mask covers the lung behind the heart too, as those over Hannover's do."""
    return "Hannover" in entry.source


def training_masks(listed: list[Listed], recipe: Recipe) -> list[Listed]:
    return [
        x
        for x in listed
        if x.mask
        and is_free_to_use(x.license, recipe)
        and share_of(x.patient_id, recipe) == "train"
    ]


def training_others(listed: list[Listed], recipe: Recipe) -> list[Listed]:
    """Radiographs without masks; the samples of the package stay unseen."""
    samples = {path.name for path in data_folder("samples").glob("*.png")}
    return [
        x
        for x in listed
        if not x.mask
        and x.path.name not in samples
        and is_free_to_use(x.license, recipe)
        and share_of(x.patient_id, recipe) == "train"
    ]


def training_pairs(pairs: list[Pair], recipe: Recipe) -> list[Pair]:
    return [p for p in pairs if p.share == "train" and may_train(p.license, recipe)]


def train(out: Path, listed: list[Listed], pairs: list[Pair], recipe: Recipe) -> LungTrainer:
    """Runs to the end, from the last state in `out` if there is one."""
    options = LungTrainingOptions(
        widths=tuple(recipe["widths"]),
        steps=recipe["steps"],
        batch=recipe["batch"],
        learning_rate=recipe["learning_rate"],
        seed=recipe["seed"],
        non_radiograph_share=recipe["nonsense_share"],
        corrupted_share=recipe["spoilt_share"],
        dropout=recipe["dropout"],
        ema_decay=recipe["ema_decay"],
    )
    precision = resolve_precision("auto", torch.device("cpu"))
    trainer = LungTrainer(options, torch.bfloat16 if precision == "bf16" else None)
    state = out / "last.safetensors"
    if state.exists():
        trainer.restore(load_file(state))
        print(f"going on from step {trainer.step}")
    sources = {
        "drawn": [masked_sample(x, recipe) for x in training_masks(listed, recipe)],
        "simulated": [p.sample() for p in training_pairs(pairs, recipe)],
    }
    log, started = open_log(out / "metrics.jsonl"), time.monotonic()
    while trainer.step < options.steps:
        if trainer.step >= recipe["own_after"] and "own" not in sources:
            sources["own"] = pseudo_labelled_samples(out, trainer, listed, recipe)
        print({name: len(samples) for name, samples in sources.items()})
        # A part ends where a state is saved or where another source comes in.
        ends = [trainer.step + SAVE_EVERY, options.steps, recipe["own_after"]]
        upto = min(step for step in ends if step > trainer.step)
        draw = draw_from(sources, recipe["sources"])
        trainer.run(draw, upto, lambda step, loss: log("lung", step - 1, loss))
        save_file(trainer.state(), out / "next.safetensors")
        (out / "next.safetensors").replace(state)
    print(f"trained in {time.monotonic() - started:.0f} s")
    return trainer


def masked_sample(entry: Listed, recipe: Recipe) -> LungSample:
    image, _ = load_grey(entry.path, recipe["grid"])
    mask = load_mask(entry, recipe["grid"]) > 0
    return (whole_lung_sample if drawn_whole(entry) else lung_field_sample)(image, mask)


def pseudo_labelled_samples(
    out: Path, trainer: LungTrainer, listed: list[Listed], recipe: Recipe
) -> list[LungSample]:
    """Radiographs without masks, labelled by the network as it was at `own_after`."""
    path = out / "first.safetensors"
    if not path.exists():
        save_file(trainer.averaged.state_dict(), path)
    network = UNet(1, OUTPUT_CHANNELS, recipe["widths"])
    network.load_state_dict(load_file(path))
    segmenter = LungSegmentationNetwork(network.eval(), recipe["grid"])
    samples = []
    for entry in training_others(listed, recipe):
        image, content = load_grey(entry.path, recipe["grid"])
        prediction = segmenter(image)
        try:
            regions = locate_lungs(image, prediction, content)
        except NotAChestRadiograph:
            continue
        # Stricter than use is: a mistake that it is trained on stays.
        if is_plausible(regions.field, prediction.field):
            samples.append(pseudo_labelled_sample(image, prediction, regions))
    return samples


def draw_from(
    sources: dict[str, list[LungSample]], shares: dict[str, float]
) -> Callable[[np.random.Generator], LungSample]:
    """Picks a source by its share among those that there are, then one of its samples."""
    names = [name for name, samples in sources.items() if samples]
    weights = np.array([shares[name] for name in names])

    def draw(rng: np.random.Generator) -> LungSample:
        samples = sources[str(rng.choice(names, p=weights / weights.sum()))]
        return samples[rng.integers(len(samples))]

    return draw


def score_masks(segmenter: LungSegmenter, listed: list[Listed], recipe: Recipe) -> Metrics:
    """Dice with masks that people drew, over radiographs that were never trained on."""
    trained = {x.path for x in training_masks(listed, recipe)}
    rows: dict[str, list[tuple[float, float]]] = {}
    refused: Counter[str] = Counter()
    for entry in listed:
        if entry.path in trained or not entry.mask:
            continue
        name = entry.path.name.split("_")[0]
        image, content = load_grey(entry.path, SCORED_GRID)
        mask = load_mask(entry, SCORED_GRID) > 0
        prediction = segmenter(image)
        found = (prediction.any_lung if drawn_whole(entry) else prediction.field) > 0.5
        recall = float((found & mask).sum() / mask.sum())
        rows.setdefault(name, []).append((dice(found, mask), recall))
        try:
            locate_lungs(image, prediction, content)
        except NotAChestRadiograph:
            refused[name] += 1
    return {
        f"dice_{name}": {
            "radiographs": len(values),
            "mean": float(np.mean(values, axis=0)[0]),
            "p10": float(np.percentile(values, 10, axis=0)[0]),
            "recall": float(np.mean(values, axis=0)[1]),
            "refused": refused[name],
        }
        for name, values in sorted(rows.items())
    }


def score_pairs(segmenter: LungSegmenter, pairs: list[Pair]) -> Metrics:
    """Regions and thickness on simulated pairs of held-back patients."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for pair in pairs:
        truth = pair.sample()
        prediction = segmenter(truth.image)
        lung = truth.any_lung > 0.5
        error = (prediction.thickness_mm - truth.thickness_mm)[lung]
        ratio = prediction.thickness_mm[lung].mean() / max(truth.thickness_mm[lung].mean(), 1)
        rows.setdefault(pair.origin, []).append(
            (
                dice(prediction.field > 0.5, truth.field > 0.5),
                dice(prediction.any_lung > 0.5, lung),
                float(np.abs(error).mean()),
                pearson(prediction.thickness_mm, truth.thickness_mm, lung),
                float(np.log(ratio)),
            )
        )
    result = {}
    for origin, values in sorted(rows.items()):
        field, any_lung, error, correlation, ratio = np.array(values).T
        result[f"pairs_{origin}"] = {
            "pairs": len(values),
            "dice_field": float(field.mean()),
            "dice_any_lung": float(any_lung.mean()),
            "thickness_error_mm": float(error.mean()),
            "thickness_correlation": float(np.median(correlation)),
            "log_depth_bias": float(ratio.mean()),
            "log_depth_sd": float(ratio.std()),
        }
    return result


def pearson(a: Float32Map, b: Float32Map, where: NDArray[np.bool_]) -> float:
    return float(np.corrcoef(a[where], b[where])[0, 1])


def package(
    folder: Path,
    trainer: LungTrainer,
    listed: list[Listed],
    pairs: list[Pair],
    recipe: Recipe,
    metrics: Metrics,
) -> None:
    """Writes the checkpoint with its card."""
    used = Counter((x.source, x.license) for x in training_masks(listed, recipe))
    used.update((x.source, x.license) for x in training_others(listed, recipe))
    whole = sum(drawn_whole(x) for x in training_masks(listed, recipe))
    used["V7 Labs COVID-19 X-ray lung masks", "CC BY 4.0"] = whole
    for pair in training_pairs(pairs, recipe):
        name = f"simulated pairs, origin {pair.origin}"
        name += "" if pair.origin == "phantom" else f", of {pair.patient_id}"
        used[name, pair.license] += 1
    card = LungNetworkCard(
        name=NETWORK_NAME,
        widths=tuple(recipe["widths"]),
        side=recipe["grid"],
        license="Apache-2.0",
        intended_use=INTENDED_USE,
        limits=LIMITS,
        training_data=tuple(
            {"name": name, "licence": licence, "images": str(count)}
            for (name, licence), count in sorted(used.items())
            if count
        ),
        recipe=recipe,
        metrics=metrics,
    )
    save_lung_network(folder, trainer.averaged, card)
    size = sum(p.stat().st_size for p in folder.iterdir())
    if size > MOST_BYTES:
        raise SystemExit(
            f"{size} bytes; a packaged lung segmentation network has at most {MOST_BYTES}"
        )
    print(f"{folder}: {size / 1e6:.1f} MB")


def open_log(path: Path) -> Callable[[str, int, float], None]:
    """A logger of losses, to `path` as JSON lines and every 50 steps to the terminal."""
    started = time.monotonic()
    recent: list[float] = []

    def log(phase: str, step: int, loss: float) -> None:
        recent.append(loss)
        if (step + 1) % 50 == 0:
            seconds = time.monotonic() - started
            mean = float(np.mean(recent[-50:]))
            with path.open("a") as file:
                file.write(json.dumps({"phase": phase, "step": step + 1, "loss": mean}) + "\n")
            print(f"{seconds:7.0f} s  {phase}  step {step + 1}  loss {mean:.4f}", flush=True)

    return log


if __name__ == "__main__":
    main()
