"""Settings that cannot give a scan are refused in one line that says what to change."""

import numpy as np
import pytest

from dfsynth.errors import UsageError
from dfsynth.simulation.dark_field_ct.coverage import phase_coverage
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings, VibrationMode


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"rotations": 0}, "--rotations 0: expected 1 to 20"),
        ({"rotations": 21}, "--rotations 21: expected 1 to 20"),
        ({"shots_per_rotation": 30}, "--shots 30: expected at least the 31 shots of a retrieval"),
        ({"shots_per_rotation": 601}, "--shots 601: expected an even number"),
        ({"window_shots": 30}, "--window-shots 30: expected an odd number from 21 to 41"),
        ({"window_shots": 19}, "--window-shots 19: expected"),
        ({"window_shots": 43}, "--window-shots 43: expected"),
        ({"detector_pixels": 8}, "detector_pixels 8: expected at least 16"),
        ({"beam": "cone"}, "--beam 'cone': expected parallel or fan"),
        ({"filter": "cosine"}, "filter 'cosine': expected ram-lak or hann"),
        ({"photons": 0.0}, "photons 0.0: expected a positive number"),
        ({"rotation_s": float("nan")}, "rotation_s nan: expected a positive number"),
        ({"visibility": 1.2}, "visibility 1.2: expected a number above 0"),
        ({"vibration_scale": -1.0}, "--vibration -1.0: expected 0 or a positive"),
        ({"drift_cycles_per_s": -1.0}, "--drift -1.0: expected 0 or a positive"),
        ({"modes": (VibrationMode(0.0, 1.0),)}, "frequency_hz of a vibration mode 0.0: "),
        ({"modes": (VibrationMode(9.0, -1.0),)}, "amplitude_rad of a vibration mode -1.0: "),
    ],
)
def test_out_of_range(changes: dict[str, float], line: str) -> None:
    with pytest.raises(UsageError) as refusal:
        ScanSettings(**changes)  # type: ignore[arg-type]
    assert line in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        # At rest: equal phases in every window.
        ({"vibration_scale": 0.0, "drift_cycles_per_s": 0.0}, "window of 31 shots"),
        # A slow drift alone moves a hundredth of a fringe in a window.
        ({"vibration_scale": 0.0}, "window of 31 shots"),
        ({"vibration_scale": 0.01}, "window of 31 shots"),
        # Whole cycles a rotation: the same phase at the same angle, however often it turns.
        ({"vibration_scale": 0.0, "drift_cycles_per_s": 20.0}, "phase stepping over 10 rotations"),
    ],
)
def test_without_phase_coverage(changes: dict[str, float], where: str) -> None:
    with pytest.raises(UsageError, match=rf"{where}.* --vibration .* --drift .*raise one of them"):
        ScanSettings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("rotations", [1, 2, 3, 5, 10, 20])
def test_a_fit_over_rotations_has_about_the_shots_of_a_window(rotations: int) -> None:
    settings = ScanSettings(rotations=rotations)
    assert settings.stepping_shots % 2 == 1
    assert abs(settings.stepping_shots * rotations - settings.window_shots) <= rotations
    assert ScanSettings(rotations=1).stepping_shots == settings.window_shots


def test_coverage_is_half_over_whole_fringes_and_falls_to_nothing() -> None:
    shots = np.arange(310)

    def of(fringes: float) -> float:
        return phase_coverage(2 * np.pi * fringes * shots[None] / 31, 31)

    assert of(1.0) == pytest.approx(0.5)
    assert of(0.0) == pytest.approx(0.0, abs=1e-12)
    assert 0 < of(0.1) < of(0.2) < of(0.4) < 0.5
    # The variance of phases that hardly spread, in the direction of the fringe's curvature.
    assert of(0.1) == pytest.approx((0.2 * np.pi) ** 4 / 720, rel=0.1)


def test_coverage_looks_along_rotations() -> None:
    steps = np.repeat(2 * np.pi * np.arange(4)[:, None] / 4, 60, axis=1)
    assert phase_coverage(steps, 1) == pytest.approx(0.5)
