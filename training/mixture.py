"""Makes a checkpoint from the simulator's mixture: pairs → training → evaluation → folder.

    python training/mixture.py --data DIR --out runs/mixture --package FOLDER

DIR as in listed_radiographs.py, and `ct/` with volumes. Trained on are phantoms, and volumes and
radiographs whose licence the recipe names as free; one volume, all radiographs with a drawn lung
mask, and the test patients are left out and scored. Every step keeps its result in --out, so that
the same command goes on.
"""

import argparse
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from drawn_lungs import RECIPES, read_recipe, score_checkpoint
from evaluated_lungs import lung_rows
from joined_pairs import JoinedPairs
from listed_radiographs import Listed, Metrics, Recipe, is_free_to_use, list_radiographs, share_of
from packaged_checkpoint import require_free, write_package
from trust_heads import train_heads

import dfsynth
from dfsynth.checkpoint import CARD, SCORES, ModelCard, read_checkpoint
from dfsynth.datasets import indices_in, open_pairs
from dfsynth.devices import resolve_precision
from dfsynth.extras import load_evaluation
from dfsynth.inference import (
    CascadeGenerator,
    join_members,
    load_map_generator,
    load_network,
    save_checkpoint,
)
from dfsynth.models import Members
from dfsynth.progress import Silent
from dfsynth.records import MONTE_CARLO_MODES
from dfsynth.trust import decode_heads

MOST_BYTES = 16_000_000
_SPREAD_PAIRS = 40
LIMITS = (
    "Trained on simulated and semi-synthetic pairs, never on measured dark-field images. It knows "
    "where lung is and roughly how thick and how aerated it looks; it cannot know a patient's own "
    "dark-field coefficient. Lateral views and other body parts give meaningless maps, which the "
    "score of the unusual tells; radiographs of children look usual to it. Bounds and promises "
    "hold for simulated patients like those of the calibration: on a volume left out, too few."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="mixture", help="of these in training/recipes")
    parser.add_argument("--package", type=Path, help="folder of the packaged checkpoint")
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    listed = list_radiographs(arguments.data)
    inputs = arguments.out / "inputs"
    copy_volumes(arguments.data / "ct", inputs, recipe)
    radiographs = copy_radiographs(listed, recipe, inputs / "cxr")
    pairs, unseen = arguments.out / "pairs.zarr", arguments.out / "left-out.zarr"
    dfsynth.simulate_pairs(
        pairs,
        recipe["pairs"],
        size=recipe["grid"],
        origin="mixed",
        ct=inputs / "ct",
        cxr=radiographs,
        seed=1,
    )
    dfsynth.simulate_pairs(
        unseen,
        recipe["left_out_pairs"],
        size=recipe["grid"],
        origin="ct",
        ct=inputs / "left-out",
        seed=2,
    )
    more = arguments.out / "more.zarr"
    dfsynth.simulate_pairs(more, recipe["more_pairs"], size=recipe["grid"], seed=3)
    members = [train(recipe["steps"], pairs, arguments.out, m) for m in range(recipe["members"])]
    best = join(members, pairs, arguments.out)
    calibrate_intervals(best, pairs, more)
    trust = train_heads(best, arguments.data, pairs, more, unseen, arguments.out / "heads")
    metrics = evaluate(best, pairs, unseen, listed, arguments.out) | {"trust": trust}
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))
    if arguments.package is not None:
        package(best, metrics, recipe, arguments.package)


def train(steps: list[str], pairs: Path, out: Path, member: int) -> Path:
    """Trains a member, recipe after recipe, each from the checkpoint before it → the last one."""
    best: Path | None = None
    for name in steps:
        start = None if best is None else str(best)
        best = dfsynth.train_generator(
            RECIPES / f"{name}.toml",
            pairs,
            out / f"{name}-{member}",
            start_from=start,
            member=member,
        ).best
    if best is None:
        raise SystemExit("the recipe names no steps to train")
    return best


def join(members: list[Path], pairs: Path, out: Path) -> Path:
    """The members in one checkpoint, its intervals calibrated and its fast mode scaled."""
    joined = out / "joined"
    if not (joined / CARD).exists():
        network, card = join_members("mixture-members", [read_checkpoint(m) for m in members])
        assert isinstance(network, Members)
        config = replace(network.config, fast_spread=fast_spread(network, card, pairs))
        network.config = config
        with torch.inference_mode():
            save_checkpoint(joined, network, replace(card, arguments=config))
    return joined


def calibrate_intervals(joined: Path, pairs: Path, more: Path) -> None:
    """Interval factors from the calibration patients of the pairs and from all of `more`.

    Those of `more`, which no network was trained on, make four times as many patients.
    """
    files = read_checkpoint(joined)
    card = files.card
    if card.calibration:
        return
    sources = [
        open_pairs(p, None, card.grid[0], card.window, card.intensity) for p in (pairs, more)
    ]
    both = JoinedPairs(sources)
    chosen = [*indices_in(sources[0], "calibration"), *range(len(sources[0].rows), len(both.rows))]
    cpu = torch.device("cpu")
    generator = load_map_generator(files, cpu, resolve_precision("auto", cpu), 20)
    found = load_evaluation().calibrate(generator, both, chosen, Silent())
    with torch.inference_mode():
        calibrated = replace(card, calibration=dict(found.stages[-1]))
        save_checkpoint(joined, load_network(files), calibrated)


def fast_spread(network: Members, card: ModelCard, pairs: Path) -> float:
    """Mean epistemic deviation of dropout samples over that of single passes."""
    source = open_pairs(pairs, None, card.grid[0], card.window, card.intensity)
    chosen = indices_in(source, "calibration")
    found = []
    for mode in MONTE_CARLO_MODES:
        generator = CascadeGenerator(network.cascades(), torch.device("cpu"), "fp32", mc=mode)
        maps = [
            generator(source.read(i).image[None], [source.rows[i].key]).epistemic.mean()
            for i in chosen[:: max(len(chosen) // _SPREAD_PAIRS, 1)]
        ]
        found.append(float(np.mean(maps)))
    return found[0] / found[1]


def copy_volumes(ct: Path, inputs: Path, recipe: Recipe) -> None:
    """The free volumes into `ct/`, the one of the test into `left-out/`, with their licences."""
    for name in recipe["volumes"]:
        folder = inputs / ("left-out" if name == recipe["left_out"] else "ct")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            shutil.copy2(ct / name, folder)
    for folder in (inputs / "ct", inputs / "left-out"):
        rows = [[name, lic] for name, lic in recipe["volumes"].items() if (folder / name).exists()]
        write_table(folder / "licenses.csv", ["file", "license"], rows)


def copy_radiographs(listed: list[Listed], recipe: Recipe, folder: Path) -> Path:
    """A table of the free, well segmented radiographs without a drawn mask that are for no test.

    In an order that mixes the collections: the simulator takes radiographs from the table's start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [
        x
        for x in listed
        if is_free_to_use(x.license, recipe)
        and x.mask is None
        and x.path.name not in recipe["misread"]
        and share_of(x.patient_id, recipe) != "test"
    ]
    chosen.sort(key=lambda x: hashlib.sha256(x.path.name.encode()).digest())
    for entry in chosen:
        if not (folder / entry.path.name).exists():
            shutil.copy2(entry.path, folder)
    write_table(
        folder / "licenses.csv", ["file", "license"], [[x.path.name, x.license] for x in chosen]
    )
    table = folder / "radiographs.csv"
    write_table(table, ["path", "patient_id"], [[x.path.name, x.patient_id] for x in chosen])
    return table


def write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """A CSV file, left alone where it is the same already: its time counts as the input's."""
    text = "".join(_line(row) for row in [header, *rows])
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _line(row: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"


def evaluate(best: Path, pairs: Path, unseen: Path, listed: list[Listed], out: Path) -> Metrics:
    """Lungs drawn by people, test patients of the mixture, and the volume that was left out."""
    score_pairs(best, pairs, "test", out / "evaluation")
    score_pairs(best, unseen, "all", out / "left-out-evaluation")
    return {
        "drawn_lungs": score_checkpoint(str(best), listed, out),
        "test_patients": summary(out / "evaluation"),
        "left_out_volume": {
            **summary(out / "left-out-evaluation"),
            "error_over_best_constant": error_over_constant(best, unseen, out),
        },
    }


def score_pairs(best: Path, pairs: Path, split: str, folder: Path) -> None:
    """Evaluates once, by the intervals that the checkpoint ships."""
    done = folder / "metrics.json"
    sha256 = read_checkpoint(best).sha256
    if not done.exists() or json.loads(done.read_text())["checkpoint_sha256"] != sha256:
        dfsynth.evaluate_checkpoint(best, pairs, split=split, calibration="card", out=folder)


def summary(folder: Path) -> Metrics:
    """The last stage's figures in the lung, and the oracle's figures of trust beside them."""
    scores = json.loads((folder / "metrics.json").read_text())
    lung = scores["stages"][-1]["lung"]
    shown = ("mae", "mse", "pearson", "nll", "crps", "coverage", "spearman", "spearman_pixels")
    trust = ("spearman", "spearman_pixels", "ause")
    coverage = [float(row["coverage_90"]) for row in lung_rows(folder, "noisy").values()]
    return {
        "images": scores["images"],
        "noisy_coverage_of_images": {
            "median": float(np.median(coverage)),
            "p5": float(np.percentile(coverage, 5)),
        },
        **{
            f"{target}_{name}": lung[target][name]
            for target in ("clean", "noisy")
            for name in shown
        },
        **{f"oracle_{name}": lung["oracle"][name] for name in trust},
    }


def error_over_constant(best: Path, unseen: Path, out: Path) -> float:
    """Median root mean square error in the lung over that of each pair's best constant."""
    card = read_checkpoint(best).card
    source = open_pairs(unseen, None, card.grid[0], card.window)
    constant = {}
    for number, row in enumerate(source.rows):
        pair = source.read(number)
        if pair.clean is not None and pair.lung is not None and pair.lung.any():
            constant[row.key] = float(pair.clean[pair.lung > 0].std())
    rows = lung_rows(out / "left-out-evaluation", "clean")
    ratios = [float(row["mse"]) ** 0.5 / constant[key] for key, row in rows.items()]
    return float(np.median(ratios))


def package(best: Path, metrics: Metrics, recipe: Recipe, folder: Path) -> None:
    """The checkpoint with its scores; refuses what is too large or not known to be free."""
    files = read_checkpoint(best)
    data = (*files.card.training_data, *recipe["heads_data"])
    for entry in data:
        licence = entry["licence"]
        free = licence in ("none", *recipe["volumes"].values()) or is_free_to_use(licence, recipe)
        require_free(licence, free)
    card = replace(
        files.card, license="Apache-2.0", limits=LIMITS, metrics=metrics, training_data=data
    )
    if files.scores is None:
        raise SystemExit(f"{best} has no heads for trust; they are trained before it is packaged")
    heads = decode_heads(files.scores, str(best / SCORES))
    write_package(folder, files, card, MOST_BYTES, heads)


if __name__ == "__main__":
    main()
