"""Standard deviations that hardly differ are drawn in the middle of their scale, and said."""

import numpy as np
import pytest

from dfsynth.report import columns_of_images, deviation_scale
from dfsynth.tasks import task_named

SAME = np.full((4, 5), 242.875, np.float32)
RISING = np.linspace(0, 100, 1000, dtype=np.float32).reshape(20, 50)
FAILED = np.full((4, 5), np.nan, np.float32)


def test_what_is_the_same_everywhere_is_drawn_in_the_middle() -> None:
    scale = deviation_scale([SAME, SAME, FAILED], "HU")
    assert scale.top == pytest.approx(2 * 242.875)
    assert scale.remark == "243 HU everywhere"
    assert scale.titled("aleatoric (standard deviation)", "aleatoric") == (
        "aleatoric: 243 HU everywhere"
    )


def test_what_hardly_differs_is_told_with_both_ends() -> None:
    scale = deviation_scale([SAME, SAME * np.float32(1.02)], "1")
    assert scale.remark == "243 to 248 everywhere"
    assert scale.top == pytest.approx(2 * 247.7, rel=1e-3)


def test_other_deviations_go_up_to_nearly_their_largest() -> None:
    scale = deviation_scale([RISING], "HU")
    assert scale.top == pytest.approx(99, abs=0.2)
    assert scale.titled("aleatoric (standard deviation)", "aleatoric").endswith("deviation)")
    # One width an image, but another for each.
    assert deviation_scale([SAME, SAME / np.float32(2)], "HU").remark is None


def test_one_place_of_doubt_is_not_everywhere() -> None:
    """A lesion, of fewer pixels than a percentile sees."""
    doubt = np.full((100, 100), 10.0, np.float32)
    doubt[50:55, 50:55] = 40.0
    assert deviation_scale([doubt], "HU").remark is None


def test_nothing_and_zero_have_a_scale() -> None:
    assert deviation_scale([], "1").remark is deviation_scale([FAILED], "1").remark is None
    nothing = deviation_scale([SAME * 0], "1")
    assert (nothing.top, nothing.remark) == (1.0, "0 everywhere")


def test_contact_sheets_say_it_of_each_kind() -> None:
    maps = {"aleatoric": SAME, "epistemic": RISING}
    columns = columns_of_images(task_named("pet-ct"), "HU", (-1000.0, 1000.0), [maps])
    assert [column.title for column in columns[2:]] == [
        "aleatoric: 243 HU everywhere",
        "epistemic (standard deviation)",
    ]
    assert columns[2].vmax == pytest.approx(2 * 242.875)
