"""A description is finite and of one length, whatever the image; and says what its figures say."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_heads import drawn_evidence, figure_count, layout_count
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.trust import Evidence, describe

Map = NDArray[np.float32]
MAPS = ("image", "dark_field", "aleatoric", "epistemic", "lung")

shapes = st.tuples(st.integers(1, 70), st.integers(1, 70)) | st.sampled_from([(16, 16), (300, 20)])
values = st.sampled_from([0.0, 1e-30, 0.5, 1.0])


def filled(shape: tuple[int, int], **levels: float) -> Evidence:
    """Constant maps, of one member that agrees."""
    maps = {name: np.full(shape, levels.get(name, 0.5), np.float32) for name in MAPS}
    return Evidence(**maps, members=[maps["dark_field"]], embedding=np.ones(6, np.float32))


def moved(evidence: Evidence, change: Any) -> Evidence:
    """All maps changed in one way."""
    maps = {name: change(getattr(evidence, name)) for name in MAPS}
    return replace(evidence, **maps, members=[change(m) for m in evidence.members])


def assert_description(evidence: Evidence) -> None:
    figures, layout = describe(evidence)
    assert figures.shape == (figure_count(),)
    assert layout.shape == (layout_count(len(evidence.embedding)),)
    assert figures.dtype == layout.dtype == np.float32
    assert np.isfinite(figures).all()
    assert np.isfinite(layout).all()


@given(shape=shapes, members=st.integers(0, 4), seed=st.integers(0, 99))
def test_any_size_and_any_number_of_members(
    shape: tuple[int, int], members: int, seed: int
) -> None:
    assert_description(drawn_evidence(shape, members, seed=seed))


@given(
    shape=shapes,
    levels=st.fixed_dictionaries(dict.fromkeys(MAPS, values)),
    signal=st.none() | st.sampled_from([-1e-4, -3.0, 1e6]),
)
def test_constant_black_and_white_images(
    shape: tuple[int, int], levels: dict[str, float], signal: float | None
) -> None:
    """A refined signal may lie below 0, exactly where a divisor would vanish, too."""
    if signal is not None:
        levels = levels | {"dark_field": signal}
    assert_description(filled(shape, **levels))


@given(shape=shapes, signal=st.floats(-10, 0, width=32))
def test_figures_stay_of_one_order_without_lung_and_signal(
    shape: tuple[int, int], signal: float
) -> None:
    """A picture of noise would else widen the scale of a figure for all others."""
    figures, layout = describe(filled(shape, lung=0.0, dark_field=signal))
    assert np.abs(figures).max() < 100
    assert layout[2 * 144 : 3 * 144].max() <= 0


def test_figures_do_not_depend_on_the_number_of_pixels() -> None:
    """Smooth maps made larger; but for the finest detail, which the interpolation makes."""
    height, width = 480, 400

    def smooth(image: Map) -> Map:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), 15), np.float32)

    def larger(image: Map) -> Map:
        large = cv2.resize(image, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(large, np.float32)

    lung = np.zeros((height, width), np.float32)
    lung[150:350, 50:175] = lung[150:350, 225:350] = 1
    noise = drawn_evidence((height, width))
    small = moved(replace(noise, lung=lung, image=0.2 + 0.6 * lung), smooth)
    found, expected = describe(moved(small, larger)), describe(small)
    figures, wanted = (np.delete(described[0], [-8, -4]) for described in (found, expected))
    np.testing.assert_allclose(figures, wanted, rtol=0.03, atol=0.03)
    np.testing.assert_allclose(found[1], expected[1], atol=0.02)


def test_members_that_agree_in_shape_do_not_disagree() -> None:
    """Whatever their strength; opposed halves are as far apart as can be."""
    agreeing = drawn_evidence(members=0)
    agreeing = replace(agreeing, members=[s * agreeing.dark_field for s in (0.5, 3.0)])
    halves = np.zeros((24, 32), np.float32)
    halves[:, :16] = 1
    opposed = replace(agreeing, members=[1 - halves], dark_field=halves)
    silent = replace(agreeing, members=[])
    told = [describe(each)[0] for each in (agreeing, silent, opposed)]
    np.testing.assert_allclose(told[0], told[1], atol=1e-3)
    assert (np.abs(told[2] - told[1]) > 0.9).any()


@pytest.mark.parametrize("name", [*MAPS, "embedding", "members"])
def test_everything_counts(name: str) -> None:
    """No map is left out, and none is taken for another."""
    usual, other = drawn_evidence(), drawn_evidence(seed=1)
    changed = describe(replace(usual, **{name: getattr(other, name)}))
    known = describe(usual)
    assert max(np.abs(a - b).max() for a, b in zip(changed, known, strict=True)) > 1e-3
