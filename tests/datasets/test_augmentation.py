"""What augmentation moves, keeps and draws."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_pairs import NoisePairs

from dfsynth.datasets import DeviceAugmentation, PairBatch, augment, read_batch
from dfsynth.datasets.augmentation import Change, change_appearance, change_position, draw_change
from dfsynth.errors import UsageError

CPU = torch.device("cpu")
MAPS = ("image", "target", "clean", "lung", "lung_weight")
NOTHING = DeviceAugmentation(flip_horizontal=False, rotation_deg=0, contrast=0)
EVERYTHING = DeviceAugmentation(
    flip_horizontal=True,
    flip_vertical=True,
    rotation_deg=30,
    scale=(0.8, 1.3),
    shift=0.1,
    contrast=0.3,
    brightness=0.1,
    gamma=0.3,
    noise=0.05,
    shadows=0.5,
    shifts=0.5,
)
STILL = Change(
    mirror=False,
    overturn=False,
    rotation_deg=0.0,
    scale=1.0,
    shift=(0.0, 0.0),
    contrast=1.0,
    brightness=0.0,
    exponent=1.0,
    noise_sd=0.0,
    noise_seed=0,
    corner=(0.0, 0.0),
)


def noise(pairs=5, **more):
    return read_batch(NoisePairs(max(pairs, 7), **more), range(pairs))


def rng(seed=0):
    return np.random.default_rng(seed)


def part(batch, start, stop):
    cut = {
        f.name: value[start:stop]
        for f in fields(batch)
        if isinstance(value := getattr(batch, f.name), torch.Tensor)
    }
    return replace(batch, **cut, first=start)


def assert_equal(one: PairBatch, other: PairBatch) -> None:
    for name in (*MAPS, "content"):
        a, b = getattr(one, name), getattr(other, name)
        whole = torch.ones_like(one.image)
        a, b = (whole if name == "content" and m is None else m for m in (a, b))
        torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)


def test_nothing_to_draw_changes_no_bit():
    batch = noise()
    assert_equal(augment(batch, NOTHING, rng(), CPU), batch)


def test_the_input_is_left_as_it_was():
    batch = noise()
    before = {name: getattr(batch, name).clone() for name in MAPS}
    augment(batch, EVERYTHING, rng(), CPU)
    assert all(torch.equal(before[name], getattr(batch, name)) for name in MAPS)


def test_flips_are_exact():
    batch = noise(2)
    changes = [replace(STILL, mirror=True), replace(STILL, overturn=True)]
    found = change_position(batch, changes)
    for name in MAPS:
        before, after = getattr(batch, name), getattr(found, name)
        assert torch.equal(after[0], before[0].flip(-1))
        assert torch.equal(after[1], before[1].flip(-2))


def test_a_quarter_turn_is_counter_clockwise_and_exact_but_for_rounding():
    batch = noise(1)
    found = change_position(batch, [replace(STILL, rotation_deg=90.0)])
    for name in MAPS:
        turned = torch.rot90(getattr(batch, name), 1, (2, 3))
        torch.testing.assert_close(getattr(found, name), turned, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_a_shift_is_down_and_to_the_right(size):
    batch = noise(1, size=size)
    found = change_position(batch, [replace(STILL, shift=(1 / size[0], 2 / size[1]))])
    moved = found.image[0, 0, 1:, 2:]
    torch.testing.assert_close(moved, batch.image[0, 0, :-1, :-2], rtol=0, atol=1e-4)
    assert found.content is not None
    assert not found.content[0, 0, 0].any()
    assert not found.content[0, 0, :, :2].any()
    assert found.content[0, 0, 1:, 2:].all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(14, 49), st.integers(14, 49)),
    st.booleans(),
    st.sampled_from([(64, 64), (64, 80)]),
)
def test_a_mark_on_radiograph_and_targets_moves_to_one_place(seed, place, clean_known, size):
    mark = torch.zeros(1, 1, *size)
    y, x = place
    mark[0, 0, y - 2 : y + 3, x - 2 : x + 3] = 1
    clean = mark if clean_known else None
    batch = PairBatch(mark, mark, clean, mark, mark)
    drawn = draw_change(replace(EVERYTHING, shift=0.02, scale=(0.9, 1.1)), rng(seed))
    found = change_position(batch, [drawn])
    expected = centre(found.image)
    for name in MAPS:
        values = getattr(found, name)
        if values is not None:
            assert torch.linalg.vector_norm(centre(values) - expected) < 0.6, name


def centre(values):
    values = values[0, 0].double().clamp_min(0)
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in values.shape)
    total = values.sum()
    assert total > 5
    y, x = (values.sum(1) @ rows) / total, (values.sum(0) @ columns) / total
    return torch.stack([y, x])


def test_a_size_of_two_makes_it_twice_as_large():
    disc = torch.zeros(1, 1, 64, 64)
    disc[..., 24:40, 24:40] = 1
    found = change_position(PairBatch(disc, disc, disc), [replace(STILL, scale=2.0)])
    assert found.image.sum().item() == pytest.approx(4 * 16**2, rel=0.02)


@pytest.mark.parametrize("clean_known", [True, False])
def test_turning_takes_no_noise_away_from_targets(clean_known):
    values = torch.from_numpy(rng().normal(size=(8, 1, 64, 64)).astype(np.float32))
    clean = torch.zeros_like(values) if clean_known else None
    batch = PairBatch(torch.rand(8, 1, 64, 64), values, clean)
    found = change_position(batch, [replace(STILL, rotation_deg=7.0)] * 8)
    inside = found.target[..., 8:-8, 8:-8]
    # Averaging four neighbours would leave less than half.
    assert inside.var().item() == pytest.approx(1, abs=0.07)


def test_masks_stay_binary():
    found = augment(noise(), EVERYTHING, rng(), CPU)
    for mask in (found.lung, found.lung_weight, found.content):
        assert mask is not None
        assert set(mask.unique().tolist()) <= {0.0, 1.0}


def test_appearance_changes_the_radiograph_alone_and_stays_in_range():
    batch = noise()
    only_appearance = replace(
        EVERYTHING,
        flip_horizontal=False,
        flip_vertical=False,
        rotation_deg=0,
        scale=(1.0, 1.0),
        shift=0,
    )
    found = augment(batch, only_appearance, rng(), CPU)
    assert not torch.allclose(found.image, batch.image, atol=0.02)
    assert found.image.min() >= 0
    assert found.image.max() <= 1
    assert_equal(replace(found, image=batch.image), batch)


def test_appearance_does_what_its_words_say():
    values = torch.linspace(0.3, 0.6, 64).reshape(1, 1, 8, 8)
    batch = PairBatch(values, values)

    def changed(**change):
        return change_appearance(batch, [replace(STILL, **change)]).image

    torch.testing.assert_close(changed(brightness=0.1), values + 0.1)
    torch.testing.assert_close(changed(exponent=2.0), values**2)
    torch.testing.assert_close(changed(contrast=1.5).std(), 1.5 * values.std())
    torch.testing.assert_close(changed(contrast=1.5).mean(), values.mean())
    added = changed(noise_sd=0.05, noise_seed=3) - values
    assert added.std().item() == pytest.approx(0.05, rel=0.3)


def test_values_in_absolute_units_stay_where_no_appearance_is_changed():
    content = (slice(0, 16), slice(4, 12))
    batch = noise(content=content)
    batch = replace(batch, image=(15 * batch.image - 5) * batch.content)
    found = augment(batch, NOTHING, rng(), CPU)
    assert torch.equal(found.image, batch.image)
    moved = augment(batch, replace(NOTHING, rotation_deg=10), rng(), CPU)
    assert moved.image.min() < -2
    assert moved.image.max() > 5
    assert not moved.image[moved.content == 0].any()


def test_padding_keeps_its_zero():
    batch = noise(content=(slice(0, 16), slice(4, 12)))
    found = augment(batch, replace(EVERYTHING, rotation_deg=10), rng(), CPU)
    assert not found.image[found.content == 0].any()
    assert found.image[found.content == 1].std() > 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([None, 8]))
def test_a_pair_changes_alike_in_whatever_part_of_the_batch(seed, cut, crop):
    augmentation = replace(EVERYTHING, crop=crop)
    whole = augment(noise(5), augmentation, rng(seed), CPU)
    for start, stop in ((0, cut), (cut, 5)):
        found = augment(part(noise(5), start, stop), augmentation, rng(seed), CPU)
        assert_equal(found, part(whole, start, stop))


def test_draws_follow_the_seed():
    one, same, other = (augment(noise(), EVERYTHING, rng(seed), CPU) for seed in (1, 1, 2))
    assert_equal(one, same)
    assert not torch.equal(one.image, other.image)
    assert not torch.equal(one.image[0], one.image[1])


def test_one_number_is_drawn_from_the_caller_whatever_the_ranges():
    states = []
    for augmentation in (NOTHING, EVERYTHING):
        generator = rng()
        augment(noise(), augmentation, generator, CPU)
        states.append(generator.bit_generator.state)
    assert states[0] == states[1]


def test_a_range_changes_no_other_draw():
    one = draw_change(EVERYTHING, rng())
    without = replace(EVERYTHING, flip_vertical=False, noise=0, scale=(1, 1), shadows=0)
    other = draw_change(without, rng())
    assert (one.rotation_deg, one.shift, one.corner) == (
        other.rotation_deg,
        other.shift,
        other.corner,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_draws_stay_in_their_ranges(seed):
    drawn = draw_change(EVERYTHING, rng(seed))
    assert abs(drawn.rotation_deg) <= 30
    assert 0.8 <= drawn.scale <= 1.3
    assert max(map(abs, drawn.shift)) <= 0.1
    assert abs(drawn.contrast - 1) <= 0.3
    assert 0 <= drawn.noise_sd <= 0.05


def test_patches_are_cut_from_all_maps_at_one_place():
    batch = noise(5)
    found = augment(batch, replace(NOTHING, crop=6), rng(), CPU)
    assert found.grid == (16, 16)
    assert found.corners is not None
    assert len({tuple(corner) for corner in found.corners.tolist()}) > 1
    for n, (top, left) in enumerate(found.corners.tolist()):
        for name in MAPS:
            whole, patch = getattr(batch, name), getattr(found, name)
            assert torch.equal(patch[n], whole[n, :, top : top + 6, left : left + 6])


def test_a_patch_of_the_whole_image_is_the_image():
    batch = noise(2)
    assert_equal(augment(batch, replace(NOTHING, crop=16), rng(), CPU), batch)
    with pytest.raises(UsageError, match=r"crop = 17, but images have 16 × 16 pixels"):
        augment(batch, replace(NOTHING, crop=17), rng(), CPU)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation_deg": -1.0},
        {"scale": (1.2, 0.8)},
        {"scale": (0.0, 1.0)},
        {"shift": 1.0},
        {"contrast": 1.5},
        {"brightness": float("nan")},
        {"gamma": float("inf")},
        {"noise": -0.1},
        {"crop": 0},
        {"shadows": 1.5},
        {"shifts": -0.1},
        {"shifts": float("nan")},
    ],
)
def test_ranges_without_sense_are_refused_by_name(wrong):
    with pytest.raises(UsageError, match=rf"\[augmentation\] {next(iter(wrong))} = .*: expected"):
        DeviceAugmentation(**wrong)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_same_is_drawn():
    augmentation = replace(EVERYTHING, noise=0)
    one = augment(noise(), augmentation, rng(), CPU)
    other = augment(noise(), augmentation, rng(), torch.device("cuda"))
    for name in ("image", "clean"):
        torch.testing.assert_close(
            getattr(one, name), getattr(other, name).cpu(), rtol=0, atol=1e-4
        )
