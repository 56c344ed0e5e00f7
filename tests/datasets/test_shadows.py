"""Shadows fall beside lungs, on radiographs alone, and only where lungs are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_pairs import NoisePairs

from dfsynth.datasets import DeviceAugmentation, augment, read_batch
from dfsynth.datasets.shadows import MOST_SHADOWS, Shadow, cast_shadows, draw_shadows

CPU = torch.device("cpu")
SHADOWS_ALONE = DeviceAugmentation(flip_horizontal=False, rotation_deg=0, contrast=0, shadows=1.0)
DARK = Shadow((0.25, 0.25), (0.1, 0.1), 0.0, -0.5, 40.0)
GREY = torch.full((1, 1, 64, 64), 0.6)
NO_LUNG = torch.zeros(1, 1, 64, 64)


def test_the_targets_and_the_lung_stay_as_they_were():
    batch = read_batch(NoisePairs(7), range(7))
    found = augment(batch, SHADOWS_ALONE, np.random.default_rng(0), CPU)
    changed = found.image != batch.image
    assert changed.flatten(1).any(dim=1).sum() >= 5
    assert batch.lung is not None
    assert not (changed & (batch.lung > 0)).any()
    for name in ("target", "clean", "lung", "lung_weight"):
        assert torch.equal(getattr(found, name), getattr(batch, name))


def test_without_a_lung_mask_there_are_none():
    batch = replace(read_batch(NoisePairs(7), range(7)), lung=None, lung_weight=None)
    found = augment(batch, SHADOWS_ALONE, np.random.default_rng(0), CPU)
    assert torch.equal(found.image, batch.image)


def test_a_dark_one_goes_its_way_to_black_and_a_light_one_to_white():
    for depth, expected in ((-0.5, 0.3), (0.5, 0.8)):
        found = cast_shadows(GREY, NO_LUNG, None, [[replace(DARK, depth=depth)]])
        assert found[0, 0, 16, 16].item() == pytest.approx(expected, abs=1e-4)
        assert found[0, 0, 48, 48].item() == pytest.approx(0.6, abs=1e-4)


def test_radii_and_angle_are_what_they_say():
    flat = replace(DARK, centre=(0.5, 0.5), radii=(0.05, 0.3))
    found = cast_shadows(GREY, NO_LUNG, None, [[flat]])[0, 0] < 0.45
    assert found.any(dim=0).sum().item() == pytest.approx(0.6 * 64, abs=3)
    assert found.any(dim=1).sum().item() == pytest.approx(0.1 * 64, abs=2)
    upright = replace(flat, angle=np.pi / 2)
    turned = cast_shadows(GREY, NO_LUNG, None, [[upright]])[0, 0] < 0.45
    assert torch.equal(turned, found.T)


def test_where_nobody_knows_of_lungs_nothing_changes():
    known = torch.ones_like(NO_LUNG)
    known[..., :32] = 0
    wide = replace(DARK, centre=(0.5, 0.5), radii=(0.4, 0.4))
    found = cast_shadows(GREY, NO_LUNG, known, [[wide]])
    assert torch.equal(found[..., :32], GREY[..., :32])
    assert found[0, 0, 32, 40] < 0.5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_images_stay_in_range_and_those_without_keep_every_bit(seed):
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.random((3, 1, 20, 28), np.float32))
    lung = (torch.from_numpy(rng.random((3, 1, 20, 28))) < 0.2).float()
    shadows = [draw_shadows(1.0, rng), (), draw_shadows(1.0, rng)]
    found = cast_shadows(images, lung, None, shadows)
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.equal(found[1], images[1])


def test_their_share_is_as_asked_and_changes_no_later_draw():
    counts, later = [], []
    for share in (0.0, 0.3, 1.0):
        rng = np.random.default_rng(5)
        drawn = [draw_shadows(share, rng) for _ in range(500)]
        counts.append(np.mean([bool(d) for d in drawn]))
        later.append(rng.random())
        assert max(map(len, drawn)) <= MOST_SHADOWS
    assert counts[0] == 0
    assert counts[1] == pytest.approx(0.3, abs=0.07)
    assert counts[2] == 1
    assert len(set(later)) == 1
