"""The conventional exposure: densities, scatter and counted noise."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulation.acquisition import XrayTube, transmit
from dfsynth.simulation.acquisition.scatter import ScatterParameters
from dfsynth.simulation.display.exposure import ExposureParameters, draw_exposure, expose
from dfsynth.simulation.display.motion_blur import MotionBlurParameters

PLAIN = ExposureParameters(XrayTube(120), None, None, None, (0.0, 0.0), None, 0)


def slab(water_mm: float, side: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    water = np.full((side, side), water_mm, np.float32)
    return water, np.zeros_like(water), np.zeros_like(water)


def test_a_plain_exposure_is_minus_log_transmission() -> None:
    found = expose(*slab(180), 1.0, PLAIN)
    np.testing.assert_allclose(found, -np.log(transmit(*slab(180)[:2], XrayTube(120))), rtol=1e-5)


def test_scatter_fills_the_dense_parts_with_light() -> None:
    water = np.full((64, 64), 120, np.float32)
    water[:, 24:40] = 260
    nothing = np.zeros_like(water)
    veiled = replace(PLAIN, scatter=ScatterParameters(40, 2.0, 1.0))
    plain, scattered = (expose(water, nothing, nothing, 4.0, p) for p in (PLAIN, veiled))
    assert np.ptp(scattered) < 0.8 * np.ptp(plain)


def test_noise_is_that_of_the_counted_photons() -> None:
    noisy = expose(*slab(200, 256), 0.5, replace(PLAIN, photons_per_mm2=4e5))
    counts = 4e5 * 0.25 * transmit(*slab(200, 1)[:2], XrayTube(120))[0, 0]
    assert noisy.std() == pytest.approx(counts**-0.5, rel=0.02)


def test_the_open_field_slopes_as_asked() -> None:
    found = expose(*slab(0), 1.0, replace(PLAIN, slope=(0.1, -0.2)))
    assert found[0, -1] - found[0, 0] == pytest.approx(0.1, abs=1e-5)
    assert found[-1, 0] - found[0, 0] == pytest.approx(-0.2, abs=1e-5)


def test_bones_stay_sharp_where_soft_tissue_moves() -> None:
    water, bone, metal = slab(150)
    moved = replace(PLAIN, motion_blur=MotionBlurParameters(3.0, 3.0))
    bone[40:] = 5
    np.testing.assert_allclose(
        expose(water, bone, metal, 1.0, moved), expose(water, bone, metal, 1.0, PLAIN), atol=1e-5
    )


def test_the_bedside_has_no_grid() -> None:
    ratios = [draw_exposure(80, "bedside", np.random.default_rng(s)).scatter for s in range(30)]
    assert all(one is not None and one.scatter_to_primary >= 1 for one in ratios)
