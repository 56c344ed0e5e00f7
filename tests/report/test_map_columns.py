"""Limits of pictures: the task's window, or what is bright among the images drawn together."""

import numpy as np
import pytest

from dfsynth.report import columns_of_images, columns_of_pairs, suitable_limits
from dfsynth.tasks import task_named

PET = task_named("pet-ct")
DIM = np.linspace(0, 0.3, 1000, dtype=np.float32).reshape(20, 50)


@pytest.mark.parametrize("factor", [1.0, 20.0])
def test_pet_has_no_usual_range_and_is_neither_black_nor_saturated(factor: float) -> None:
    pair = {"pet": DIM * np.float32(factor), "ct": DIM}
    drawn = columns_of_pairs(PET, [pair, {"pet": np.full_like(DIM, np.nan), "ct": DIM}])
    assert (drawn["pet"].vmin, drawn["ct"].vmin, drawn["ct"].vmax) == (0.0, -1000.0, 1000.0)
    assert drawn["pet"].vmax == pytest.approx(0.297 * factor, rel=0.01)
    given = columns_of_images(PET, "HU", (-1000.0, 1000.0), [pair])[0]
    assert given.vmax == pytest.approx(0.297 * factor, rel=0.01)


def test_captions_are_small_letters_but_for_acronyms() -> None:
    titles = [c.title for c in columns_of_images(PET, "HU", (-1000.0, 1000.0), [])]
    assert titles[:2] == ["PET", "CT"]
    mri = columns_of_images(task_named("mri-motion"), "1", (0.0, 1.0), [])
    assert [c.title for c in mri][:2] == ["moved", "magnitude"]


def test_without_an_image_the_window_stands() -> None:
    assert columns_of_pairs(PET)["pet"].vmax == 1.0
    assert suitable_limits(PET.input_array, (0.0, 1.0), [None, DIM * 0 - 1]) == (0.0, 1.0)


def test_other_arrays_keep_their_window_whatever_is_drawn() -> None:
    slices = task_named("mri-motion")
    drawn = columns_of_pairs(slices, [{"moved": DIM, "magnitude": DIM}])
    assert {(column.vmin, column.vmax) for column in drawn.values()} == {(0.0, 1.0)}
    assert columns_of_images(slices, "1", (0.0, 1.0), [{"moved": DIM}])[0].vmax == 1.0
