"""Makes a checkpoint from the simulator's mixture: pairs → training → evaluation → folder.

    python training/mixture.py --data DIR --out runs/mixture --package FOLDER

DIR holds `cxr/` and `cxr-masks/` with their `labels.csv`, and `ct/` with volumes. Trained on are
phantoms, and volumes and radiographs whose licence is named as free; one volume, all radiographs
with a drawn lung mask, and the test patients are left out and scored. Every step keeps its result
in --out, so that the same command goes on.
"""

import argparse
import csv
import json
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from assess import score_drawn_lungs
from first_light import RECIPE, Listed, is_free_to_use, list_radiographs, share_of

import dfsynth
from dfsynth.checkpoint import WEIGHTS, read_checkpoint
from dfsynth.generate import load_network, save_checkpoint
from dfsynth.pairs import open_pairs

CT_LICENCES = {
    "lung_dx_a0001_l.nii.gz": "CC BY 4.0",
    "lidc_idri_0001.nii.gz": "CC BY 3.0",
    "cmb_crc_msb01068.nii.gz": "CC BY 4.0",
}
"""Free volumes; what is not named here is not used."""
MOST_BYTES = 16_000_000
LIMITS = (
    "Trained on simulated and semi-synthetic pairs, never on measured dark-field images. It knows "
    "where lung is and roughly how thick and how aerated it looks; it cannot know a patient's own "
    "dark-field coefficient. Lateral views, children and other body parts give meaningless maps."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="compact-256")
    parser.add_argument("--pairs", type=int, default=1200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--left-out", default="cmb_crc_msb01068.nii.gz", help="volume of the test")
    parser.add_argument("--left-out-pairs", type=int, default=40)
    parser.add_argument("--package", type=Path, help="folder of the packaged checkpoint")
    arguments = parser.parse_args()
    licences = tomllib.loads(RECIPE.read_text())
    listed = list_radiographs(arguments.data)
    inputs = arguments.out / "inputs"
    copy_volumes(arguments.data / "ct", inputs, arguments.left_out)
    radiographs = copy_radiographs(listed, licences, inputs / "cxr")
    pairs, unseen = arguments.out / "pairs.zarr", arguments.out / "left-out.zarr"
    dfsynth.simulate_pairs(
        pairs,
        arguments.pairs,
        size=arguments.size,
        origin="mixed",
        ct=inputs / "ct",
        cxr=radiographs,
        seed=1,
    )
    dfsynth.simulate_pairs(
        unseen,
        arguments.left_out_pairs,
        size=arguments.size,
        origin="ct",
        ct=inputs / "left-out",
        seed=2,
    )
    report = dfsynth.train_generator(arguments.recipe, pairs, arguments.out / "train")
    metrics = evaluate(report.best, pairs, unseen, listed, licences, arguments.out)
    (arguments.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))
    if arguments.package is not None:
        package(report.best, metrics, licences, arguments.package)


def copy_volumes(ct: Path, inputs: Path, left_out: str) -> None:
    """The free volumes into `ct/`, the one of the test into `left-out/`, with their licences."""
    for name in CT_LICENCES:
        folder = inputs / ("left-out" if name == left_out else "ct")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            shutil.copy2(ct / name, folder)
    for folder in (inputs / "ct", inputs / "left-out"):
        rows = [[name, lic] for name, lic in CT_LICENCES.items() if (folder / name).exists()]
        write_table(folder / "licenses.csv", ["file", "license"], rows)


def copy_radiographs(listed: list[Listed], licences: dict, folder: Path) -> Path:
    """A table of the free radiographs without a drawn mask whose patients are no test patients."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [
        x
        for x in listed
        if is_free_to_use(x.licence, licences)
        and x.mask is None
        and share_of(x.patient_id, licences) != "test"
    ]
    for entry in chosen:
        if not (folder / entry.path.name).exists():
            shutil.copy2(entry.path, folder)
    write_table(
        folder / "licenses.csv", ["file", "license"], [[x.path.name, x.licence] for x in chosen]
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


def evaluate(
    best: Path, pairs: Path, unseen: Path, listed: list[Listed], licences: dict, out: Path
) -> dict:
    """Lungs drawn by people, test patients of the mixture, and the volume that was left out."""
    dfsynth.evaluate_checkpoint(best, pairs, out=out / "evaluation")
    dfsynth.evaluate_checkpoint(
        best, unseen, split="all", calibration="card", out=out / "left-out-evaluation"
    )
    generator = dfsynth.load_generator(str(best))
    card = read_checkpoint(best).card
    return {
        "drawn_lungs": score_drawn_lungs(generator, listed, licences | {"grid": card.grid[0]}),
        "test_patients": summary(out / "evaluation"),
        "left_out_volume": {
            **summary(out / "left-out-evaluation"),
            "error_over_best_constant": error_over_constant(best, unseen, out),
        },
    }


def summary(folder: Path) -> dict:
    """The last stage's figures in the lung."""
    scores = json.loads((folder / "metrics.json").read_text())
    lung = scores["stages"][-1]["lung"]
    shown = ("mae", "mse", "pearson", "nll", "crps", "coverage", "spearman", "spearman_pixels")
    return {
        "images": scores["images"],
        **{
            f"{target}_{name}": lung[target][name]
            for target in ("clean", "noisy")
            for name in shown
        },
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
    with (out / "left-out-evaluation" / "images.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    last = max(int(r["stage"]) for r in rows)
    ratios = [
        float(r["mse"]) ** 0.5 / constant[r["key"]]
        for r in rows
        if int(r["stage"]) == last and (r["region"], r["target"]) == ("lung", "clean")
    ]
    return float(np.median(ratios))


def package(best: Path, metrics: dict, licences: dict, folder: Path) -> None:
    """The checkpoint with its scores; refuses what is too large or not known to be free."""
    files = read_checkpoint(best)
    for entry in files.card.training_data:
        licence = entry["licence"]
        if licence not in ("none", *CT_LICENCES.values()) and not is_free_to_use(licence, licences):
            raise SystemExit(
                f"{licence!r} is not known to be free; it cannot be in packaged weights"
            )
    card = replace(files.card, licence="Apache-2.0", limits=LIMITS, metrics=metrics)
    with torch.inference_mode():
        save_checkpoint(folder, load_network(files), card)
    size = (folder / WEIGHTS).stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{size} bytes of weights; a packaged checkpoint has at most {MOST_BYTES}")
    print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
