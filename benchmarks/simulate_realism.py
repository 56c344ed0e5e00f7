"""Can a small network tell simulated radiographs from real ones? The lower its AUROC, the better.

python benchmarks/simulate_realism.py --real FOLDER --real FOLDER --pairs phantom=pairs.zarr
    --pairs "phantom before display=plain.zarr" [--sheet PNG]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from contact import write_sheet
from intervals import rounded
from machine import describe_machine
from numpy.typing import NDArray
from radiographs import ImageSet, LabelledImage, choose, collect, read_pairs, read_radiographs
from sharp_classifier import classify, train_classifier
from texture import tabulate

from dfsynth.report import SheetColumn, SheetRow
from dfsynth.statistics import Interval, concordance, resample_patients

_CONTROL_BLUR_PX = 0.7
_LEAST_CONTROL = 0.95
_COARSE_BLUR_PX = 2.0
"""Takes grain and sharpness from real and simulated alike, so that shapes must decide."""
_EXTREMES = 12


@dataclass(frozen=True, slots=True)
class Round:
    """One training: what it learns from and what it is asked; rows of the two sets."""

    name: str
    train_real: NDArray[np.intp]
    train_simulated: NDArray[np.intp]
    test_real: NDArray[np.intp]
    test_simulated: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores of the held-back images of one round; higher is 'simulated'."""

    round: Round
    real: NDArray[np.float64]
    simulated: NDArray[np.float64]


def deal_patients(
    patients: NDArray[np.str_], folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """A fold for each image, all images of a patient in one.

    The patients with the most images are dealt first, each to the emptiest fold.
    """
    names, index, counts = np.unique(patients, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(names))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    fold_of = np.zeros(len(names), np.intp)
    filled = np.zeros(folds)
    for name in order:
        fold_of[name] = int(np.argmin(filled))
        filled[fold_of[name]] += counts[name]
    return fold_of[index]


def held_back_patients(
    real: ImageSet, simulated: ImageSet, folds: int, rng: np.random.Generator
) -> Iterator[Round]:
    """Every image is asked about once, by a network that saw none of its patient."""
    of_real = deal_patients(real.patients, folds, rng)
    of_simulated = deal_patients(simulated.patients, folds, rng)
    for fold in range(folds):
        yield Round(
            f"fold {fold}",
            np.flatnonzero(of_real != fold),
            np.flatnonzero(of_simulated != fold),
            np.flatnonzero(of_real == fold),
            np.flatnonzero(of_simulated == fold),
        )


def held_back_sources(
    real: ImageSet, simulated: ImageSet, rng: np.random.Generator
) -> Iterator[Round]:
    """One archive after the other is asked about by a network that never saw it.

    Phantoms and volumes are dealt over the rounds, so that they are new to the network as well;
    where there are fewer of them than archives, some are asked about again.
    """
    sources = sorted(set(real.sources.tolist()))
    parts = min(len(sources), len(set(simulated.patients.tolist())))
    of_simulated = deal_patients(simulated.patients, parts, rng)
    for number, source in enumerate(sources):
        yield Round(
            source,
            np.flatnonzero(real.sources != source),
            np.flatnonzero(of_simulated != number % parts),
            np.flatnonzero(real.sources == source),
            np.flatnonzero(of_simulated == number % parts),
        )


def ask(real: ImageSet, simulated: ImageSet, task: Round, steps: int, seed: int) -> Answer:
    """Trains one network and lets it score what it has not seen."""
    network = train_classifier(
        real.images[task.train_real], simulated.images[task.train_simulated], steps, seed
    )
    return Answer(
        task,
        classify(network, real.images[task.test_real]),
        classify(network, simulated.images[task.test_simulated]),
    )


def measure_auroc(
    answers: list[Answer], real: ImageSet, simulated: ImageSet, seed: int
) -> Interval:
    """AUROC within rounds, for scores of two networks do not compare; patients drawn anew."""
    resamples = resample_patients(real.patients.tolist(), seed).beside(
        resample_patients(simulated.patients.tolist(), seed + 1)
    )

    def measure(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.zeros((2, len(weights)))
        for a in answers:
            columns = np.concatenate([a.round.test_real, len(real) + a.round.test_simulated])
            positive = np.repeat([False, True], [len(a.real), len(a.simulated)])
            values = np.concatenate([a.real, a.simulated])
            sums += concordance(values, positive, weights[:, columns])
        return sums[0] / sums[1]

    return resamples.of_weights(measure)


def compare_patients(
    real: ImageSet, simulated: ImageSet, folds: int, steps: int, seed: int
) -> tuple[Interval, list[Answer]]:
    """AUROC for new patients of known archives."""
    rounds = held_back_patients(real, simulated, folds, np.random.default_rng(seed))
    answers = [ask(real, simulated, task, steps, seed) for task in rounds]
    return measure_auroc(answers, real, simulated, seed), answers


def compare(
    real: ImageSet, simulated: ImageSet, folds: int, steps: int, seed: int
) -> tuple[dict[str, Interval], list[Answer]]:
    """AUROC for new patients of known archives and for new archives, and each archive's own."""
    within, answers = compare_patients(real, simulated, folds, steps, seed)
    rounds = held_back_sources(real, simulated, np.random.default_rng(seed))
    across = [ask(real, simulated, task, steps, seed) for task in rounds]
    scores = {
        "new patients": within,
        "new archives": measure_auroc(across, real, simulated, seed),
    }
    for answer in across:
        scores[f"new archive {answer.round.name}"] = measure_auroc([answer], real, simulated, seed)
    return scores, answers


def split_for_control(
    sharp: ImageSet, blurred: ImageSet, rng: np.random.Generator
) -> tuple[ImageSet, ImageSet]:
    """Half of the patients sharp, the others blurred: nobody is in both sets."""
    half = deal_patients(sharp.patients, 2, rng)
    return sharp.take(np.flatnonzero(half == 0)), blurred.take(np.flatnonzero(half == 1))


def compare_archives(real: ImageSet, folds: int, steps: int, seed: int) -> dict[str, Interval]:
    """The yardstick: each real archive against the other real ones, for new patients."""
    scores = {}
    for source in sorted(set(real.sources.tolist())):
        others, own = (
            real.take(np.flatnonzero(keep))
            for keep in (real.sources != source, real.sources == source)
        )
        scores[source] = compare_patients(others, own, folds, steps, seed)[0]
    return scores


def show_extremes(
    folder: Path, name: str, real: ImageSet, simulated: ImageSet, answers: list[Answer]
) -> None:
    """Draws four rows: of simulated and of real, those most and least taken for real."""
    rows = []
    count = min(_EXTREMES, len(real), len(simulated))
    for image_set, attribute, ask_rows in (
        (simulated, "simulated", "test_simulated"),
        (real, "real", "test_real"),
    ):
        index = np.concatenate([getattr(a.round, ask_rows) for a in answers])
        # Ranks, for the scores of two networks do not compare.
        ranks = np.concatenate([_ranks(a, attribute) for a in answers])
        order = index[np.argsort(ranks, kind="stable")]
        for what, ends in (("taken for real", order), ("taken for simulated", order[::-1])):
            grey = image_set.images[ends[:count]].astype(np.float32)
            rows.append(SheetRow((f"{attribute}: {what}",), tuple(grey)))
    columns = [SheetColumn(f"{n + 1}", "", "gray", 0.0, 255.0) for n in range(count)]
    write_sheet(folder, name, rows, columns)


def _ranks(answer: Answer, attribute: str) -> NDArray[np.float64]:
    every = np.sort(np.concatenate([answer.real, answer.simulated]))
    return np.searchsorted(every, getattr(answer, attribute)) / len(every)


def _read_real(folders: list[Path]) -> list[LabelledImage]:
    return [entry for folder in folders for entry in read_radiographs(folder)]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--pairs", action="append", default=[], metavar="NAME=STORE")
    parser.add_argument("--array", default="attenuation", help="attenuation or transmission")
    parser.add_argument("--images", type=int, default=240, help="most images of each kind")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--numbers", action="store_true", help="also in what they differ")
    parser.add_argument("--yardstick", action="store_true", help="also real against real")
    parser.add_argument("--sheet", type=Path, help="folder for contact sheets")
    return parser.parse_args()


def main() -> None:
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(arguments.seed)
    settings = arguments.folds, arguments.steps, arguments.seed
    entries = _read_real(arguments.real)
    real = choose(collect(entries, arguments.side), arguments.images, rng)
    chosen = [d for d in entries if d.name in set(real.names.tolist())]
    result: dict[str, object] = {**describe_machine(), "real": len(real)}
    blurred = collect(chosen, arguments.side, _CONTROL_BLUR_PX)
    control, _ = compare(*split_for_control(real, blurred, rng), *settings)
    result["control"] = _rounded(control)
    if min(control[k].value or 0.0 for k in ("new patients", "new archives")) < _LEAST_CONTROL:
        result["warning"] = "the control failed: this classifier is too weak to say anything"
    if arguments.yardstick:
        between = compare_archives(real, *settings)
        result["one real archive against the others"] = _rounded(between)
    coarse = collect(chosen, arguments.side, _COARSE_BLUR_PX)
    for named in arguments.pairs:
        name, _, path = named.partition("=")
        pairs = read_pairs(Path(path), arguments.array, arguments.images)
        simulated = collect(pairs, arguments.side)
        scores, answers = compare(real, simulated, *settings)
        scores["new patients, both blurred"] = compare_patients(
            coarse, collect(pairs, arguments.side, _COARSE_BLUR_PX), *settings
        )[0]
        result[name] = {"images": len(pairs), **_rounded(scores)}
        if arguments.numbers:
            result[f"numbers of {name}"] = tabulate(entries, pairs, arguments.side)
        if arguments.sheet:
            show_extremes(arguments.sheet, name, real, simulated, answers)
    print(json.dumps(result, indent=2))


def _rounded(scores: dict[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {name: rounded(interval) for name, interval in scores.items()}


if __name__ == "__main__":
    main()
