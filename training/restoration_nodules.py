"""Are nodules found after restoration as before, and none that are not there? May be killed.

    python training/restoration_nodules.py --pairs PAIRS --checkpoint runs/.../best --out runs/found
    python training/restoration_nodules.py ... --sampler dpm-solver --sampler-steps 4
    python training/restoration_nodules.py ... --twins TWINS --seeds 0   # no training at all
    python training/restoration_nodules.py ... --minutes 0   # report alone

PAIRS is a store of `dfsynth simulate --task restoration` from CT volumes or drawn bodies, with
nodules in some. A detector is trained for each kind of picture, blurred, restored and sharp, on the
training patients, and looks at those of all other groups. Compared are shares of the nodules found
at equal false alarms a picture. Nothing chooses anything by the tested patients. Writes report.md
and recall.png into OUT.

TWINS are the same pairs by --nodules 0. With them an observer that knows how nodules of each size
look, from half of the bodies, says what there is to be found in the other half.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from free_response import (
    ALL,
    Candidates,
    false_nodules,
    find_candidates,
    recall,
    recall_difference,
)
from kept_runs import KeptRuns
from matplotlib.figure import Figure
from nodule_detector import (
    DetectorBudget,
    Nodule,
    find_heat,
    heat_of,
    nodules_of,
    train_detector,
)
from nodule_observer import Maps, Twins, mean_of, spot_level, strong_spots
from numpy.typing import NDArray
from paper_figures import write_figure
from restored_pictures import Pictures, Restorer
from shared_work import add_sharing, publish, share_work

import dfsynth
from dfsynth.description.markdown import table
from dfsynth.errors import UsageError
from dfsynth.evaluate.restoration import SIZES, size_of

KINDS: Final = ("blurred", "restored", "sharp")
ALARMS: Final = (0.25, 0.5, 1.0, 2.0)
"""False alarms a picture at which recall is said; by size at `_OF_SIZES`."""
_OF_SIZES: Final = 1.0
_OBSERVED: Final = (1.0, 2.0)
_PLACES: Final = (0.05, 0.1)
"""False alarms of an observer: a picture where it searches, of all places where it is asked."""
_CURVE: Final = tuple(np.geomspace(0.1, 4.0, 17))
_COLOURS: Final = {"blurred": "#7f7f7f", "restored": "#08519c", "sharp": "#d95f02"}


@dataclass(frozen=True, slots=True)
class Place:
    """All that a process needs to open the study."""

    out: Path
    restorer: Restorer
    budget: DetectorBudget
    device: str

    def open(self) -> "Study":
        """Restores what is not restored yet."""
        return Study.open(self)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Pictures with their nodules, and the folder that keeps what detectors find."""

    place: Place
    kept: KeptRuns
    pictures: Pictures
    nodules: Sequence[Sequence[Nodule]]

    @classmethod
    def open(cls, place: Place) -> Self:
        """See `Place.open`.

        Raises:
            UsageError: no pictures to train on or to test, or no nodules in them.
        """
        pictures = place.restorer.pictures(place.out)
        chosen = [i for i, row in enumerate(pictures.rows) if row.origin != "cxr"]
        pictures = pictures.take(chosen)
        nodules = []
        for row, pair in zip(pictures.rows, pictures.pairs, strict=True):
            if row.pixel_mm is None:
                raise UsageError(f"pair {row.key!r} has no size of pixels: simulate again")
            nodules.append(nodules_of(pair, row.nodule_mm, row.pixel_mm))
        study = cls(place, KeptRuns.open(place.out), pictures, nodules)
        for name, group in (("train", study.training), ("be tested", study.tested)):
            if not any(nodules[i] for i in group):
                raise UsageError(f"no pair to {name} has a nodule: simulate more")
        return study

    def twins(self, plain: Pictures, kind: str) -> Twins:
        """Pictures of a kind beside those of the same bodies without nodules.

        Raises:
            UsageError: they come without lungs.
        """
        lungs = [pair.lung for pair in plain.pairs if pair.lung is not None]
        if len(lungs) != len(plain.pairs):
            raise UsageError("--twins come without lung masks: simulate them again")
        bodies = [row.patient_id for row in plain.rows]
        shown = self.pictures.of(kind), plain.of(kind)
        return Twins(*shown, np.stack(lungs) > 0, self.nodules, bodies)

    @property
    def training(self) -> list[int]:
        """Pictures that detectors learn from."""
        return [i for i, row in enumerate(self.pictures.rows) if row.split == "train"]

    @property
    def tested(self) -> list[int]:
        """Pictures of all other patients: none of them chooses anything."""
        return [i for i, row in enumerate(self.pictures.rows) if row.split != "train"]

    @property
    def patients(self) -> list[str]:
        """Of the tested pictures."""
        return [self.pictures.rows[i].patient_id for i in self.tested]

    def heat(self, kind: str, seed: int) -> NDArray[np.float32] | None:
        """What a detector gives for the tested pictures, (n, H, W); None where it is not there."""
        if self.kept.read(self._name(kind, seed), self._identity()) is None:
            return None
        found: NDArray[np.float32] = np.load(self.kept.folder(self._name(kind, seed)) / "heat.npy")
        return found

    def finish(self, kind: str, seed: int) -> bool:
        """Trains a detector and lets it look, if that is not done; False: another process does."""
        make = partial(self._train, kind, seed)
        return self.kept.make_once(self._name(kind, seed), self._identity(), make)

    def _train(self, kind: str, seed: int) -> Mapping[str, Any]:
        started, device = time.monotonic(), torch.device(self.place.device)
        pictures = self.pictures.of(kind)
        shape = pictures.shape[1], pictures.shape[2]
        heats = np.stack([heat_of(self.nodules[i], shape) for i in self.training])
        network = train_detector(pictures[self.training], heats, self.place.budget, seed, device)
        folder = self.kept.folder(self._name(kind, seed))
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "heat.npy", find_heat(network, pictures[self.tested], device))
        seconds = time.monotonic() - started
        print(f"{kind}, seed {seed}: {seconds:.0f} s", flush=True)
        return {"seconds": seconds}

    def candidates(self, kind: str, seeds: int) -> Candidates | None:
        """Of the mean heat over the seeds that are there; None without any."""
        heats = [self.heat(kind, seed) for seed in range(seeds)]
        known = [heat for heat in heats if heat is not None]
        if not known:
            return None
        return find_candidates(np.mean(known, axis=0), [self.nodules[i] for i in self.tested])

    def _name(self, kind: str, seed: int) -> str:
        return f"{kind}-s{seed}-{self.place.budget.steps}"

    def _identity(self) -> str:
        return f"{self.pictures.identity} {asdict(self.place.budget)}"


def main() -> None:
    given = _parse()
    if given.twins is not None:
        require_twins(given.pairs, given.twins)
    budget = replace(DetectorBudget(), steps=given.steps)
    device = "cuda" if given.gpu else "cpu"
    place = Place(given.out, Restorer.of(given), budget, device)
    jobs = [(kind, seed) for seed in range(given.seeds) for kind in KINDS]
    if given.minutes:
        # Restored once, before processes share the rest.
        place.open()
    share_work(place.open, jobs, finish, given.workers, given.minutes)
    study = place.open()
    found = {
        kind: each for kind in KINDS if (each := study.candidates(kind, given.seeds)) is not None
    }
    lines = report(study, found) if found else []
    if given.twins is not None:
        plain = replace(place.restorer, pairs=given.twins).pictures(given.out)
        plain = plain.take([i for i, row in enumerate(plain.rows) if row.origin != "cxr"])
        lines += report_observed(study, plain)
    if not lines:
        sys.exit("no detector is trained yet: run the command with more --minutes")
    publish(lines, given.out)
    if found:
        draw(study, found, given.out / "recall.png")


def require_twins(pairs: Path, twins: Path) -> None:
    """Before time is spent.

    Raises:
        UsageError: the twins are of other bodies, or have nodules.
    """
    with_nodules, without = (
        dfsynth.open_store(path).manifest.to_pylist() for path in (pairs, twins)
    )
    if [r["patient_id"] for r in with_nodules] != [r["patient_id"] for r in without]:
        raise UsageError(
            f"{twins} is not of the bodies of {pairs}: simulate both with the same --n, --seed and "
            "--size, and the twins with --nodules 0"
        )
    if any(row["nodule_count"] for row in without):
        raise UsageError(f"{twins} has nodules: simulate it with --nodules 0")


def finish(study: Study, job: tuple[str, int]) -> bool:
    """See `Study.finish`."""
    return study.finish(*job)


def report(study: Study, found: Mapping[str, Candidates]) -> list[str]:
    """Recall at equal false alarms, by size, differences from blurred, and false nodules."""
    patients = study.patients
    sizes = [s for s in SIZES if any(size_of(n.diameter_mm) == s for n in _tested_nodules(study))]
    head = ("", *(f"at {a:g} false alarms" for a in ALARMS), *(f"{s}, at 1" for s in sizes))
    cells = [(a, ALL) for a in ALARMS] + [(_OF_SIZES, s) for s in sizes]
    rows = [
        (kind, *(f"{recall(c, patients, *cell):.2f}" for cell in cells))
        for kind, c in found.items()
    ]
    if {"blurred", "restored"} <= found.keys():
        two = found["restored"], found["blurred"], patients
        rows.append(
            ("restored less blurred", *(f"{recall_difference(*two, *c):+.2f}" for c in cells))
        )
    alarms = [
        (kind, *(f"{false_nodules(c, patients, a):.2f}" for a in ALARMS))
        for kind, c in found.items()
    ]
    nodules = _tested_nodules(study)
    empty = sum(not study.nodules[i] for i in study.tested)
    counts = ", ".join(f"{s}: {sum(size_of(n.diameter_mm) == s for n in nodules)}" for s in sizes)
    return [
        f"{len(study.tested)} tested pictures of {len(set(patients))} patients, {empty} of them "
        f"without nodules; {len(nodules)} nodules ({counts}); {len(study.training)} trained on; "
        f"restored by {study.pictures.restored_by}. Intervals are over patients.",
        "",
        "Share of the nodules that is found:",
        "",
        table(head, rows),
        "",
        "False nodules a picture without any:",
        "",
        table(("", *(f"at {a:g} false alarms" for a in ALARMS)), alarms),
    ]


def report_observed(study: Study, plain: Pictures) -> list[str]:
    """What an observer that knows how each size looks finds, and what it takes for nodules."""
    counts = Counter(size_of(n.diameter_mm) for there in study.nodules for n in there)
    sizes = [size for size in SIZES if counts[size]]
    twins = {kind: study.twins(plain, kind) for kind in KINDS}
    maps = {kind: each.maps(sizes) for kind, each in twins.items()}
    bodies = [row.patient_id for row in plain.rows]
    return [
        "",
        "An observer of each size, which knows its mean shadow and the covariance of lung from the "
        f"other half of {len(bodies)} bodies, with nodules and without; restored by "
        f"{study.pictures.restored_by}. Share found by searching, at false alarms a picture:",
        "",
        _searched(twins, maps, bodies, counts),
        "",
        "Share seen by looking at the place, at false alarms of all places in the lungs; of the "
        "nodules in lung fields:",
        "",
        _asked(twins, maps, bodies),
        "",
        "By how many standard deviations of lung nodules stand out there; after it, what one spot "
        "a picture without nodules exceeds:",
        "",
        _stood_out(twins, maps, bodies),
        "",
        "Spots a picture without nodules, by the templates of sharp pictures, as strong as sharp "
        "ones have 1:",
        "",
        _spots(twins, sizes, bodies),
    ]


def _searched(
    twins: Mapping[str, Twins],
    maps: Mapping[str, Mapping[str, Maps]],
    bodies: Sequence[str],
    counts: Mapping[str, int],
) -> str:
    found = {
        kind: {size: twins[kind].search(each) for size, each in of.items()}
        for kind, of in maps.items()
    }
    cells = [(size, alarms) for size in maps["sharp"] for alarms in _OBSERVED]
    # A body is drawn with its twin.
    patients = [*bodies, *bodies]
    rows = [
        (kind, *(f"{recall(of[s], patients, a, s):.2f}" for s, a in cells))
        for kind, of in found.items()
    ]
    for kind in ("restored", "sharp"):
        less = [
            recall_difference(found[kind][s], found["blurred"][s], patients, a, s) for s, a in cells
        ]
        rows.append((f"{kind} less blurred", *(f"{each:+.2f}" for each in less)))
    return table(("", *(f"{s} ({counts[s]}), at {a:g}" for s, a in cells)), rows)


def _asked(
    twins: Mapping[str, Twins], maps: Mapping[str, Mapping[str, Maps]], bodies: Sequence[str]
) -> str:
    cells = [(size, share) for size in maps["sharp"] for share in _PLACES]
    found = {
        kind: [twins[kind].ask(of[size], size, share) for size, share in cells]
        for kind, of in maps.items()
    }
    rows = [(kind, *(f"{mean_of(*each, bodies):.2f}" for each in of)) for kind, of in found.items()]
    for kind in ("restored", "sharp"):
        pairs = zip(found[kind], found["blurred"], strict=True)
        less = [mean_of(seen - before, asked, bodies) for (seen, asked), (before, _) in pairs]
        rows.append((f"{kind} less blurred", *(f"{each:+.2f}" for each in less)))
    asked = [int(each[1].sum()) for each in found["sharp"]]
    head = (f"{s} ({n}), at {a:.0%}" for (s, a), n in zip(cells, asked, strict=True))
    return table(("", *head), rows)


def _stood_out(
    twins: Mapping[str, Twins], maps: Mapping[str, Mapping[str, Maps]], bodies: Sequence[str]
) -> str:
    rows = []
    for kind, of in maps.items():
        means = {s: mean_of(*twins[kind].stand_out(each, s), bodies) for s, each in of.items()}
        rows.append((kind, *(f"{means[s]:.2f}; {spot_level(each):.1f}" for s, each in of.items())))
    return table(("", *maps["sharp"]), rows)


def _spots(twins: Mapping[str, Twins], sizes: Sequence[str], bodies: Sequence[str]) -> str:
    by_sharp = {kind: each.maps(sizes, twins["sharp"]) for kind, each in twins.items()}
    level = {size: spot_level(each) for size, each in by_sharp["sharp"].items()}
    rows = [
        (kind, *(f"{strong_spots(of[s], level[s], bodies):.2f}" for s in sizes))
        for kind, of in by_sharp.items()
    ]
    return table(("", *(f"as of {size}" for size in sizes)), rows)


def draw(study: Study, found: Mapping[str, Candidates], path: Path) -> None:
    """Recall against false alarms a picture, with intervals over patients."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    for kind, each in found.items():
        points = [recall(each, study.patients, alarms) for alarms in _CURVE]
        axes.plot(
            _CURVE,
            [float("nan") if p.value is None else p.value for p in points],
            color=_COLOURS[kind],
            label=kind,
        )
        known = [(x, p) for x, p in zip(_CURVE, points, strict=True) if p.low is not None]
        if known:
            x, low, high = zip(*((x, p.low, p.high) for x, p in known), strict=True)
            axes.fill_between(x, low, high, color=_COLOURS[kind], alpha=0.15, linewidth=0)
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="false alarms a picture")
    axes.set(ylabel="share of the nodules found")
    axes.set_title("Nodules in synthetic pictures, by a detector for each kind", fontsize=10)
    axes.legend()
    write_figure(figure, path)


def _tested_nodules(study: Study) -> list[Nodule]:
    return [n for i in study.tested for n in study.nodules[i]]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    Restorer.add_options(parser)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--twins", type=Path, help="the pairs without nodules")
    parser.add_argument("--steps", type=int, default=DetectorBudget().steps)
    parser.add_argument("--seeds", type=int, default=2, help="detectors of each kind, averaged")
    add_sharing(parser)
    parser.add_argument("--gpu", action="store_true", help="on cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
