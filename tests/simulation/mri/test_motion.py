"""A head that rests gives the slice; one that moves, the pieces of k-space of where it lay."""

import numpy as np
import pytest
from head_volumes import head

from dfsynth.simulation.mri.kspace import to_kspace, to_magnitude
from dfsynth.simulation.mri.motion import (
    Motion,
    MotionRanges,
    draw_motion,
    moved_slice,
    scan_moving,
)
from dfsynth.simulation.mri.volume import MrVolume

SIZE, MIDDLE = 64, 7
REST = np.zeros(3)


@pytest.fixture(scope="module")
def volume() -> MrVolume:
    values = (head() / 900).astype(np.float32)
    return MrVolume(values, 1.5, 3.0, SIZE, 900.0, 0.3, "0" * 64)


def motion(starts: list[int], shifts_mm: list[tuple[float, float, float]]) -> Motion:
    turns = np.zeros((len(starts), 3))
    return Motion(np.array(starts), np.array(shifts_mm, float), turns, 5.0, 0.0)


def test_at_rest_the_slice_is_what_it_was(volume: MrVolume) -> None:
    sharp = volume.slice_at(MIDDLE)
    np.testing.assert_allclose(moved_slice(volume, MIDDLE, REST, REST), sharp, atol=1e-5)
    found = scan_moving(volume, MIDDLE, motion([0], [(0, 0, 0)]))
    np.testing.assert_allclose(found, sharp, atol=1e-5)


@pytest.mark.parametrize(
    ("shift_mm", "pixels"), [((3.0, 0.0, 0.0), (0, 2)), ((0.0, -4.5, 0.0), (-3, 0))]
)
def test_a_shift_by_whole_pixels_moves_the_image(
    volume: MrVolume, shift_mm: tuple[float, ...], pixels: tuple[int, int]
) -> None:
    found = moved_slice(volume, MIDDLE, np.array(shift_mm), REST)
    expected = np.roll(volume.slice_at(MIDDLE), pixels, (0, 1))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_shift_to_the_head_shows_the_slice_that_lay_below(volume: MrVolume) -> None:
    found = moved_slice(volume, MIDDLE, np.array([0.0, 0.0, 3.0]), REST)
    np.testing.assert_allclose(found, volume.slice_at(MIDDLE - 1), atol=1e-4)
    away = moved_slice(volume, MIDDLE, np.array([0.0, 0.0, 500.0]), REST)
    assert not away.any()


def test_half_a_turn_in_the_plane_is_seen_upside_down(volume: MrVolume) -> None:
    found = moved_slice(volume, MIDDLE, REST, np.array([0.0, 0.0, 180.0]))
    np.testing.assert_allclose(found, volume.slice_at(MIDDLE)[::-1, ::-1], atol=1e-4)


def test_a_turn_from_left_to_back_goes_that_way(volume: MrVolume) -> None:
    """90 degrees about the axis to the head take what lay on the left to the back."""
    found = moved_slice(volume, MIDDLE, REST, np.array([0.0, 0.0, 90.0]))
    inner = slice((SIZE - 36) // 2, (SIZE + 36) // 2)
    # (x, y) → (-y, x), about the middle: columns to the left become rows to the back.
    expected = np.rot90(volume.slice_at(MIDDLE)[inner, inner], -1)
    np.testing.assert_allclose(found[inner, inner], expected, atol=1e-4)


def test_each_piece_of_kspace_is_of_where_the_head_lay(volume: MrVolume) -> None:
    shift = np.array([0.0, 3.0, 0.0])
    found = scan_moving(volume, MIDDLE, motion([0, 20], [(0, 3, 0), (0, 0, 0)]))
    kspace = to_kspace(volume.slice_at(MIDDLE))
    kspace[:20] = to_kspace(moved_slice(volume, MIDDLE, shift, REST))[:20]
    np.testing.assert_allclose(found, to_magnitude(kspace), atol=1e-5)
    assert np.abs(found - volume.slice_at(MIDDLE)).max() > 0.02


def test_a_drawn_motion_is_in_its_ranges_and_rests_at_the_middle_line() -> None:
    ranges = MotionRanges((2, 5), (1.0, 4.0), (0.5, 3.0))
    counts = set()
    for seed in range(40):
        found = draw_motion(ranges, SIZE, np.random.default_rng(seed))
        counts.add(found.moves)
        assert found.starts[0] == 0
        assert (np.diff(found.starts) > 0).all()
        assert found.starts[-1] < SIZE
        middle = np.searchsorted(found.starts, SIZE // 2, side="right") - 1
        assert not found.shifts_mm[middle].any()
        assert not found.turns_deg[middle].any()
        steps = np.linalg.norm(np.diff(found.shifts_mm, axis=0), axis=1)
        assert (steps <= found.longest_mm + 1e-9).all()
        assert 1.0 <= found.longest_mm <= 4.0
        turns = np.linalg.norm(np.diff(found.turns_deg, axis=0), axis=1)
        assert (turns <= found.widest_deg + 1e-9).all()
        assert 0 < found.moved_share(SIZE) < 1
    assert counts == {2, 3, 4, 5}


def test_the_moved_share_counts_lines() -> None:
    found = motion([0, 16, 48], [(1, 0, 0), (0, 0, 0), (0, 1, 0)])
    assert found.moved_share(SIZE) == pytest.approx(0.5)
