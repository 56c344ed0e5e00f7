"""Degraders × networks that restore, on the same held-out pictures; steps by time; may be killed.

    python training/restoration_table.py --cxr GOOD --test-ct VOLUMES --out runs/restoration
    python training/restoration_table.py ... --degraders bicubic drr munit=runs/munit/best
    python training/restoration_table.py ... --size 128 --steps 400 --minutes 120
    python training/restoration_table.py ... --minutes 0   # what there is
    python training/restoration_table.py ... --workers 1 --gpu
    python training/restoration_table.py --pairs plain=PLAIN bicubic=PAIRS --test TEST --one-look

The same command goes on. It simulates the pairs, trains every network on those of every degrader
with the same budget, about ten minutes of a core each at 64 x 64, and measures all of them on
digitally reconstructed radiographs of other volumes. Writes report.md and sheet.png into OUT, and
prints the tables.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from kept_training import NotYetError
from paper_methods import ON_GPU, Budget
from restoration_looks import tabulate_in_one_look
from restoration_measures import Measured
from restoration_pairs import BASELINE, add_pair_options, make_stores
from restoration_pictures import draw_sheet
from restoration_report import tabulate_restoration, tabulate_settings
from restoration_study import AS_THEY_ARE, NETWORKS, Fit, Place, Setting, Study
from shared_work import add_sharing, publish, share_work

from dfsynth.errors import DfsynthError
from dfsynth.records import SamplerName

USUAL: Final = Budget(steps=800)
"""About ten minutes of a core at 64 x 64."""
RATE: Final = 1e-3
PASSES: Final[Mapping[str, Sequence[tuple[SamplerName | None, int]]]] = {
    "diffusion": (("ddim", 50), ("ancestral", 50), ("dpm-solver", 4), ("ddim", 4), ("ddim", 2)),
    "flow": (("euler", 50), ("midpoint", 4), ("euler", 4), ("euler", 2), ("euler", 1)),
    "mean": ((None, 1),),
}
"""Family → samplers and passes a sample; the first of each is what the others are compared with."""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument(
        "--one-look",
        action="store_true",
        help="measure as well behind greys, for pairs of --blurred-look plain",
    )
    given = parser.parse_args()
    place = place_of(given)
    fits = [
        Fit(degrader, network, seed)
        for seed in range(given.seeds)
        for degrader in place.stores.train
        for network in given.networks
    ]
    jobs = [(fit, setting) for fit in fits for setting in settings_of(fit, given.samples)]
    share_work(place.open, jobs, finish, given.workers, given.minutes)
    study = place.open()
    lines = report(study, fits, given.samples)
    if given.one_look:
        lines += ["", in_one_look(study, fits, given.samples)]
    publish(lines, given.out)
    shown = [(fit, settings_of(fit, given.samples)[0]) for fit in fits if fit.seed == 0]
    draw_sheet(study, shown, given.out / "sheet.png")


def in_one_look(study: Study, fits: Sequence[Fit], samples: int) -> str:
    """What is left between the networks behind their greys."""
    means = {kind: study.maps_as_they_are(kind)[0] for kind in AS_THEY_ARE}
    for fit in fits:
        maps = study.maps(fit, settings_of(fit, samples)[0])
        if fit.seed == 0 and maps is not None:
            means[fit.name] = maps[0]
    pairs = [study.test.read(index) for index in study.tested]
    patients = [study.test.rows[index].patient_id for index in study.tested]
    baseline = f"{fits[0].network}, {BASELINE}"
    return tabulate_in_one_look(means, pairs, patients, baseline)


def parser_of(doc: str) -> argparse.ArgumentParser:
    """What commands on the trainings of this comparison take."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    add_pair_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of trainings and results")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--size", type=int, help=f"{USUAL.size}, or {ON_GPU.size} with --gpu")
    parser.add_argument(
        "--steps", type=int, help=f"updates a training; {USUAL.steps}, or {ON_GPU.steps}"
    )
    parser.add_argument("--batch", type=int, help=f"{USUAL.batch}, or {ON_GPU.batch}")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate of all")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--samples", type=int, default=4, help="of an image, averaged")
    parser.add_argument("--test-pairs", type=int, default=40, help="that are measured, at most")
    add_sharing(parser)
    parser.add_argument("--gpu", action="store_true", help="with full networks, on cuda")
    return parser


def place_of(given: argparse.Namespace) -> Place:
    """What a command works on; simulates pairs where they are not there yet."""
    budget = ON_GPU if given.gpu else USUAL
    asked = {name: getattr(given, name) for name in ("size", "steps", "batch")}
    budget = replace(budget, **{name: value for name, value in asked.items() if value is not None})
    stores = make_stores(given, budget.size, make=bool(given.minutes))
    device = "cuda" if given.gpu else "cpu"
    return Place(given.out, stores, budget, given.rate, device, given.test_pairs)


def settings_of(fit: Fit, samples: int) -> list[Setting]:
    """How samples are drawn, the one that the others are compared with first."""
    return [Setting(sampler, steps, samples) for sampler, steps in PASSES[fit.network]]


def finish(study: Study, job: tuple[Fit, Setting]) -> bool:
    """Whether nothing is left to do for a job; a failure is printed, and the others go on."""
    fit, setting = job
    started = time.monotonic()
    try:
        if study.measured(fit, setting, make=False) is None:
            study.measured(fit, setting)
            took = time.monotonic() - started
            print(f"{fit.name}, seed {fit.seed}, {setting.name}: {took:.0f} s", flush=True)
    except NotYetError:
        return False
    except DfsynthError as error:
        print(f"{fit.name}, {setting.name} failed: {error}", file=sys.stderr, flush=True)
    return True


def report(study: Study, fits: list[Fit], samples: int) -> list[str]:
    """All tables over what there is."""
    found: dict[str, Measured] = {kind: study.as_they_are(kind) for kind in AS_THEY_ARE}
    by_setting: dict[str, dict[str, Measured]] = {}
    for fit in fits:
        name = fit.name if fit.seed == 0 else f"{fit.name}, seed {fit.seed}"
        for setting in settings_of(fit, samples):
            measured = study.measured(fit, setting, make=False)
            if measured is not None:
                by_setting.setdefault(name, {})[setting.name] = measured
    found |= {name: next(iter(settings.values())) for name, settings in by_setting.items()}
    budget, patients = study.place.budget, {study.test.rows[i].patient_id for i in study.tested}
    lines = [
        f"{len(study.tested)} test images of {len(patients)} volumes or bodies at {budget.size} x "
        f"{budget.size}; {budget.steps} updates of {budget.batch} pairs each; intervals are over "
        "volumes or bodies.",
        "",
        *(f"- {name}: {source.description}" for name, source in study.train.items()),
        "",
        *tabulate_restoration(found, f"{fits[0].network}, {BASELINE}"),
    ]
    return [*lines, "", tabulate_settings(by_setting)] if by_setting else lines


if __name__ == "__main__":
    main()
