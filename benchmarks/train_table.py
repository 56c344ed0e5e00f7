"""The published idea against its baselines on the same pairs; may be killed, and goes on.

    python benchmarks/train_table.py --pairs pairs.zarr --out runs/table --size 64 --steps 900
    python benchmarks/train_table.py ... --as-long-as "cascade, together"
    python benchmarks/train_table.py --pairs pairs.zarr --out runs/gpu --size 256 --published  # GPU

Every configuration gets the same pairs, the same number of updates, about as many parameters, and
the same search over learning rates, each tried with a quarter of the steps and compared by
the validation loss; then --seeds trainings at the best rate, evaluated on the test patients. With
--as-long-as NAME each gets as much time as NAME takes for --steps instead, by the time that a step
of each takes on this machine; the rates stay those of --steps. Prints the table as Markdown, with
paired differences from the first row; what was not run says so. A budget (--minutes) ends the
command after the training in hand; run it again to go on, or with --minutes 0 to print what there
is.
"""

import argparse
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import describe_machine
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from training_steps import noise_batch, step_seconds

import dfsynth
from dfsynth.datasets import open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.models.published import PUBLISHED_WIDTHS
from dfsynth.statistics import Interval, Resamples, resample_patients
from dfsynth.train import read_recipe
from dfsynth.train.processes import Processes
from dfsynth.train.trainer import Trainer

_SHORT = 0.25
_BATCH, _TIMED_STEPS = 8, 8
_NARROW, _WIDE = (16, 32, 64, 96), (24, 56, 112, 168)
"""Three narrow stages have about as many parameters as one wide stage."""
_WINDOW = 0.6


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of `images.csv`."""

    metric: str
    region: str
    target: str

    def __str__(self) -> str:
        return f"{self.metric.upper()}, {self.region}, {self.target}"


LUNG_COLUMNS = (
    Column("mae", "lung", "clean"),
    Column("pearson", "lung", "clean"),
    Column("nll", "lung", "noisy"),
    Column("crps", "lung", "noisy"),
)
WHOLE_COLUMNS = (
    Column("mse", "whole", "noisy"),
    Column("psnr", "whole", "noisy"),
    Column("ssim", "whole", "noisy"),
    Column("nll", "whole", "noisy"),
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A phase: which stages it trains, its share of the steps, its share of the rate."""

    name: str
    stages: tuple[int, ...]
    steps: float = 1.0
    rate: float = 1.0


Schedule = tuple[Leg, ...]
SINGLE = (Leg("only", (1,)),)
PROGRESSIVE = (
    Leg("stage-1", (1,), 0.5),
    Leg("stage-2", (2,), 0.2, 0.5),
    Leg("stage-3", (3,), 0.15, 0.5),
    Leg("joint", (1, 2, 3), 0.15, 0.1),
)
"""As published: stage by stage, then all of them gently."""
TOGETHER = (Leg("together", (1, 2, 3)),)
"""All stages from the first step on, each by its own loss."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A row of the table: what differs from the others."""

    name: str
    network: str
    loss: str
    schedule: Schedule
    widths: tuple[int, ...]

    @property
    def is_cascade(self) -> bool:
        """Whether it has more than one stage."""
        return max(max(leg.stages) for leg in self.schedule) > 1


CONFIGURATIONS = (
    Configuration("cascade", 'stages = 3\nguidance = "attention"', "", PROGRESSIVE, _NARROW),
    Configuration(
        "cascade, no guidance", 'stages = 3\nguidance = "none"', "", PROGRESSIVE, _NARROW
    ),
    Configuration("cascade, concat", 'stages = 3\nguidance = "concat"', "", PROGRESSIVE, _NARROW),
    Configuration("cascade, together", 'stages = 3\nguidance = "attention"', "", TOGETHER, _NARROW),
    Configuration(
        "cascade, together, no guidance",
        'stages = 3\nguidance = "none"',
        "",
        TOGETHER,
        _NARROW,
    ),
    Configuration("one stage, wide", "stages = 1", "", SINGLE, _WIDE),
    Configuration(
        "U-Net, L1",
        'stages = 1\nlikelihood = "point"',
        "adversarial = 0.0\nresidual = 0.0",
        SINGLE,
        _WIDE,
    ),
    Configuration(
        "pix2pix",
        'stages = 1\nlikelihood = "point"',
        "adversarial = 0.01\nconditional = true\nresidual = 0.0",
        SINGLE,
        _WIDE,
    ),
)
PUBLISHED = Configuration(
    "cascade, published networks",
    'stages = 3\nbackbone = "published"\nlung_head = false',
    "",
    PROGRESSIVE,
    PUBLISHED_WIDTHS,
)
"""33.0 M parameters a stage: for GPUs, with --published."""


def recipe_text(configuration: Configuration, size: int, steps: int, rate: float, seed: int) -> str:
    """The configuration as a recipe of `dfsynth train`."""
    phases = "".join(
        f'[[phase]]\nname = "{leg.name}"\nstages = {list(leg.stages)}\n'
        f"steps = {max(round(leg.steps * steps), 1)}\nlearning_rate = {rate * leg.rate}\n"
        for leg in configuration.schedule
    )
    every = max(steps // 6, 1)
    return (
        f'name = "{configuration.name}"\nsize = {size}\nbatch = {_BATCH}\nseed = {seed}\n'
        f"window = [0.0, {_WINDOW}]\ncheckpoint_every = {every}\n"
        f"[network]\nwidths = {list(configuration.widths)}\n{configuration.network}\n"
        "[augmentation]\nscale = [0.85, 1.15]\nshift = 0.05\ngamma = 0.3\nnoise = 0.02\n"
        f"[loss]\n{configuration.loss}\n"
        f"[validation]\nevery_steps = {every}\npanel_pairs = 0\n{phases}"
    )


class OutOfTimeError(Exception):
    """A training that is not done yet, and no time to begin it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where trainings lie and how long they are."""

    pairs: Path
    out: Path
    size: int
    steps: int
    until: float
    """By the monotonic clock; no training starts later."""

    def claim(self) -> None:
        """Makes the folder one of these pairs at this size; results of others are not mixed in."""
        self.out.mkdir(parents=True, exist_ok=True)
        source = open_pairs(self.pairs, None, self.size, (0.0, _WINDOW))
        own = {"pairs": source.fingerprint(), "size": self.size}
        table = self.out / "table.json"
        if table.exists() and json.loads(table.read_text()) != own:
            raise SystemExit(f"{self.out} is of other pairs or another size; choose another --out")
        table.write_text(json.dumps(own))

    def train(self, configuration: Configuration, steps: int, rate: float, seed: int) -> Path:
        """The run's folder, trained to its end."""
        words = configuration.name.replace(",", "").replace(" ", "-")
        folder = self.out / f"{words}-{steps}-{rate:g}-{seed}"
        recipe = self.out / f"{folder.name}.toml"
        text = recipe_text(configuration, self.size, steps, rate, seed)
        if (folder / "score.json").exists():
            if recipe.read_text() != text:
                raise SystemExit(f"{folder} is of another recipe; choose another --out")
            return folder
        if time.monotonic() > self.until:
            raise OutOfTimeError
        recipe.write_text(text)
        report = dfsynth.train_generator(recipe, self.pairs, folder)
        print(f"{folder.name}: {report.best_score:.4f}, {report.seconds:.0f} s", flush=True)
        score = {"nll": report.best_score, "seconds": round(report.seconds)}
        (folder / "score.json").write_text(json.dumps(score))
        return folder

    def best_rate(self, configuration: Configuration, rates: list[float]) -> float:
        """By short trainings."""
        steps = max(round(_SHORT * self.steps), 1)
        scores = {}
        for rate in rates:
            folder = self.train(configuration, steps, rate, 0)
            scores[rate] = json.loads((folder / "score.json").read_text())["nll"]
        return min(scores, key=lambda rate: scores[rate])

    def update_seconds(self) -> dict[str, float]:
        """Of every configuration, mean over the legs of its schedule; measured once.

        Steps alternate, and the fastest of some counts, so that a noisy machine slows all alike.
        """
        table = self.out / "update-seconds.json"
        known = json.loads(table.read_text()) if table.exists() else {}
        if known.keys() != {c.name for c in CONFIGURATIONS}:
            device = resolve_device("auto")
            precision = resolve_precision("auto", device)
            batch = noise_batch(self.size, _BATCH, device)
            legs: dict[tuple[str, int], Trainer] = {}
            for configuration in CONFIGURATIONS:
                recipe = self.out / "timed.toml"
                recipe.write_text(recipe_text(configuration, self.size, self.steps, 1e-4, 0))
                for place in range(len(configuration.schedule)):
                    made = Trainer(read_recipe(recipe), device, precision, Processes(), _BATCH)
                    made.start_phase(place)
                    legs[configuration.name, place] = made
            fastest = dict.fromkeys(legs, float("inf"))
            for _ in range(_TIMED_STEPS):
                for key, trainer in legs.items():
                    fastest[key] = min(fastest[key], step_seconds(trainer, batch))
            known = {
                c.name: sum(leg.steps * fastest[c.name, n] for n, leg in enumerate(c.schedule))
                for c in CONFIGURATIONS
            }
            table.write_text(json.dumps(known, indent=2))
        return {name: float(value) for name, value in known.items()}

    def steps_as_long(self, name: str, as_long_as: str | None) -> int:
        """Updates of `name` that take the time of `as_long_as`; without one, those asked for."""
        if as_long_as in (None, name):
            return self.steps
        seconds = self.update_seconds()
        return round(self.steps * seconds[as_long_as] / seconds[name])

    def evaluate(self, folder: Path) -> Path:
        """The evaluation's folder; not done again where it is."""
        out = folder / "evaluation"
        if not (out / "metrics.json").exists():
            dfsynth.evaluate_checkpoint(folder / "best", self.pairs, out=out)
        return out


Scores = dict[str, NDArray[np.float64]]
"""patient/image → a figure for each seed."""


def read_scores(folders: list[Path], stage: int, column: Column) -> Scores:
    """`stage` from 1, or 0 for the last; images without a figure in every seed are left out."""
    found: dict[str, list[float]] = {}
    for folder in folders:
        with (folder / "images.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        wanted = str(stage or max(int(r["stage"]) for r in rows))
        for row in rows:
            figure = (row["region"], row["target"], row["stage"])
            if figure == (column.region, column.target, wanted) and row[column.metric]:
                key = f"{row['patient_id']}/{row['key']}"
                found.setdefault(key, []).append(float(row[column.metric]))
    return {k: np.array(v) for k, v in found.items() if len(v) == len(folders)}


def mean_over_patients(scores: Scores) -> Interval:
    """Patients drawn with replacement, and seeds too."""
    values = np.array(list(scores.values()))
    return _resamples(list(scores), values.shape[1]).mean(values.ravel())


def compare(ours: Scores, theirs: Scores) -> str:
    """theirs less ours over images that both have.

    The interval draws patients and seeds, the same for both: a seed's trainings see the same pairs
    in the same order. It says whether another training would do so too. p is of signed ranks over
    patients (Wilcoxon) of the means over seeds: it says that these trainings differ, which two
    seeds of one configuration do too.
    """
    keys = sorted(ours.keys() & theirs.keys())
    one, other = (np.array([scores[k] for k in keys]) for scores in (ours, theirs))
    seeds = min(one.shape[1], other.shape[1])
    differences = other[:, :seeds] - one[:, :seeds]
    by_patient: dict[str, list[float]] = {}
    for key, difference in zip(keys, differences.mean(axis=1), strict=True):
        by_patient.setdefault(_patient_of(key), []).append(float(difference))
    if not differences.any():
        return "the same"
    p = wilcoxon([np.mean(v) for v in by_patient.values()]).pvalue
    found = _resamples(keys, seeds).mean(differences.ravel())
    return f"{found:+.4f}, p {p:.2g}"


def _resamples(keys: list[str], seeds: int) -> Resamples:
    """Draws of cells (images · seeds): patients with replacement, and seeds with replacement."""
    patients = resample_patients([_patient_of(key) for key in keys], 0)
    return patients.crossed(resample_patients([str(n) for n in range(seeds)], 1))


def _patient_of(key: str) -> str:
    return key.partition("/")[0]


def tabulate(done: dict[str, list[Path]], columns: tuple[Column, ...], against: str) -> str:
    """A line a configuration and stage: the figure and its difference from the row `against`."""
    lines = ["| " + " | ".join(["configuration", "seeds", *(str(c) for c in columns)]) + " |"]
    lines.append("|" + "---|" * (2 + len(columns)))
    first = done.get(against, [])
    for configuration in (*CONFIGURATIONS, PUBLISHED):
        folders = done.get(configuration.name, [])
        if not folders:
            lines.append(f"| {configuration.name} | not run |" + " |" * len(columns))
            continue
        for stage in (1, 2, 0) if configuration.is_cascade else (0,):
            cells = []
            for column in columns:
                own = read_scores(folders, stage, column)
                found = mean_over_patients(own)
                cell = f"{found:.4f}"
                if first and not (configuration.name == against and stage == 0):
                    cell += f"; {compare(read_scores(first, 0, column), own)}"
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
    parser.add_argument("--as-long-as", choices=[c.name for c in CONFIGURATIONS])
    rows = [c.name for c in (*CONFIGURATIONS, PUBLISHED)]
    parser.add_argument(
        "--rows", nargs="+", choices=rows, help="of these alone, by name; others are not run"
    )
    parser.add_argument(
        "--against", choices=rows, help="the row that others are compared with; else the first"
    )
    parser.add_argument("--published", action="store_true", help="its full networks as well")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    arguments = parser.parse_args()
    if arguments.published and arguments.as_long_as:
        parser.error("--as-long-as times the configurations of about as many parameters alone")
    until = time.monotonic() + 60 * arguments.minutes
    bench = Bench(arguments.pairs, arguments.out, arguments.size, arguments.steps, until)
    bench.claim()
    chosen = [
        c
        for c in (*CONFIGURATIONS, *[PUBLISHED] * arguments.published)
        if arguments.rows is None or c.name in arguments.rows
    ]
    against = arguments.against or CONFIGURATIONS[0].name
    done: dict[str, list[Path]] = {}
    updates: dict[str, int] = {}
    for seed in range(arguments.seeds):
        for configuration in chosen:
            try:
                rate = bench.best_rate(configuration, arguments.rates)
                steps = bench.steps_as_long(configuration.name, arguments.as_long_as)
                folder = bench.train(configuration, steps, rate, seed)
            except OutOfTimeError:
                continue
            updates[configuration.name] = steps
            done.setdefault(configuration.name, []).append(bench.evaluate(folder))
    print(json.dumps(describe_machine()))
    for columns in (LUNG_COLUMNS, WHOLE_COLUMNS):
        print(tabulate(done, columns, against), end="\n\n")
    for name, folders in done.items():
        seconds = [json.loads((f.parent / "score.json").read_text())["seconds"] for f in folders]
        print(f"{name}: {updates[name]} updates; {', '.join(map(str, seconds))} s")


if __name__ == "__main__":
    main()
