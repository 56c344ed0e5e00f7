"""The observer that knows how nodules look: finds what can be seen, and nothing that cannot."""

from dataclasses import replace

import numpy as np
import pytest
from free_response import Candidates, false_nodules, recall
from nodule_detector import Nodule
from nodule_observer import Twins, mean_of, spot_level, strong_spots

from dfsynth.errors import UsageError
from dfsynth.evaluate.restoration import SIZES

SIDE, BODIES = 48, 16
PATIENTS = [f"p{n}" for n in range(BODIES)] * 2


def twins(contrast: float) -> Twins:
    """White noise with one disc of 2 pixels' radius a body, 12 mm wide."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:SIDE, :SIDE]
    plain = rng.standard_normal((BODIES, SIDE, SIDE))
    noduled, nodules = plain.copy(), []
    for number in range(BODIES):
        row, column = (int(each) for each in rng.integers(10, SIDE - 10, 2))
        noduled[number] += contrast * (np.hypot(y - row, x - column) <= 2)
        nodules.append([Nodule(float(row), float(column), 2.0, 12.0)])
    lungs = np.zeros((BODIES, SIDE, SIDE), np.bool_)
    lungs[:, 6:-6, 6:-6] = True
    pictures = noduled.astype(np.float32), plain.astype(np.float32)
    return Twins(*pictures, lungs, nodules, PATIENTS[:BODIES])


def observed(contrast: float) -> Candidates:
    return twins(contrast).search(twins(contrast).maps([SIZES[1]])[SIZES[1]])


def test_what_stands_out_is_found_and_what_does_not_is_not() -> None:
    shares = [recall(observed(c), PATIENTS, 0.25).value or 0 for c in (0.1, 1.0, 3.0)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.9


def test_false_nodules_are_counted_in_the_bodies_without_any() -> None:
    found = observed(3.0)
    assert found.pictures == 2 * BODIES
    assert len(found.nodules) == BODIES
    share = false_nodules(found, PATIENTS, 1.0).value
    assert share is not None
    assert 0.5 < share < 2


def test_a_class_without_nodules_is_refused() -> None:
    with pytest.raises(UsageError, match="half of the bodies has no nodule of under 8 mm"):
        twins(1.0).maps([SIZES[0]])


def test_no_picture_is_looked_at_by_what_another_of_the_same_body_taught() -> None:
    pictures = replace(twins(1.0), bodies=[f"p{n // 2}" for n in range(BODIES)])
    changed = replace(pictures, noduled=pictures.noduled.copy())
    changed.noduled[1, ::3] += 5
    (before,), (after,) = (each.maps([SIZES[1]]).values() for each in (pictures, changed))
    np.testing.assert_array_equal(after.noduled[0], before.noduled[0])
    assert not np.array_equal(after.noduled[2], before.noduled[2])


def test_a_nodule_whose_place_is_known_is_seen_sooner() -> None:
    pictures = twins(1.0)
    maps = pictures.maps([SIZES[1]])[SIZES[1]]
    seen, asked = pictures.ask(maps, SIZES[1], 0.05)
    assert asked.tolist() == [1] * BODIES
    searched = recall(pictures.search(maps), PATIENTS, 0.25).value
    assert searched is not None
    assert (mean_of(seen, asked, PATIENTS[:BODIES]).value or 0) >= searched
    assert pictures.ask(maps, SIZES[0], 0.05)[1].sum() == 0


def test_nodules_stand_out_by_their_contrast() -> None:
    gains = []
    for contrast in (1.0, 2.0):
        pictures = twins(contrast)
        gained, asked = pictures.stand_out(pictures.maps([SIZES[1]])[SIZES[1]], SIZES[1])
        gains.append(mean_of(gained, asked, PATIENTS[:BODIES]).value or 0)
    # A disc of thirteen pixels in white noise.
    assert gains[0] == pytest.approx(13**0.5, rel=0.15)
    assert gains[1] > 1.5 * gains[0]


def test_spots_are_counted_by_one_yardstick() -> None:
    sharp = twins(3.0)
    calm = replace(sharp, plain=sharp.plain.copy(), noduled=sharp.noduled.copy())
    calm.plain[:, ::2] = 0
    (own,), (other,) = (list(each.maps([SIZES[1]], sharp).values()) for each in (sharp, calm))
    assert strong_spots(own, spot_level(own), PATIENTS[:BODIES]).value == 1
    assert (strong_spots(other, spot_level(own), PATIENTS[:BODIES]).value or 0) != 1
