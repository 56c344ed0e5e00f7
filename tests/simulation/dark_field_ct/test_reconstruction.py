"""Filtered back-projection: known coefficients come back, and scikit-image agrees."""

import numpy as np
import pytest
import torch
from ellipses import Ellipse, draw_ellipses, line_integrals
from skimage.transform import iradon

from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.reconstruction import reconstruct
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings

SIDE, PIXEL_MM = 128, 3.0
LUNGS = [Ellipse(-75.0, 10.0, 60.0, 90.0, 2.5), Ellipse(80.0, -5.0, 55.0, 100.0, 1.5)]


def chords(beam: str, shots: int = 720, side: int = SIDE) -> tuple[torch.Tensor, ScanGeometry]:
    geometry = ScanGeometry.of(ScanSettings(beam=beam, shots_per_rotation=shots), side, PIXEL_MM)
    integrals = sum(line_integrals(one, geometry) for one in LUNGS)
    return torch.from_numpy(np.asarray(integrals, np.float32))[None], geometry


@pytest.mark.parametrize("window", ["ram-lak", "hann"])
@pytest.mark.parametrize("beam", ["parallel", "fan"])
def test_coefficients_come_back_where_they_were(beam: str, window: str) -> None:
    (found,) = reconstruct(*chords(beam), window).numpy()
    for one in LUNGS:
        inner = Ellipse(one.x, one.y, one.semi_x - 12, one.semi_y - 12, 1.0)
        inside = draw_ellipses([inner], SIDE, PIXEL_MM) == 1
        assert found[inside].mean() == pytest.approx(one.per_m, rel=0.005)
        assert found[inside].std() < 0.03 * one.per_m
    truth = draw_ellipses(LUNGS, SIDE, PIXEL_MM)
    assert np.sqrt(np.mean((found - truth) ** 2)) < 0.12
    corner = np.hypot(*np.meshgrid(*2 * [np.arange(SIDE) - 63.5])) > SIDE / 2
    assert not found[corner].any()


@pytest.mark.parametrize("window", ["ram-lak", "hann"])
def test_scikit_image_reconstructs_the_same(window: str) -> None:
    # An odd side: there both take the middle of the middle pixel for the axis of rotation.
    integrals, geometry = chords("parallel", side=SIDE + 1)
    (ours,) = reconstruct(integrals, geometry, window).numpy()
    half = integrals[0, : geometry.shots // 2].numpy()
    theirs = iradon(
        half.T,
        np.arange(len(half)) * 360 / geometry.shots,
        filter_name="ramp" if window == "ram-lak" else "hann",
        output_size=SIDE + 1,
    )
    # Its y grows upwards, and its unit of length is a pixel.
    difference = ours - theirs[::-1] * 1000 / PIXEL_MM
    assert np.sqrt(np.mean(difference**2)) < 0.001 * 2.5
    place = np.arange(SIDE + 1) - SIDE / 2
    away_from_the_edge = np.hypot(*np.meshgrid(place, place)) < SIDE / 2 - 2
    assert np.abs(difference[away_from_the_edge]).max() < 0.015 * 2.5


def test_opposite_views_of_a_parallel_beam_are_averaged() -> None:
    integrals, geometry = chords("parallel", shots=60)
    half = integrals.clone()
    half[:, 30:] = 0
    whole = reconstruct(integrals, geometry, "ram-lak")
    assert reconstruct(2 * half, geometry, "ram-lak").numpy() == pytest.approx(
        whole.numpy(), abs=1e-4
    )


def test_a_point_seen_by_a_fan_lies_where_it_is() -> None:
    _, geometry = chords("fan", shots=240)
    dot = Ellipse(90.0, -60.0, 6.0, 6.0, 10.0)
    integrals = torch.from_numpy(line_integrals(dot, geometry).astype(np.float32))[None]
    (found,) = reconstruct(integrals, geometry, "ram-lak").numpy()
    row, column = np.unravel_index(found.argmax(), found.shape)
    place_mm = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_MM
    assert abs(place_mm[column] - 90) < PIXEL_MM
    assert abs(place_mm[row] + 60) < PIXEL_MM
