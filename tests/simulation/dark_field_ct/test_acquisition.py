"""Photons: their mean is the signal model's, their spread Poisson's."""

import numpy as np
import pytest
import torch
from scipy.stats import poisson, skew

from dfsynth.simulation.dark_field_ct.acquisition import Scanner, count_photons
from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.vibration import draw_phase

CPU = torch.device("cpu")


@pytest.mark.parametrize("mean", [5.0, 30.0, 1000.0])
def test_counts_are_spread_like_poisson_s(mean: float) -> None:
    counts = count_photons(torch.full((400_000,), mean), np.random.default_rng(1)).numpy()
    assert counts.min() >= 0
    assert counts.mean(dtype=float) == pytest.approx(mean, rel=0.003)
    assert counts.var(dtype=float) == pytest.approx(mean, rel=0.02)
    assert skew(counts.astype(float)) == pytest.approx(mean**-0.5, abs=0.03)
    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        # A count is whole, so a quantile lies within one of it.
        assert np.quantile(counts, share) == pytest.approx(poisson.ppf(share, mean), abs=1.01)


def test_no_photons_give_hardly_any_counts() -> None:
    counts = count_photons(torch.zeros(1000), np.random.default_rng(1))
    assert counts.min() == 0
    assert counts.mean() < 0.2


def test_the_mean_is_the_signal_model_s() -> None:
    settings = ScanSettings(shots_per_rotation=90, photon_noise=False)
    geometry = ScanGeometry.of(settings, 32, 10.0)
    scanner = Scanner(settings, geometry, CPU)
    phase = draw_phase(settings, np.random.default_rng(2))
    attenuation, dark_field = torch.full((90, 32), 2.0), torch.full((90, 32), 0.5)
    rng = np.random.default_rng(0)
    turns = list(scanner.expose(attenuation, dark_field, phase, 3, rng))
    assert len(turns) == 3
    time_s = (torch.arange(90, dtype=torch.float64) + 0.5 + 2 * 90) * settings.shot_s
    expected_phase, rate = phase.at(time_s, geometry.detector_position(CPU))
    half_turn = rate * settings.shot_s / 2
    blur = torch.sin(half_turn) / half_turn
    expected = 1e4 * np.exp(-2.0) * (1 + 0.25 * blur * np.exp(-0.5) * torch.cos(expected_phase))
    assert turns[2].phase_rad.numpy() == pytest.approx(expected_phase.numpy(), abs=1e-3)
    assert turns[2].counts.numpy() == pytest.approx(expected.numpy(), rel=1e-3)
    assert not torch.equal(turns[0].counts, turns[1].counts)


def test_noise_comes_from_the_generator_alone() -> None:
    mean = torch.full((50, 20), 80.0)
    first = count_photons(mean, np.random.default_rng(7))
    assert torch.equal(first, count_photons(mean, np.random.default_rng(7)))
    assert not torch.equal(first, count_photons(mean, np.random.default_rng(8)))
    # The same deviates whatever the means are.
    other = count_photons(4 * mean, np.random.default_rng(7))
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] > 0.999
