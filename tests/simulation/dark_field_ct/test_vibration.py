"""The phase of the fringes, its derivative, and the blur of one shot."""

import math

import numpy as np
import pytest
import torch

from dfsynth.simulation.dark_field_ct.scan_settings import VIBRATION_MODES, ScanSettings
from dfsynth.simulation.dark_field_ct.vibration import (
    FringePhase,
    ModeDraw,
    blur_visibility,
    draw_phase,
)

POSITION = torch.tensor([-1.0, 0.0, 0.5, 1.0])


def test_the_phase_is_that_of_the_formula() -> None:
    mode = ModeDraw(amplitude_rad=1.5, tilt_rad=0.4, frequency_hz=18.0, start_rad=0.3)
    phase = FringePhase(0.7, 3.0, 0.5, (mode,))
    time_s = torch.tensor([0.0, 0.01, 1.2], dtype=torch.float64)
    found, _ = phase.at(time_s, POSITION)
    u, t = POSITION.double(), time_s[:, None]
    expected = (
        0.7
        + math.pi * 3.0 * u
        + 2 * math.pi * 0.5 * t
        + (1.5 + u * 0.4) * torch.sin(2 * math.pi * 18.0 * t + 0.3)
    )
    assert torch.cos(found).numpy() == pytest.approx(torch.cos(expected).numpy(), abs=1e-5)
    assert torch.sin(found).numpy() == pytest.approx(torch.sin(expected).numpy(), abs=1e-5)


def test_the_rate_is_the_derivative_of_the_phase() -> None:
    phase = draw_phase(ScanSettings(), np.random.default_rng(3))
    time_s = torch.linspace(0, 0.05, 4001, dtype=torch.float64)
    values, rate = phase.at(time_s, POSITION)
    unwrapped = np.unwrap(values.double().numpy(), axis=0)
    slope = np.gradient(unwrapped, time_s.numpy(), axis=0)
    assert rate[1:-1].numpy() == pytest.approx(slope[1:-1], abs=2.0)
    assert np.abs(slope).max() > 500


def test_a_shot_sees_the_mean_of_a_moving_fringe() -> None:
    rate, shot_s = 1500.0, 1e-3
    times = (np.arange(1000) - 499.5) / 1000 * shot_s
    mean = np.cos(0.4 + rate * times).mean()
    blurred = float(blur_visibility(torch.tensor(rate), shot_s)) * math.cos(0.4)
    assert blurred == pytest.approx(mean, rel=1e-4)
    assert float(blur_visibility(torch.tensor(0.0), shot_s)) == 1


def test_draws_keep_to_their_ranges_and_names() -> None:
    for seed in range(50):
        drawn = draw_phase(ScanSettings(vibration_scale=2.0), np.random.default_rng(seed))
        for mode, nominal in zip(drawn.modes, VIBRATION_MODES, strict=True):
            assert 0.5 <= mode.amplitude_rad / (2 * nominal.amplitude_rad) <= 1.5
            assert 0.2 <= abs(mode.tilt_rad) / (2 * nominal.amplitude_rad) <= 0.6
            assert 0.97 <= mode.frequency_hz / nominal.frequency_hz <= 1.03
    named = drawn.parameters("scan")
    assert len(named) == 2 + 4 * len(VIBRATION_MODES)
    assert named["scan_mode_2_frequency_hz"] == drawn.modes[1].frequency_hz


def test_without_vibration_only_the_drift_moves() -> None:
    settings = ScanSettings(vibration_scale=0.0, drift_cycles_per_s=50.1)
    _, rate = draw_phase(settings, np.random.default_rng(0)).at(
        torch.linspace(0, 1, 7, dtype=torch.float64), POSITION
    )
    assert rate.numpy() == pytest.approx(2 * math.pi * 50.1)
