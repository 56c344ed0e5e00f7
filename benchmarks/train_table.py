"""The published idea against its baselines on the same pairs; may be killed, and goes on.

    python benchmarks/train_table.py --pairs pairs.zarr --out runs/table [--size 128] [--steps 2400]

Every configuration gets the same pairs, the same number of updates, about as many parameters, and
the same search over learning rates, each tried with a quarter of the steps and judged by the
validation loss; then --seeds trainings at the best rate, evaluated on the test patients. Prints
the table as Markdown, with paired differences from the first row; what was not run says so. A
budget (--minutes) ends the command after the training in hand; run it again to go on.
"""

import argparse
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from intervals import Interval, bootstrap_mean
from machine import describe_machine

import dfsynth

_SHORT = 0.25
_NARROW, _WIDE = (16, 32, 64, 96), (24, 56, 112, 168)
"""Three narrow stages have about as many parameters as one wide stage."""
_SHOWN = {"mae": "lung MAE, clean", "nll": "lung NLL", "crps": "lung CRPS"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A row of the table: what differs from the others."""

    name: str
    network: str
    loss: str
    progressive: bool


CONFIGURATIONS = (
    Configuration("cascade", 'stages = 3\nguidance = "attention"', "", True),
    Configuration("cascade, no guidance", 'stages = 3\nguidance = "none"', "", True),
    Configuration("cascade, concat", 'stages = 3\nguidance = "concat"', "", True),
    Configuration("one stage, wide", "stages = 1", "", False),
    Configuration(
        "U-Net, L1", 'stages = 1\nlikelihood = "point"', "adversarial = 0.0\nresidual = 0.0", False
    ),
    Configuration(
        "pix2pix",
        'stages = 1\nlikelihood = "point"',
        "adversarial = 0.01\nconditional = true\nresidual = 0.0",
        False,
    ),
)


def write_recipe(
    path: Path, configuration: Configuration, size: int, steps: int, rate: float, seed: int
) -> None:
    """The configuration as a recipe of `dfsynth train`."""
    widths = list(_NARROW if configuration.progressive else _WIDE)
    shares = [("stage-1", [1], 0.5, 1.0), ("stage-2", [2], 0.2, 0.5), ("stage-3", [3], 0.15, 0.5)]
    shares = [*shares, ("joint", [1, 2, 3], 0.15, 0.1)]
    if not configuration.progressive:
        shares = [("only", [1], 1.0, 1.0)]
    phases = "".join(
        f'[[phase]]\nname = "{name}"\nstages = {stages}\nsteps = {max(round(share * steps), 1)}\n'
        f"learning_rate = {rate * factor}\n"
        for name, stages, share, factor in shares
    )
    every = max(steps // 8, 1)
    path.write_text(
        f'name = "{configuration.name}"\nsize = {size}\nbatch = 8\nseed = {seed}\n'
        f"window = [0.0, 0.6]\ncheckpoint_every = {every}\n"
        f"[network]\nwidths = {widths}\n{configuration.network}\n"
        "[augmentation]\nscale = [0.85, 1.15]\nshift = 0.05\ngamma = 0.3\nnoise = 0.02\n"
        f"[loss]\n{configuration.loss}\n[validation]\nevery_steps = {every}\n{phases}"
    )


@dataclass(frozen=True, slots=True)
class Bench:
    """Where trainings lie and how long they are."""

    pairs: Path
    out: Path
    size: int
    steps: int

    def train(self, configuration: Configuration, steps: int, rate: float, seed: int) -> Path:
        """The run's folder, trained to its end."""
        words = configuration.name.replace(",", "").replace(" ", "-")
        folder = self.out / f"{words}-{steps}-{rate:g}-{seed}"
        if (folder / "score.json").exists():
            return folder
        self.out.mkdir(parents=True, exist_ok=True)
        recipe = self.out / f"{folder.name}.toml"
        write_recipe(recipe, configuration, self.size, steps, rate, seed)
        report = dfsynth.train_generator(recipe, self.pairs, folder)
        print(f"{folder.name}: {report.best_score:.4f}, {report.seconds:.0f} s", flush=True)
        (folder / "score.json").write_text(json.dumps({"nll": report.best_score}))
        return folder

    def best_rate(self, configuration: Configuration, rates: list[float]) -> float:
        """By short trainings."""
        steps = max(round(_SHORT * self.steps), 1)
        scores = {}
        for rate in rates:
            folder = self.train(configuration, steps, rate, 0)
            scores[rate] = json.loads((folder / "score.json").read_text())["nll"]
        return min(scores, key=lambda rate: scores[rate])

    def evaluate(self, folder: Path) -> Path:
        """The evaluation's folder; not done again where it is."""
        out = folder / "evaluation"
        if not (out / "metrics.json").exists():
            dfsynth.evaluate_checkpoint(folder / "best", self.pairs, out=out)
        return out


def read_errors(folders: list[Path], stage: int, target: str, metric: str) -> dict[str, float]:
    """patient/image → lung figure, the mean over the seeds; `stage` from 1, or 0 for the last."""
    found: dict[str, list[float]] = {}
    for folder in folders:
        with (folder / "images.csv").open(newline="") as table:
            rows = [
                r for r in csv.DictReader(table) if r["region"] == "lung" and r["target"] == target
            ]
        wanted = str(stage or max(int(r["stage"]) for r in rows))
        for row in rows:
            if row["stage"] == wanted and row[metric]:
                found.setdefault(f"{row['patient_id']}/{row['key']}", []).append(float(row[metric]))
    return {key: float(np.mean(values)) for key, values in found.items()}


def compare(ours: dict[str, float], theirs: dict[str, float]) -> Interval:
    """Mean of theirs less ours, over pictures that both have; patients drawn with replacement."""
    keys = sorted(ours.keys() & theirs.keys())
    differences = np.array([theirs[k] - ours[k] for k in keys])
    return bootstrap_mean(differences, [k.partition("/")[0] for k in keys], 0)


def tabulate(done: dict[str, list[Path]]) -> str:
    """A line a configuration, and one for each earlier stage of the first."""
    heads = [f"{text} (difference)" for text in _SHOWN.values()]
    lines = ["| " + " | ".join(["configuration", "seeds", *heads]) + " |"]
    lines.append("|" + "---|" * (2 + len(heads)))
    first = done.get(CONFIGURATIONS[0].name, [])
    for configuration in CONFIGURATIONS:
        folders = done.get(configuration.name, [])
        if not folders:
            lines.append(f"| {configuration.name} | not run |" + " |" * len(heads))
            continue
        stages = (1, 2, 0) if configuration.progressive else (0,)
        for stage in stages:
            cells = []
            for metric in _SHOWN:
                target = "clean" if metric == "mae" else "noisy"
                own = read_errors(folders, stage, target, metric)
                patients = [k.partition("/")[0] for k in own]
                cell = str(bootstrap_mean(np.array(list(own.values())), patients, 0))
                if first and not (configuration is CONFIGURATIONS[0] and stage == 0):
                    base = read_errors(first, 0, target, metric)
                    cell += f"; {compare(base, own)}"
                cells.append(cell)
            name = configuration.name + (f", stage {stage}" if stage else "")
            lines.append("| " + " | ".join([name, str(len(folders)), *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3])
    parser.add_argument("--minutes", type=float, default=float("inf"))
    arguments = parser.parse_args()
    until = time.monotonic() + 60 * arguments.minutes
    bench = Bench(arguments.pairs, arguments.out, arguments.size, arguments.steps)
    done: dict[str, list[Path]] = {}
    for seed in range(arguments.seeds):
        for configuration in CONFIGURATIONS:
            if time.monotonic() > until:
                break
            rate = bench.best_rate(configuration, arguments.rates)
            folder = bench.train(configuration, bench.steps, rate, seed)
            done.setdefault(configuration.name, []).append(bench.evaluate(folder))
    print(json.dumps(describe_machine()))
    print(tabulate(done))


if __name__ == "__main__":
    main()
