"""Least squares in closed form against numpy, and its noise against the formula."""

import numpy as np
import pytest
import torch

from dfsynth.simulation.dark_field_ct.acquisition import Exposure, count_photons
from dfsynth.simulation.dark_field_ct.phase_stepping import step_over_rotations
from dfsynth.simulation.dark_field_ct.retrieval import Fringe, FringeSums, to_line_integrals

SHOTS, PIXELS, WINDOW = 60, 5, 31


def exposure(seed: int) -> Exposure:
    rng = np.random.default_rng(seed)
    phase = torch.from_numpy(rng.uniform(0, 6.28, (SHOTS, PIXELS)).astype(np.float32))
    counts = 500 * (1 + 0.2 * torch.cos(phase - 0.4))
    return Exposure(count_photons(counts, rng), phase)


def solve(counts: np.ndarray, phase: np.ndarray) -> tuple[float, float]:
    """Mean and visibility of one fit by numpy."""
    basis = np.stack([np.ones_like(phase), np.cos(phase), np.sin(phase)], axis=1)
    mean, of_cos, of_sin = np.linalg.lstsq(basis, counts, rcond=None)[0]
    return mean, np.hypot(of_cos, of_sin) / mean


def test_every_window_is_the_least_squares_of_its_shots() -> None:
    turn = exposure(0)
    found = FringeSums.of(turn).over_neighbours(WINDOW).fit()
    counts, phase = turn.counts.double().numpy(), turn.phase_rad.double().numpy()
    for shot in (0, 7, 30, SHOTS - 1):
        # A full turn closes on itself.
        window = np.arange(shot - WINDOW // 2, shot + WINDOW // 2 + 1) % SHOTS
        for pixel in range(PIXELS):
            mean, visibility = solve(counts[window, pixel], phase[window, pixel])
            assert float(found.mean[shot, pixel]) == pytest.approx(mean, rel=1e-5)
            assert float(found.visibility[shot, pixel]) == pytest.approx(visibility, rel=1e-4)


def test_phase_stepping_is_the_least_squares_over_rotations() -> None:
    turns = [exposure(seed) for seed in range(6)]
    first = FringeSums.of(turns[0])
    alone = first.sums.clone()
    found = step_over_rotations(first, turns[1:]).fit()
    assert torch.equal(first.sums, alone)
    counts = np.stack([turn.counts.double().numpy() for turn in turns])
    phase = np.stack([turn.phase_rad.double().numpy() for turn in turns])
    for shot, pixel in ((0, 0), (31, 4), (59, 2)):
        mean, visibility = solve(counts[:, shot, pixel], phase[:, shot, pixel])
        assert float(found.mean[shot, pixel]) == pytest.approx(mean, rel=1e-5)
        assert float(found.visibility[shot, pixel]) == pytest.approx(min(visibility, 1), rel=1e-4)


def test_a_fit_over_the_turn_takes_all_shots() -> None:
    turn = exposure(3)
    found = FringeSums.of(turn).over_turn().fit()
    mean, visibility = solve(
        turn.counts[:, 1].double().numpy(), turn.phase_rad[:, 1].double().numpy()
    )
    assert found.mean.shape == (1, PIXELS)
    assert float(found.mean[0, 1]) == pytest.approx(mean, rel=1e-6)
    assert float(found.visibility[0, 1]) == pytest.approx(visibility, rel=1e-5)


@pytest.mark.parametrize("counts", [0.0, 100.0])
def test_equal_phases_and_dark_pixels_give_finite_numbers(counts: float) -> None:
    shape = (SHOTS, PIXELS)
    turn = Exposure(torch.full(shape, counts), torch.full(shape, 0.3))
    found = FringeSums.of(turn).over_neighbours(WINDOW).fit()
    integrals = to_line_integrals(found, Fringe(torch.tensor(1e4), torch.tensor(0.25)))
    assert torch.isfinite(integrals).all()
    assert (found.mean > 0).all()


@pytest.mark.parametrize("photons", [40.0, 1000.0])
@pytest.mark.parametrize("visibility", [0.1, 0.25])
def test_the_noise_is_that_of_the_formula(photons: float, visibility: float) -> None:
    """var D = (2 / V² - 1) / N of all photons N of the fit, for phases spread evenly."""
    shots, fits = 400, 4000
    phase = (2 * np.pi * np.arange(shots) / shots)[:, None] + np.zeros(fits)
    phase_rad = torch.from_numpy(phase.astype(np.float32))
    mean = photons * (1 + visibility * torch.cos(phase_rad))
    turn = Exposure(count_photons(mean, np.random.default_rng(5)), phase_rad)
    fringe = FringeSums.of(turn).over_turn().fit()
    expected = (2 / visibility**2 - 1) / (photons * shots)
    found = float(fringe.visibility.double().log().var())
    assert found == pytest.approx(expected, rel=0.1)
    assert float(fringe.mean.double().log().var()) == pytest.approx(1 / (photons * shots), rel=0.1)
