"""Does the promise of `dfsynth filter --max-error` hold? 1,000 draws of calibration patients each.

python benchmarks/risk_control.py [--draws 1000] [--seed 0]

Images have a difficulty, half of which is their patient's; the score is that difficulty with noise
of its own, and an image fails (its error is above the limit) where difficulty and other noise pass
a mark, as one in six does. The true risk of a threshold is that of patients with 400,000 images.
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from machine import describe_machine
from numpy.typing import NDArray

from dfsynth.statistics import find_threshold
from dfsynth.statistics.learn_then_test import running_loss

RISK: Final = 0.1
CONFIDENCE: Final = 0.95
PATIENTS: Final = (20, 29, 40, 80, 160, 320)
_POPULATION: Final = 400_000
_MARK: Final = 1.1

Array = NDArray[np.float64]
Sample = tuple[Array, NDArray[np.bool_], NDArray[Any]]
"""Scores, whether each image failed, and the patient of each; (images)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind of images, and how the calibration patients differ from those of use."""

    name: str
    images: int = 1
    """Of each patient."""
    ease: float = 0.0
    """By how much calibration images are easier, in standard deviations of the difficulty."""
    chance: Callable[[Array], Array] | None = None
    """Score in [0, 1] → chance to fail; by default difficulties as above."""


SETTINGS: Final = (
    Setting("one image a patient"),
    Setting("two images a patient", images=2),
    Setting("five images a patient", images=5),
    Setting("a score that says nothing, 10.5 % fail", chance=lambda u: np.full_like(u, 0.105)),
    Setting(
        "a risk above the level, below it, and above",
        chance=lambda u: np.where((u > 0.25) & (u < 0.4), 0.3, np.where(u > 0.7, 0.3, 0.02)),
    ),
    Setting("calibration patients easier by 0.3", ease=0.3),
    Setting("calibration patients easier by 1", ease=1.0),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What the draws of one setting and number of patients gave; shares of the draws."""

    promised: float
    """Where some threshold could be promised."""
    kept: float
    """The mean share of images that the thresholds keep, none counting as 0."""
    violated: float
    """Where the threshold's risk is above the level: at most 1 - confidence as promised."""


def draw(setting: Setting, patients: int, ease: float, rng: np.random.Generator) -> Sample:
    """Images of so many patients."""
    shape = (patients, setting.images)
    owners = np.repeat(np.arange(patients), setting.images)
    if setting.chance is not None:
        scores = rng.random(shape).ravel()
        return scores, rng.random(scores.size) < setting.chance(scores), owners
    own, shared = rng.standard_normal(shape), rng.standard_normal((patients, 1))
    difficulty = (own + shared) / math.sqrt(2)
    scores = (difficulty + 0.5 * rng.standard_normal(shape)).ravel()
    failed = difficulty - ease + 0.5 * rng.standard_normal(shape) > _MARK
    return scores, failed.ravel(), owners


def simulate(setting: Setting, patients: int, draws: int, seed: int) -> Result:
    """Looks for a threshold in each draw, and looks its risk up in the population."""
    rng = np.random.default_rng([seed, patients, setting.images])
    scores, failed, owners = draw(setting, _POPULATION // setting.images, 0.0, rng)
    population = running_loss(scores, failed, owners)
    risks = population.losses / population.patients
    kept, violations, promises = 0.0, 0, 0
    for _ in range(draws):
        sample = draw(setting, patients, setting.ease, rng)
        found = find_threshold(*sample, RISK, CONFIDENCE)
        if found is None:
            continue
        at = int(np.searchsorted(population.scores, found.threshold, side="right"))
        promises += 1
        kept += at / len(scores)
        violations += bool(at and risks[at - 1] > RISK)
    return Result(promises / draws, kept / draws, violations / draws)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(describe_machine()))
    print(f"\nrisk {RISK}, confidence {CONFIDENCE}, {options.draws} draws each")
    print("promised / images kept / violated, per cent\n")
    print("| | " + " | ".join(f"{n} patients" for n in PATIENTS) + " |")
    print("|---" * (len(PATIENTS) + 1) + "|")
    for setting in SETTINGS:
        cells = []
        for patients in PATIENTS:
            found = simulate(setting, patients, options.draws, options.seed)
            shares = (found.promised, found.kept, found.violated)
            cells.append(" / ".join(f"{100 * share:.1f}" for share in shares))
        print(f"| {setting.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
