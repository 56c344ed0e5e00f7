"""Detail that is given back, and what must not come with it."""

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.simulation.ct.deconvolution import restore_detail, sharpen_projection
from dfsynth.simulation.ct.resampling import Cubes

SPACING_MM = (1.75, 5.0, 1.75)


def blurred(hu: np.ndarray) -> Cubes:
    # A little less than what is undone: pixel, slice and kernel without the interpolation.
    return Cubes(np.asarray(ndimage.gaussian_filter(hu, (0.45, 0.82, 0.45)), np.float32), 1.75)


def test_a_border_of_lung_gets_steeper_and_does_not_ring() -> None:
    hu = np.full((24, 40, 24), 40, np.float32)
    hu[:, 20:] = -850
    scan = blurred(hu)
    sharp = restore_detail(scan, SPACING_MM).hu
    assert np.diff(sharp[12, :, 12]).min() < 1.15 * np.diff(scan.hu[12, :, 12]).min()
    assert sharp.min() >= -850.5
    assert sharp.max() <= 60


def test_a_thin_cortex_is_given_back_with_its_mass() -> None:
    hu = np.full((24, 40, 24), 50, np.float32)
    hu[:, 20] = 900
    scan = blurred(hu)
    sharp = restore_detail(scan, SPACING_MM).hu
    assert sharp[12, 20, 12] > 1.3 * scan.hu[12, 20, 12]
    assert sharp.mean() == pytest.approx(scan.hu.mean(), rel=0.05)


def test_what_is_even_stays_as_it_is() -> None:
    hu = np.full((12, 12, 12), -850, np.float32)
    np.testing.assert_allclose(restore_detail(Cubes(hu, 1.75), SPACING_MM).hu, hu, atol=0.01)


def test_a_projection_gets_its_fine_detail_back_and_keeps_the_rest() -> None:
    x = np.arange(128, dtype=np.float32)
    fine, wide = (
        np.tile(50 + np.cos(2 * np.pi * x / period), (32, 1)).astype(np.float32)
        for period in (3, 64)
    )
    inside = (slice(8, -8), slice(8, -8))
    assert sharpen_projection(fine, 1.5)[inside].std() > 1.5 * fine[inside].std()
    assert sharpen_projection(wide, 1.5)[inside].std() == pytest.approx(
        wide[inside].std(), rel=0.02
    )
    assert sharpen_projection(fine, 1.5).mean() == pytest.approx(fine.mean(), rel=1e-3)
    assert sharpen_projection(np.float32(100) * (fine > 50), 1.5).min() == 0
