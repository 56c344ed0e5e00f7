"""Tracer lies in the body, as much in each tissue as was drawn."""

import itertools

import numpy as np
import pytest

from dfsynth.simulation.pet_ct.activity import draw_activity


def halves(left: float, right: float) -> np.ndarray:
    hu = np.full((64, 64), left, np.float32)
    hu[:, 32:] = right
    return hu


def drawn_without_spots(hu: np.ndarray, count: int) -> list[tuple[np.ndarray, dict[str, object]]]:
    """What the first `count` seeds draw that draw neither organs nor spots."""
    body = np.zeros(hu.shape, np.bool_)
    body[8:56, 8:56] = True
    drawn = (draw_activity(hu, body, 3.0, np.random.default_rng(seed)) for seed in range(500))
    plain = (d for d in drawn if d.drawn["organs"] == d.drawn["hot_spots"] == "")
    return [(found.suv, dict(found.drawn)) for found in itertools.islice(plain, count)]


@pytest.mark.parametrize(
    ("hu", "tissue"), [(-800, "lung"), (-100, "fat"), (40, "soft"), (300, "marrow")]
)
def test_uptake_by_hu(hu: float, tissue: str) -> None:
    ratios = []
    for suv, drawn in drawn_without_spots(halves(hu, -1000), 12):
        ratios.append(suv[8:56, 8:28].mean() / float(str(drawn[f"uptake_{tissue}"])))
        assert suv[:, 40:].max() == 0
        assert suv[:8].max() == suv[:, :8].max() == 0
    assert np.median(ratios) == pytest.approx(1, abs=0.1)


def test_spots_and_organs_are_told_and_are_where_they_are_told() -> None:
    hu = halves(40, -800)
    body = np.ones(hu.shape, np.bool_)
    for seed in range(20):
        found = draw_activity(hu, body, 3.0, np.random.default_rng(seed))
        for spot in filter(None, str(found.drawn["hot_spots"]).split("; ")):
            x, y, radius_mm, hot = (float(number) for number in spot.split())
            assert x < 34
            assert found.suv[int(y), int(x)] >= 0.99 * hot
            assert 4 <= radius_mm <= 15


def test_the_field_varies_as_drawn() -> None:
    ((suv, drawn),) = drawn_without_spots(halves(40, 40), 1)
    inside = suv[10:54, 10:54]
    assert 0.2 < inside.std() / inside.mean() / float(str(drawn["variation"])) < 2


def test_a_slice_without_tissue_has_nothing() -> None:
    hu = np.full((64, 64), -1000, np.float32)
    found = draw_activity(hu, np.zeros(hu.shape, np.bool_), 3.0, np.random.default_rng(0))
    assert found.suv.max() == 0
    assert found.drawn["hot_spots"] == ""
