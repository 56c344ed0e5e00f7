"""The lung's thickness from its outline: exact for an ellipsoid, and its hidden parts."""

import numpy as np
import pytest

from dfsynth.simulation.cxr.thickness import LungShape, lung_shape

SIDE = 256
Y, X = np.mgrid[:SIDE, :SIDE] + 0.5


def ellipse(cy: float, cx: float, ry: float, rx: float) -> np.ndarray:
    """(1 − r²) of an ellipse: positive inside; its root is an ellipsoid's thickness."""
    return 1 - ((Y - cy) / ry) ** 2 - ((X - cx) / rx) ** 2


def shape_of(lung: np.ndarray, image: np.ndarray | None = None) -> LungShape:
    return lung_shape(np.full((SIDE, SIDE), 0.5, np.float32) if image is None else image, lung)


def two_lungs() -> np.ndarray:
    return (ellipse(120, 75, 80, 38) > 0) | (ellipse(120, 181, 80, 38) > 0)


@pytest.mark.parametrize(
    "where", [(128, 90, 80, 38), (128, 128, 70, 70), (110, 128, 60, 95), (120, 70, 75, 33)]
)
def test_an_ellipse_gives_an_ellipsoid(where: tuple[float, float, float, float]) -> None:
    inside = ellipse(*where)
    found = shape_of(inside > 0).relative_thickness
    # The upper half: the recess below the outline thickens what lies above it a little.
    judged = (inside > 0.3) & (where[0] > Y)
    # An ellipsoid's mean thickness over its shadow is two thirds of its highest.
    error = found[judged] / (1.5 * np.sqrt(inside[judged])) - 1
    # The solver's coarse grid rounds the rim, which leaves the dome some 8 % too flat.
    assert np.abs(error).max() < 0.11
    assert np.abs(error - np.median(error)).mean() < 0.02


def test_the_mirrored_outline_gives_the_mirrored_thickness() -> None:
    lung = (ellipse(120, 75, 80, 45) > 0) | (ellipse(130, 190, 60, 25) > 0)
    image = np.random.default_rng(2).random((SIDE, SIDE), np.float32)
    straight, mirrored = shape_of(lung, image), shape_of(lung[:, ::-1], image[:, ::-1].copy())
    for name in ("relative_thickness", "aeration"):
        np.testing.assert_allclose(
            getattr(mirrored, name)[:, ::-1], getattr(straight, name), rtol=1e-3, atol=1e-3
        )
    assert np.array_equal(mirrored.hidden[:, ::-1], straight.hidden)


def test_thickness_is_over_its_mean_in_the_lung_and_nowhere_else() -> None:
    lung = two_lungs()
    shape = shape_of(lung)
    assert shape.relative_thickness.dtype == np.float32
    assert shape.relative_thickness[lung].mean() == pytest.approx(1, rel=1e-4)
    assert shape.relative_thickness.min() == 0
    assert not shape.relative_thickness[~(lung | shape.hidden)].any()


def test_thickness_does_not_depend_on_the_grid() -> None:
    fine = shape_of(two_lungs()).relative_thickness
    coarse_lung = two_lungs()[::2, ::2]
    coarse = lung_shape(np.full((128, 128), 0.5, np.float32), coarse_lung).relative_thickness
    inner = (ellipse(120, 75, 65, 30) > 0)[::2, ::2]
    np.testing.assert_allclose(coarse[inner], fine[::2, ::2][inner], rtol=0.08)


def test_a_wider_lung_is_thicker() -> None:
    wide, narrow = ellipse(120, 75, 80, 45), ellipse(120, 190, 80, 25)
    found = shape_of((wide > 0) | (narrow > 0)).relative_thickness
    assert found[120, 75] > 1.4 * found[120, 190]


def test_hidden_lung_lies_outside_the_outline_below_and_between() -> None:
    lung = two_lungs()
    # The heart's notch, in the lower half of the left lung.
    lung &= ellipse(160, 150, 24, 20) <= 0
    shape = shape_of(lung)
    assert shape.hidden.dtype == np.bool_
    assert not (shape.hidden & lung).any()
    assert shape.hidden[160, 155], "behind the heart"
    bottom = int(np.flatnonzero(lung[:, 75]).max())
    assert shape.hidden[bottom + 3, 75], "below the dome"
    assert not shape.hidden[: 40 + 56].any(), "the upper third hides nothing"
    assert not shape.hidden[bottom + 30 :].any()
    assert 0 < shape.relative_thickness[160, 155] < 1


def test_an_even_image_is_evenly_aerated() -> None:
    np.testing.assert_allclose(shape_of(two_lungs()).aeration, 1.0, atol=1e-3)


def chest(lung: np.ndarray) -> np.ndarray:
    image = np.full((SIDE, SIDE), 0.75, np.float32)
    image[lung] = 0.35
    return image


def test_an_opacity_lowers_the_aeration_where_it_lies() -> None:
    lung = two_lungs()
    image = chest(lung)
    image[(ellipse(150, 75, 25, 20) > 0) & lung] = 0.65
    aeration = shape_of(lung, image).aeration
    assert aeration[150, 75] < 0.6
    assert aeration[120, 181] == pytest.approx(1, abs=0.15)
    assert aeration.min() >= np.exp(-1.6 * 0.8) - 1e-6
    assert aeration.max() <= np.exp(1.6 * 0.12) + 1e-6


@pytest.mark.parametrize("gain", [0.5, 1.0])
def test_aeration_is_relative_to_the_images_own_contrast(gain: float) -> None:
    lung = two_lungs()
    image = chest(lung)
    image[(ellipse(150, 75, 25, 20) > 0) & lung] = 0.55
    reference = shape_of(lung, image).aeration[150, 75]
    assert shape_of(lung, image * np.float32(gain) + 0.1).aeration[150, 75] == pytest.approx(
        reference, rel=0.02
    )


def test_lungs_over_the_whole_image_are_no_error() -> None:
    shape = lung_shape(np.full((64, 64), 0.3, np.float32), np.ones((64, 64), np.bool_))
    assert np.isfinite(shape.relative_thickness).all()
    assert np.isfinite(shape.aeration).all()


def test_an_empty_outline_is_refused() -> None:
    with pytest.raises(ValueError, match="with 0 pixels"):
        shape_of(np.zeros((SIDE, SIDE), np.bool_))


def test_an_outline_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a lung outline of shape \(256, 256\)"):
        shape_of(np.ones((SIDE, SIDE - 1), np.bool_))
