"""Factors with a guarantee, on patients whose errors have a known law."""

import numpy as np
import pytest
from scipy.stats import norm

from dfsynth.errors import UsageError
from dfsynth.evaluate.calibration import LEVELS, CalibrationPixels, interval_factors
from dfsynth.evaluate.controlled_risk import (
    CONFIDENCE,
    FEWEST_PATIENTS,
    controlled_factors,
)

SPREAD = 0.4
"""Of the logarithm of the patients' own factors of the error."""
SCALES = np.exp(SPREAD * np.random.default_rng(0).standard_normal(20_000))


def patients(count: int, seed: int, pixels: int = 200) -> list[CalibrationPixels]:
    """Gaussian errors, of each patient larger or smaller than the sigma of 1 says."""
    rng = np.random.default_rng(seed)
    scales = np.exp(SPREAD * rng.standard_normal(count))
    return [
        CalibrationPixels(f"p{n}", scale * rng.standard_normal((1, pixels)), np.ones((1, pixels)))
        for n, scale in enumerate(scales)
    ]


def risk(factor: float) -> float:
    """The share of pixels that an interval misses, of all patients that there are."""
    return float(np.mean(2 * norm.sf(factor / SCALES)))


def test_the_risk_is_kept_as_often_as_is_promised() -> None:
    draws = [patients(60, seed) for seed in range(100)]
    for level in ("0.8", "0.9"):
        kept = [risk(controlled_factors(d)[0][level]) <= 1 - float(level) for d in draws]
        plain = [risk(interval_factors(d)[0][level]) <= 1 - float(level) for d in draws]
        assert np.mean(kept) >= CONFIDENCE
        assert np.mean(plain) < 0.7


def test_more_patients_make_narrower_intervals() -> None:
    few, many = (controlled_factors(patients(n, 1, 50))[0] for n in (FEWEST_PATIENTS, 2000))
    plain = interval_factors(patients(2000, 1, 50))[0]
    for level in map(str, LEVELS):
        assert plain[level] < many[level] < few[level]
    assert many["0.9"] == pytest.approx(plain["0.9"], rel=0.1)


def test_images_of_one_patient_count_as_one() -> None:
    whole = patients(60, 2)
    halves = [
        CalibrationPixels(p.patient_id, p.errors[:, part], p.sigmas[:, part])
        for p in whole
        for part in (slice(0, 100), slice(100, 200))
    ]
    assert controlled_factors(halves)[0] == pytest.approx(controlled_factors(whole)[0])


def test_too_few_patients_can_promise_nothing() -> None:
    assert FEWEST_PATIENTS == 45
    with pytest.raises(ValueError, match="45 patients or more, found 44"):
        controlled_factors(patients(44, 0))


def test_an_evaluation_keeps_the_promise_that_it_names(evaluate, make_pairs) -> None:
    pairs = make_pairs(4 * FEWEST_PATIENTS)
    found = evaluate(pairs, calibration="controlled").scores.calibration
    plain = evaluate(pairs, calibration="pairs").scores.calibration
    assert (found.source, found.patients) == ("controlled risk", FEWEST_PATIENTS)
    for ours, narrower in zip(found.stages, plain.stages, strict=True):
        assert all(ours[level] > narrower[level] for level in map(str, LEVELS))


def test_too_few_patients_are_refused_before_they_are_predicted(
    evaluate, make_pairs, make_generator
) -> None:
    generator = make_generator()
    with pytest.raises(UsageError, match="controlled: 6 calibration patients"):
        evaluate(make_pairs(24), generator, calibration="controlled")
    assert generator.batch_sizes == []
    pairs = make_pairs(4 * FEWEST_PATIENTS, lungless={0, 1})
    with pytest.raises(UsageError, match="controlled: 44 calibration patients with enough"):
        evaluate(pairs, generator, calibration="controlled")
