"""Drawing an example: what moves, moves together, and the truth stays the truth."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.records import IntensityWindow
from dfsynth.simulate import CohortScattering, dark_field_noise_sigma, transmission_from_display
from dfsynth.train import Augmentation, Example, Radiograph, draw_example
from dfsynth.train.augment import change_look, draw_affine, warp

Map = NDArray[np.float32]

EVEN = CohortScattering(regional_cv=0.0)
WHOLE = IntensityWindow(0, 100)
STILL = Augmentation(
    rotation_deg=0,
    scale=(1, 1),
    aspect=(1, 1),
    shift=0,
    flip=False,
    log_gamma_sd=0,
    noise_sd=0,
    sharpen=(0, 0),
    border_share=0,
    marks_share=0,
)
MOVING = replace(
    STILL, rotation_deg=10, scale=(0.82, 1.2), aspect=(0.88, 1.14), shift=0.07, flip=True
)


def draw(radiograph: Radiograph, augmentation: Augmentation | None, seed: int) -> Example:
    rng = np.random.default_rng(seed)
    return draw_example(radiograph, EVEN, augmentation, WHOLE, rng)


def centroid(weights: Map) -> tuple[float, float]:
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return float((y * weights).sum() / weights.sum()), float((x * weights).sum() / weights.sum())


@pytest.mark.parametrize("augmentation", [None, Augmentation()])
def test_a_seed_gives_one_example(marked: Radiograph, augmentation: Augmentation | None) -> None:
    first, same, other = (draw(marked, augmentation, seed) for seed in (4, 4, 5))
    for name in (f.name for f in fields(Example)):
        assert np.array_equal(getattr(first, name), getattr(same, name)), name
        assert getattr(first, name).dtype == np.float32, name
        assert getattr(first, name).shape == marked.image.shape, name
    assert not np.array_equal(first.dark_field, other.dark_field)


@pytest.mark.parametrize("seed", range(12))
def test_the_radiograph_and_its_truth_move_together(marked: Radiograph, seed: int) -> None:
    moved = draw(marked, MOVING, seed)
    at = centroid(moved.image)
    assert centroid(moved.dark_field_clean) == pytest.approx(at, abs=0.1)
    assert centroid(moved.lung) == pytest.approx(at, abs=0.5)
    assert centroid(1 - moved.lung_weight) == pytest.approx(at, abs=0.5)
    assert np.abs(np.subtract(at, centroid(marked.image))).max() > 0.5, "nothing moved"


def test_a_flip_turns_all_maps_from_side_to_side(marked: Radiograph) -> None:
    flipping = replace(STILL, flip=True)
    seen = set()
    for seed in range(12):
        example = draw(marked, flipping, seed)
        mirrored = np.allclose(example.image[:, ::-1], marked.image, atol=1e-5)
        assert mirrored != np.allclose(example.image, marked.image, atol=1e-5)
        lung = marked.lung[:, ::-1] if mirrored else marked.lung
        assert np.array_equal(example.lung, lung)
        assert np.array_equal(example.lung_weight, 1 - lung)
        thickness = marked.relative_thickness[:, ::-1] if mirrored else marked.relative_thickness
        ratio = example.dark_field_clean[thickness > 0.1] / thickness[thickness > 0.1]
        assert ratio.std() / ratio.mean() < 1e-3
        seen.add(mirrored)
    assert seen == {False, True}


def test_nothing_turns_upside_down(marked: Radiograph) -> None:
    for seed in range(30):
        assert centroid(draw(marked, MOVING, seed).image)[0] < 32


def test_without_augmentation_the_picture_stays(marked: Radiograph) -> None:
    example = draw(marked, None, 0)
    assert np.array_equal(example.image, marked.image)
    assert np.array_equal(example.lung, marked.lung)
    assert np.array_equal(example.lung_weight, 1 - marked.hidden)


def test_targets_are_noisy_and_never_clipped(marked: Radiograph) -> None:
    noise = np.stack(
        [(e := draw(marked, None, s)).dark_field - e.dark_field_clean for s in range(40)]
    )
    # Outside the lung the truth is near zero: half of the noisy values lie below it.
    air = marked.relative_thickness < 1e-3
    share = np.mean([draw(marked, None, s).dark_field[air] < 0 for s in range(5)])
    assert share == pytest.approx(0.5, abs=0.03)
    assert abs(noise.mean()) < 0.1 * noise.std()
    # Dense tissue lets few photons through: more noise where the picture is bright.
    bright, dark = marked.image > 0.8, marked.image < 0.01
    assert noise[:, bright].std() > 2 * noise[:, dark].std()


def test_the_noise_has_the_formulas_size(marked: Radiograph) -> None:
    """Between what the faintest and the brightest scan of the range would give."""
    transmission = transmission_from_display(marked.image)
    binned = (947 / 64) ** 2
    for seed in range(20):
        example = draw(marked, None, seed)
        clean = example.dark_field_clean
        least = dark_field_noise_sigma(clean, transmission, 1e6 * binned, 0.4, 1e6 * binned)
        most = dark_field_noise_sigma(clean, transmission, 10**4.5 * binned, 0.2, 1e6 * binned)
        residual = example.dark_field - clean
        assert (residual / least).std() > 0.97
        assert (residual / most).std() < 1.03


def test_a_mean_patient_has_the_published_coefficient(marked: Radiograph) -> None:
    flat = replace(marked, relative_thickness=np.ones_like(marked.image))
    drawn = [draw(flat, None, seed).dark_field_clean.mean() for seed in range(150)]
    # 380 mm wide all over: 0.62 · 380 mm thick; one patient in seven has emphysema.
    expected = 2.5 * 0.62 * 0.38 * (1 - 0.15 * (1 - 0.725))
    assert np.mean(drawn) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_another_look_keeps_shape_and_range(marked: Radiograph, seed: int) -> None:
    before = marked.image.copy()
    look = change_look(marked.image, Augmentation(), np.random.default_rng(seed))
    assert look.shape == marked.image.shape
    assert look.dtype == np.float32
    assert 0 <= look.min() <= look.max() <= 1
    assert np.array_equal(marked.image, before)


def test_marks_are_on_the_radiograph_and_not_in_the_truth(marked: Radiograph) -> None:
    """One stream draws the truth before the look: the look cannot change it."""
    plain, burned = (draw(marked, replace(STILL, marks_share=s), 3) for s in (0.0, 1.0))
    assert np.abs(burned.image - plain.image).max() > 0.3
    assert np.array_equal(burned.dark_field, plain.dark_field)
    assert np.array_equal(burned.lung, plain.lung)


def test_a_border_hides_a_twelfth_at_most() -> None:
    image = np.random.default_rng(0).uniform(0.25, 0.75, (96, 96)).astype(np.float32)
    bordered = replace(STILL, border_share=1.0)
    levels = set()
    for seed in range(20):
        look = change_look(image, bordered, np.random.default_rng(seed))
        np.testing.assert_allclose(look[8:-8, 8:-8], image[8:-8, 8:-8], atol=1e-6)
        hidden = np.abs(look - image) > 1e-5
        levels |= set(np.unique(look[hidden]).tolist())
    assert levels == {0.0, 1.0}


def test_an_affine_change_is_about_the_centre() -> None:
    image = np.zeros((65, 65), np.float32)
    image[32, 32] = 1
    turned = replace(MOVING, shift=0)
    for seed in range(6):
        matrix = draw_affine(turned, 65, np.random.default_rng(seed))
        (moved,) = warp([image], matrix)
        assert np.unravel_index(moved.argmax(), moved.shape) == (32, 32)


def test_scale_and_rotation_stay_in_their_ranges() -> None:
    for seed in range(200):
        linear = draw_affine(MOVING, 64, np.random.default_rng(seed))[:, :2]
        stretch = np.linalg.svd(linear, compute_uv=False)
        scale, aspect = np.sqrt(stretch.prod()), stretch.max() / stretch.min()
        assert 0.82 - 1e-9 <= scale <= 1.2 + 1e-9
        assert aspect <= 1.14 + 1e-9 or 1 / aspect >= 0.88 - 1e-9
        assert abs(np.degrees(np.arctan2(-linear[0, 1], linear[1, 1]))) <= 10 + 1e-6
