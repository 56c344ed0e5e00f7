"""Real and simulated images take one path into one grid."""

import numpy as np
import pytest
from radiographs import ImageSet, LabelledImage, choose, collect, to_eight_bits, to_square
from texture import split_bands, tabulate


def test_the_central_square_is_kept_whole() -> None:
    wide = np.zeros((40, 60), np.float32)
    wide[:, 10:50] = 1
    assert to_square(wide, 20).min() == pytest.approx(1)
    assert to_square(wide.T, 20).min() == pytest.approx(1)


def test_an_image_of_the_grid_is_not_resampled() -> None:
    pixels = np.random.default_rng(0).random((32, 32), np.float32)
    np.testing.assert_array_equal(to_square(pixels, 32), pixels)


@pytest.mark.parametrize(("scale", "shift"), [(255.0, 0.0), (0.01, 3.0), (4095.0, -7.0)])
def test_units_of_a_file_leave_no_trace(scale: float, shift: float) -> None:
    pixels = np.random.default_rng(1).random((32, 32))
    plain = to_eight_bits(pixels.astype(np.float32)).astype(int)
    other = to_eight_bits((scale * pixels + shift).astype(np.float32)).astype(int)
    assert np.abs(plain - other).max() <= 1


def test_sources_are_chosen_evenly() -> None:
    count = 60
    image_set = ImageSet(
        np.arange(count).astype(str),
        np.arange(count).astype(str),
        np.array(["nih"] * 40 + ["shenzhen"] * 5 + ["hannover"] * 15),
        np.zeros((count, 2, 2), np.uint8),
    )
    chosen = choose(image_set, 25, np.random.default_rng(0))
    counts = {s: int((chosen.sources == s).sum()) for s in ("nih", "shenzhen", "hannover")}
    assert counts == {"nih": 10, "shenzhen": 5, "hannover": 10}
    assert len(choose(image_set, 500, np.random.default_rng(0))) == count


def test_bands_and_the_rest_make_the_image() -> None:
    unit = np.random.default_rng(2).random((64, 64), np.float32)
    bands = split_bands(unit)
    rest = unit - sum(bands.values())
    assert rest.std() < 0.05 * unit.std()
    assert bands[2].std() > bands[32].std()


def test_the_number_that_differs_tells_most() -> None:
    rng = np.random.default_rng(3)

    def draw(grain: float, source: str) -> list[LabelledImage]:
        ramp = np.linspace(0, 1, 64)[None, :] * np.ones((64, 1))
        return [
            LabelledImage(
                str(i), str(i), source, (ramp + grain * rng.random((64, 64))).astype(np.float32)
            )
            for i in range(6)
        ]

    found = tabulate(draw(0.02, "nih"), draw(0.08, "phantom"), 64)
    assert found["detail 2 px, whole"]["auroc"] == 1
    assert next(iter(found.values()))["auroc"] in {0, 1}


def test_blur_takes_the_finest_detail() -> None:
    pixels = np.random.default_rng(4).random((64, 64), np.float32)
    entries = [LabelledImage("a", "a", "nih", pixels)]
    sharp, blurred = collect(entries, 64), collect(entries, 64, blur_px=0.7)
    steps = [np.abs(np.diff(p.images[0].astype(int), axis=1)).mean() for p in (sharp, blurred)]
    assert steps[1] < steps[0]
