"""The largest threshold on a score below which errors stay rare, with a guarantee over patients.

Learn then test (Angelopoulos, Bates, Candès, Jordan & Lei, Annals of Applied Statistics 2025;
arXiv 2110.01052): each threshold t is a null hypothesis, "the risk at t is above the level", and
thresholds are tested in a fixed sequence from strict to loose until one is not rejected.

**The risk.** The unit is the patient. A patient's loss at t is the share of failed images among
its images with a score of at most t, and R(t) is the mean loss of patients who have such an image:
the chance that, of a patient drawn from those of whom t keeps something, a kept image drawn at
random has failed. With one image a patient that is P(failed | score ≤ t). It is a ratio of two
expectations, but given how many patients t keeps, their losses are independent draws with mean
R(t); so the tests below are exact or conservative given that number, and therefore also without
it. Images pooled over patients, where a patient of many images would weigh more, are not covered.

**The guarantee.** Over draws of independent calibration patients from the population of use, the
threshold that `find_threshold` gives has R(t) ≤ risk with a probability of at least `confidence`
(no threshold counts as success). It asks one thing of the score: that the risk, once it has passed
the level as t grows, stays above it, as it does wherever a larger score means more failures. The
probability can fall short by as much again for each further time that it passes the level. It asks
that scores have no ties. And it asks for exchangeability: calibration patients who are easier than
those of use void it.

**Where the sequence begins.** Tests on few patients reject almost nothing, so the strictest
threshold is one that keeps a number of patients fixed beforehand (`_first_count`). That this is
counted in the sample costs nothing under the condition above: if the first threshold is already
beyond the place where the risk passes the level, its patients are draws from both sides of that
place with mean losses of at least the level each, and the test is as unlikely to reject as ever.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_START: Final = 5
"""The sequence begins at no more than so many times the fewest patients: a test of those few
passes no failure at all, one of five times as many passes a share of half the risk [assumed]."""
_TINY: Final = 1e-300
_ROUNDING: Final = 1e-9
"""Sums of shares are off by less than this."""


@dataclass(frozen=True, slots=True)
class RiskThreshold:
    """A threshold whose risk is controlled, and what the calibration patients say of it."""

    threshold: float
    """Images with a score of at most this are kept."""
    patients: int
    """Calibration patients of whom an image is kept."""
    loss: float
    """Their mean loss, in [0, 1]: an estimate of the risk, and no bound of it."""


@dataclass(frozen=True, slots=True, eq=False)
class RunningLoss:
    """Patients kept and their losses as the threshold grows through a sample's scores."""

    scores: Array
    """(thresholds), the different scores, ascending."""
    patients: Counts
    """(thresholds), how many patients have an image with at most that score."""
    losses: Array
    """(thresholds), the sum of their losses; over `patients` it is the sample's own risk."""


def find_threshold(
    scores: NDArray[np.floating],
    failed: NDArray[np.bool_],
    patients: NDArray[Any],
    risk: float,
    confidence: float,
) -> RiskThreshold | None:
    """Finds the largest threshold whose risk is controlled; None where there is none.

    The test of a threshold is the exact binomial one where every patient has one image, else that
    of Hoeffding and Bentkus.

    Args:
        scores: (images), finite; low is good.
        failed: (images), whether the image's error is larger than allowed.
        patients: (images), the patient of each.
        risk: The largest R(t), in (0, 1).
        confidence: Of the guarantee, in (0, 1).

    Raises:
        ValueError: no image, a score that is not finite, or a level outside (0, 1).
    """
    _check_levels(risk, confidence)
    running = running_loss(scores, failed, patients)
    start = _first_count(int(running.patients[-1]), risk, confidence)
    first = int(np.searchsorted(running.patients, start))
    binary = len(scores) == running.patients[-1]
    chances = p_values(running.losses[first:], running.patients[first:], risk, binary)
    passed = int(np.cumprod(chances <= 1 - confidence).sum())
    if not passed:
        return None
    last = first + passed - 1
    count = int(running.patients[last])
    return RiskThreshold(float(running.scores[last]), count, float(running.losses[last] / count))


def fewest_patients(risk: float, confidence: float) -> int:
    """The fewest patients, none with a failed image, that control this risk: 29 at 0.1 and 0.95.

    Raises:
        ValueError: a level outside (0, 1).
    """
    _check_levels(risk, confidence)
    return max(math.ceil(math.log(1 - confidence) / math.log1p(-risk) - _ROUNDING), 1)


def lowest_risk(patients: int, confidence: float) -> float:
    """The lowest risk that so many patients can control, if none has a failed image.

    Equals 1 − (1 − confidence)^(1 / patients): 0.139 for 20 patients at 0.95.
    """
    return float(1 - (1 - confidence) ** (1 / patients))


def running_loss(
    scores: NDArray[np.floating], failed: NDArray[np.bool_], patients: NDArray[Any]
) -> RunningLoss:
    """Follows the losses of a sample's patients as the threshold grows; all arguments (images).

    Raises:
        ValueError: no image, or a score that is not finite.
    """
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("expected at least one score, all finite")
    order = np.argsort(scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    owner = np.unique(patients, return_inverse=True)[1][order]
    # One patient's images after the other's, each in the order of the scores.
    grouped = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[grouped], prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))
    first = np.repeat(starts, sizes)
    fails: Counts = failed[order][grouped].astype(np.int64)
    # Of all patients before each image's own.
    earlier = np.repeat((np.cumsum(fails) - fails)[starts], sizes)
    shares = (np.cumsum(fails) - earlier) / (np.arange(len(owner)) - first + 1)
    opens = np.zeros(len(owner), np.bool_)
    opens[starts] = True
    change, appears = np.empty(len(owner)), np.empty(len(owner), np.int64)
    change[grouped] = shares - np.where(opens, 0.0, np.roll(shares, 1))
    appears[grouped] = opens
    # A threshold keeps all images of equal score.
    ends = np.flatnonzero(np.diff(ranked, append=np.inf))
    return RunningLoss(ranked[ends], np.cumsum(appears)[ends], np.cumsum(change)[ends])


def p_values(losses: Array, patients: Counts, risk: float, binary: bool) -> Array:
    """P-values (tests) of "the mean loss is above the risk", from sums of losses of patients.

    Where every loss is 0 or 1 (`binary`), the chance of as few failures at the risk itself, which
    is exact. Else the smaller of Hoeffding's bound of that chance and Bentkus's, e times that of
    the binomial law (Bates, Angelopoulos, Lei, Malik & Jordan, Journal of the ACM 2021, eq. 10).
    1 where the losses are no less than the risk.

    Args:
        losses: (tests), sums over the patients of losses in [0, 1].
        patients: (tests), how many each sum is over.
        risk: In (0, 1).
        binary: Whether all losses are 0 or 1.
    """
    found = np.ones(len(losses))
    low = np.flatnonzero(losses < risk * patients - _ROUNDING)
    if not low.size:
        return found
    total, count = losses[low], patients[low]
    chance = _binomial_tail(np.ceil(total - _ROUNDING).astype(np.int64), count, risk)
    if binary:
        found[low] = chance
        return found
    mean = np.maximum(total / count, 0)
    divergence = mean * np.log(np.maximum(mean, _TINY) / risk)
    divergence += (1 - mean) * np.log((1 - mean) / (1 - risk))
    found[low] = np.minimum(np.exp(-count * divergence), math.e * chance)
    return np.minimum(found, 1)


def _first_count(patients: int, risk: float, confidence: float) -> int:
    """How many patients the first threshold keeps: a function of the sample's size and the levels.

    At most half of them, unless fewer could not pass; and of those numbers that pass as many
    failures the smallest.
    """
    fewest = fewest_patients(risk, confidence)
    most = min(patients // 2, _START * fewest)
    if most <= fewest:
        return fewest
    failures = np.arange(math.ceil(risk * most) + 1)
    passes = _binomial_tail(failures, np.full(len(failures), most), risk) <= 1 - confidence
    counts = np.arange(fewest, most + 1)
    allowed = np.full(len(counts), int(passes.sum()) - 1)
    return int(counts[np.argmax(_binomial_tail(allowed, counts, risk) <= 1 - confidence)])


def _binomial_tail(most: Counts, draws: Counts, chance: float) -> Array:
    """The probability (tests) of at most `most` (tests) of `draws` (tests), each of `chance`."""
    factorials = np.cumsum(np.log(np.maximum(np.arange(draws.max() + 1), 1)))
    hits = np.arange(most.max() + 1)
    misses = draws[:, None] - hits
    counted = (hits <= most[:, None]) & (misses >= 0)
    misses = np.where(counted, misses, 0)
    log_mass = factorials[draws][:, None] - factorials[hits] - factorials[misses]
    log_mass += hits * math.log(chance) + misses * math.log1p(-chance)
    return np.asarray(np.exp(np.where(counted, log_mass, -np.inf)).sum(axis=1))


def _check_levels(risk: float, confidence: float) -> None:
    if not (0 < risk < 1 and 0 < confidence < 1):
        raise ValueError(
            f"expected a risk and a confidence between 0 and 1, found {risk} and {confidence}"
        )
