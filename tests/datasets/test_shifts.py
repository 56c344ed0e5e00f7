"""Changes of radiographs as archives make them: in range, drawn from one generator, never NaN."""

from collections import Counter
from dataclasses import fields, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_pairs import NoisePairs

from dfsynth.datasets import DeviceAugmentation, PairBatch, augment, read_batch
from dfsynth.datasets import shifts as shifts_module
from dfsynth.datasets.augmentation import shift_appearance
from dfsynth.datasets.shifts import APPEARANCES, change_at_random
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.resources import data_folder

KINDS = sorted(APPEARANCES)
RADIOGRAPHS = sorted(path.name for path in data_folder("samples").glob("*.png"))


@cache
def radiograph(name: str, height: int = 128, width: int = 128) -> Float32Map:
    """One of the packaged radiographs, in [0, 1] with dense bright."""
    pixels = cv2.imread(str(data_folder("samples") / name), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return to_unit_range(small.astype(np.float32), IntensityWindow())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def assert_image(found: Float32Map, shape: tuple[int, ...]) -> None:
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(RADIOGRAPHS),
    sides=st.sampled_from([(128, 128), (96, 160), (160, 72), (33, 47)]),
)
def test_a_changed_radiograph_is_one(
    kind: str, seed: int, name: str, sides: tuple[int, int]
) -> None:
    image = radiograph(name, *sides)
    before = image.copy()
    found = APPEARANCES[kind](image, rng(seed))
    assert_image(found, sides)
    assert np.array_equal(image, before), "the input was changed"
    assert np.array_equal(found, APPEARANCES[kind](image, rng(seed))), "other draws than the seed's"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_what_is_seen(kind: str) -> None:
    # Darker than the faintest letters, which brighter tissue hides.
    image = 0.3 * radiograph(RADIOGRAPHS[0])
    changes = [APPEARANCES[kind](image, rng(seed)) - image for seed in range(30)]
    assert min(np.abs(change).max() for change in changes) > 0.02
    assert not any(np.array_equal(changes[0], other) for other in changes[1:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_an_image_without_contrast_stays_an_image(kind: str, value: float) -> None:
    for seed in range(10):
        image = np.full((40, 24), value, np.float32)
        assert_image(APPEARANCES[kind](image, rng(seed)), (40, 24))


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_images_are_taken(kind: str) -> None:
    for seed in range(10):
        image = rng(seed).random((8, 8), np.float32)
        assert_image(APPEARANCES[kind](image, rng(seed)), (8, 8))


def test_kinds_do_what_their_words_say() -> None:
    image = radiograph(RADIOGRAPHS[0])

    def changed(kind: str) -> list[Float32Map]:
        return [APPEARANCES[kind](image, rng(seed)) for seed in range(10)]

    def roughness(values: Float32Map) -> float:
        return float(np.abs(np.diff(values)).mean())

    assert all((np.isin(found, (0, 1))).mean() > 0.05 for found in changed("hard_window"))
    order = np.argsort(image, axis=None)
    assert all((np.diff(found.ravel()[order]) >= 0).all() for found in changed("gamma"))
    assert all(roughness(found) < roughness(image) for found in changed("blur"))
    for kind in ("noise", "low_dose"):
        assert all(roughness(found) > roughness(image) for found in changed(kind))
    for kind in ("overlay", "devices"):
        assert all((found >= image - 1e-6).all() for found in changed(kind)), "they are dense"
    assert all((found <= image + 1e-6).all() for found in changed("gas"))


def test_gas_lies_in_the_lower_half_and_arms_at_the_sides() -> None:
    image = np.full((128, 128), 0.5, np.float32)
    gas, arms = (
        np.mean([APPEARANCES[kind](image, rng(seed)) - image for seed in range(200)], axis=0)
        for kind in ("gas", "arms")
    )
    assert gas[64:].sum() < 4 * gas[:64].sum() < 0
    assert arms[:, :32].sum() < 4 * arms[:, 32:64].sum() < 0
    assert arms[:, 96:].sum() > 4 * arms[:, 64:96].sum() > 0


def test_low_dose_is_noisiest_where_it_is_dense() -> None:
    image = np.full((64, 128), 0.2, np.float32)
    image[:, 64:] = 0.7
    found = APPEARANCES["low_dose"](image, rng()) - image
    assert found[:, 64:].std() > 2 * found[:, :64].std()


def test_no_share_changes_nothing_and_a_whole_one_everything() -> None:
    image = radiograph(RADIOGRAPHS[0])
    assert all(change_at_random(image, 0.0, rng(seed)) is image for seed in range(50))
    found = [change_at_random(image, 1.0, rng(seed)) for seed in range(50)]
    assert not any(np.array_equal(image, changed) for changed in found)


def test_one_kind_is_drawn_or_two_and_every_kind_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def note(kind: str) -> shifts_module.Appearance:
        def change(image: Float32Map, _: np.random.Generator) -> Float32Map:
            called.append(kind)
            return image

        return change

    monkeypatch.setattr(shifts_module, "APPEARANCES", {kind: note(kind) for kind in KINDS})
    image, counts, kinds = np.zeros((4, 4), np.float32), Counter[int](), Counter[str]()
    generator = rng()
    for _ in range(2000):
        called.clear()
        change_at_random(image, 0.6, generator)
        assert len(set(called)) == len(called)
        counts[len(called)] += 1
        kinds.update(called)
    shares = [counts[number] / 2000 for number in range(3)]
    assert shares == pytest.approx([0.4, 0.6 * 0.7, 0.6 * 0.3], abs=0.04)
    assert sum(counts.values()) == sum(counts[number] for number in range(3))
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) < 1.5 * min(kinds.values())


def batch_of(pairs: int = 6, **more: Any) -> PairBatch:
    return read_batch(NoisePairs(7, size=(24, 32), **more), range(pairs))


def part(batch: PairBatch, start: int, stop: int) -> PairBatch:
    cut: dict[str, Any] = {
        f.name: value[start:stop]
        for f in fields(batch)
        if isinstance(value := getattr(batch, f.name), torch.Tensor)
    }
    return replace(batch, **cut, first=start)


def test_a_batch_without_a_share_is_the_batch() -> None:
    batch = batch_of()
    assert shift_appearance(batch, 0.0, 5) is batch


def test_the_radiograph_alone_is_changed() -> None:
    batch = batch_of()
    before = batch.image.clone()
    found = shift_appearance(batch, 1.0, 5)
    assert torch.equal(batch.image, before), "the input was changed"
    assert (found.image != before).flatten(1).any(dim=1).all()
    assert (found.image.dtype, found.image.shape) == (torch.float32, before.shape)
    for name in ("target", "clean", "lung", "lung_weight"):
        assert getattr(found, name) is getattr(batch, name)


@given(key=st.integers(0, 2**63 - 1))
def test_padding_keeps_its_zero(key: int) -> None:
    batch = batch_of(content=(slice(0, 24), slice(4, 20)))
    assert batch.content is not None
    found = shift_appearance(batch, 1.0, key).image
    assert not found[batch.content == 0].any()
    assert found[batch.content == 1].any()


@given(key=st.integers(0, 2**63 - 1), cut=st.integers(1, 5))
def test_a_pair_changes_by_its_place_in_the_whole_batch(key: int, cut: int) -> None:
    batch = batch_of()
    whole = shift_appearance(batch, 0.7, key).image
    for start, stop in ((0, cut), (cut, 6)):
        found = shift_appearance(part(batch, start, stop), 0.7, key).image
        assert torch.equal(found, whole[start:stop])


def test_equal_pairs_change_in_their_own_ways() -> None:
    found = shift_appearance(batch_of(twins=True), 1.0, 3).image
    assert not any(torch.equal(found[0], other) for other in found[1:])
    assert not torch.equal(found, shift_appearance(batch_of(twins=True), 1.0, 4).image)


def test_they_change_no_other_draw() -> None:
    """Runs without them go on as they were: position and appearance are drawn as before."""
    without = DeviceAugmentation(rotation_deg=20, scale=(0.8, 1.2), shift=0.1)
    one, other = (
        augment(batch_of(), augmentation, rng(4), torch.device("cpu"))
        for augmentation in (without, replace(without, shifts=1.0))
    )
    assert not torch.equal(one.image, other.image)
    for name in ("target", "clean", "lung", "lung_weight", "content"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
