"""Lines through a disc are as long as its chords, whichever way they run."""

import numpy as np

from dfsynth.simulation.pet_ct.projector import SUBSETS, VIEWS, line_projector


def disc(side: int, radius: float) -> np.ndarray:
    y, x = np.ogrid[:side, :side]
    middle = (side - 1) / 2
    return np.clip(radius - np.hypot(y - middle, x - middle) + 0.5, 0, 1).astype(np.float32)


def test_lines_through_a_disc() -> None:
    projector = line_projector(48)
    found = projector.project(disc(48, 15), pixel_mm=2.0).reshape(VIEWS, projector.bins)
    place = np.arange(projector.bins) - (projector.bins - 1) / 2
    chord = 2 * np.sqrt(np.maximum(15**2 - place**2, 0)) * 2.0
    away = np.abs(np.abs(place) - 15) > 1.5
    np.testing.assert_allclose(found[:, away] - chord[away], 0, atol=1.0)


def test_views_turn_and_every_view_sees_all() -> None:
    """A pixel's sinogram is a sine, and its sum in a view is its area: 1 pixel a bin."""
    projector = line_projector(48)
    image = np.zeros((48, 48), np.float32)
    image[30, 10] = 1
    views = projector.project(image, 1.0).reshape(SUBSETS, VIEWS // SUBSETS, projector.bins)
    in_order = views.transpose(1, 0, 2).reshape(VIEWS, projector.bins)
    place = np.arange(projector.bins) - (projector.bins - 1) / 2
    angle = np.arange(VIEWS) * np.pi / VIEWS
    seen = (in_order * place).sum(axis=1) / in_order.sum(axis=1)
    np.testing.assert_allclose(seen, -13.5 * np.cos(angle) + 6.5 * np.sin(angle), atol=0.5)
    blurred = projector.project(disc(48, 6), 1.0).reshape(VIEWS, projector.bins)
    np.testing.assert_allclose(blurred.sum(axis=1), disc(48, 6).sum(), rtol=0.02)
