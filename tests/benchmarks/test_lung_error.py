"""What lung errors are made of."""

from pathlib import Path

import numpy as np
import pytest
from lung_error import best_factor, describe, predict_by_thickness, read_lungs

import dfsynth


def test_the_best_factor_is_the_best() -> None:
    rng = np.random.default_rng(0)
    prediction = rng.uniform(0.1, 1, 500)
    truth = 0.7 * prediction + 0.05 * rng.standard_normal(500)
    found = best_factor(prediction, truth)
    assert found == pytest.approx(0.7, abs=0.02)
    errors = [np.abs(truth - f * prediction).mean() for f in (found - 0.01, found, found + 0.01)]
    assert errors[1] == min(errors)


def error_of(found: dict[str, str | float]) -> float:
    """The value, without its interval."""
    return float(str(found["MAE"]).split()[0])


def test_a_patients_own_coefficient_is_what_the_factor_takes_away(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.zarr"
    dfsynth.simulate_pairs(pairs, 12, size=64, seed=3)
    lungs = read_lungs(pairs, 64)
    test = lungs["test"]
    assert all(lung.thickness_mm.shape == lung.clean.shape for lung in test)
    constant = np.median(np.concatenate([lung.clean for lung in lungs["train"]]))
    flat = describe([np.full_like(lung.clean, constant) for lung in test], test)
    by_hand = np.mean([np.abs(lung.clean - constant).mean() for lung in test])
    assert error_of(flat) == pytest.approx(by_hand, abs=6e-4)
    scaled = describe([3 * lung.clean for lung in test], test)
    assert error_of(scaled) > 0.1
    assert float(str(scaled["MAE after the best factor"]).split()[0]) == 0
    predict = predict_by_thickness(lungs["train"])
    known = describe([predict(lung) for lung in test], test)
    assert error_of(known) < error_of(flat)
