"""Batched inference: an image's maps depend on its pixels, its id and the seed alone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dfsynth.inference import CascadeGenerator, MapBatch, dropout_masks
from dfsynth.inference import generator as generator_module
from dfsynth.models import Cascade
from dfsynth.preprocess import letterbox
from dfsynth.records import ModelInput

MakeGenerator = Callable[..., CascadeGenerator]
Images = NDArray[np.float32]

TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}


def draw_images(count: int, height: int = 16, width: int = 24) -> Images:
    return np.random.default_rng(9).random((count, height, width), np.float32)


def named(count: int) -> list[str]:
    return [f"case/{i}.png" for i in range(count)]


def maps_of(batch: MapBatch, row: int) -> Images:
    assert batch.lung is not None
    maps = (batch.mean, batch.aleatoric, batch.epistemic, batch.lung)
    return np.stack([m[row] for m in maps])


def test_half_precision_of_narrow_images_is_that_of_others(make_generator: MakeGenerator) -> None:
    # PyTorch gave what was in memory on processors with AMX.
    images = draw_images(1, 160, 3)
    half, whole = (maps_of(make_generator(p)(images), 0) for p in ("bf16", "fp32"))
    np.testing.assert_allclose(half, whole, atol=TOLERANCE["bf16"], rtol=TOLERANCE["bf16"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_images_maps_do_not_depend_on_its_batch(
    make_generator: MakeGenerator, precision: str
) -> None:
    generator, images, ids = make_generator(precision), draw_images(5), named(5)
    alone = [maps_of(generator(images[i : i + 1], ids[i : i + 1]), 0) for i in range(5)]
    for order in ([0, 1, 2, 3, 4], [4, 2, 0], [3, 1], [2, 2, 2, 2, 2, 2, 2]):
        batch = generator(images[order], [ids[i] for i in order])
        for place, index in enumerate(order):
            np.testing.assert_allclose(
                maps_of(batch, place), alone[index], rtol=0, atol=TOLERANCE[precision]
            )
    assert np.abs(alone[0] - alone[1]).max() > 10 * TOLERANCE["fp32"]


def test_the_maps_are_the_statistics_of_the_networks_samples(
    make_generator: MakeGenerator, make_cascade: Callable[..., Cascade]
) -> None:
    image = draw_images(1)
    found = make_generator(mc_samples=6, seed=11)(image, ["the id"])
    network = make_cascade()
    masks = torch.from_numpy(dropout_masks(11, "the id", 6, network.mask_width, 0.2))
    with torch.inference_mode():
        runs = [network(torch.from_numpy(image)[None], m[None]) for m in masks]
    b = np.stack([stages[-1].mean[0, 0].double().numpy() for stages in runs])
    variance = np.stack([stages[-1].sigma[0, 0].double().numpy() ** 2 for stages in runs])
    lung = np.stack([torch.sigmoid(s[0].lung_logit)[0, 0].double().numpy() for s in runs])
    np.testing.assert_allclose(found.mean[0], b.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.aleatoric[0], np.sqrt(variance.mean(axis=0)), atol=1e-5)
    np.testing.assert_allclose(found.epistemic[0], b.std(axis=0), atol=1e-5)
    assert found.lung is not None
    np.testing.assert_allclose(found.lung[0], lung.mean(axis=0), atol=1e-5)
    assert found.epistemic.max() > 1e-2, "no spread: the comparison shows nothing"


@pytest.mark.parametrize("most", [1, 500, 10**9])
def test_how_samples_are_split_into_passes_changes_nothing(
    make_generator: MakeGenerator, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    generator, images = make_generator(mc_samples=7), draw_images(2)
    usual = generator(images)
    monkeypatch.setattr(generator_module, "_CPU_PIXELS_A_PASS", most)
    other = generator(images)
    for row in range(2):
        np.testing.assert_allclose(maps_of(usual, row), maps_of(other, row), atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 24), (13, 50), (1, 1), (37, 9)])
def test_any_grid_is_padded_and_cut(make_generator: MakeGenerator, height: int, width: int) -> None:
    generator, images = make_generator(), draw_images(2, height, width)
    found = generator(images)
    padded = np.zeros((2, height + -height % 4, width + -width % 4), np.float32)
    padded[:, :height, :width] = images
    wide = generator(padded)
    for row in range(2):
        assert maps_of(found, row).shape == (4, height, width)
        expected = maps_of(wide, row)[:, :height, :width]
        np.testing.assert_allclose(maps_of(found, row), expected, atol=1e-5)


def test_rows_are_rows(make_generator: MakeGenerator) -> None:
    """A bright spot changes the maps where it lies, not at its mirror or transpose."""
    generator = make_generator(mc_samples=2, dropout=0.0)
    images = np.zeros((2, 32, 48), np.float32)
    images[1, 4:7, 38:42] = 1.0
    found = generator(images, ["same", "same"]).mean
    change = np.abs(found[1] - found[0])
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert 1 <= row <= 10
    assert 34 <= column <= 46


def test_the_maps_have_their_ranges(make_generator: MakeGenerator) -> None:
    found = make_generator()(draw_images(3))
    for name in ("mean", "aleatoric", "epistemic", "lung"):
        values = getattr(found, name)
        assert values.dtype == np.float32
        assert values.shape == (3, 16, 24)
        assert np.isfinite(values).all()
    assert found.aleatoric.min() > 0
    assert found.epistemic.min() >= 0
    assert found.lung is not None
    assert 0 <= found.lung.min() < found.lung.max() <= 1


def test_a_checkpoint_without_lung_gives_none(make_generator: MakeGenerator) -> None:
    generator = make_generator(lung_head=False)
    assert generator(draw_images(2)).lung is None
    inputs = [model_input(image) for image in draw_images(2)]
    assert [g.lung for g in generator.generate(inputs, named(2))] == [None, None]


def model_input(image: Images) -> ModelInput:
    return ModelInput(image, letterbox(image.shape, image.shape), None, ())


def test_generate_gives_each_image_its_own_maps(make_generator: MakeGenerator) -> None:
    generator, images, ids = make_generator(), draw_images(3), named(3)
    batch = generator(images, ids)
    results = generator.generate([model_input(image) for image in images], ids)
    for row, result in enumerate(results):
        assert result.lung is not None
        own = np.stack([result.mean, result.aleatoric, result.epistemic, result.lung])
        assert np.array_equal(own, maps_of(batch, row))


def test_ids_default_to_places(make_generator: MakeGenerator) -> None:
    generator, images = make_generator(), draw_images(3)
    assert np.array_equal(generator(images).mean, generator(images, ["0", "1", "2"]).mean)


def test_the_same_call_gives_the_same_bits(make_generator: MakeGenerator) -> None:
    images, ids = draw_images(3), named(3)
    first, second = make_generator()(images, ids), make_generator()(images, ids)
    for row in range(3):
        assert np.array_equal(maps_of(first, row), maps_of(second, row))


def test_seed_and_id_decide_the_samples(make_generator: MakeGenerator) -> None:
    image = draw_images(1)
    base = make_generator(seed=1)(image, ["a"]).mean
    assert np.abs(base - make_generator(seed=2)(image, ["a"]).mean).max() > 1e-4
    assert np.abs(base - make_generator(seed=1)(image, ["b"]).mean).max() > 1e-4


def test_without_dropout_nothing_is_epistemic(make_generator: MakeGenerator) -> None:
    assert make_generator(dropout=0.0)(draw_images(2)).epistemic.max() < 1e-6


def test_one_sample_gives_no_epistemic_spread(make_generator: MakeGenerator) -> None:
    assert make_generator(mc_samples=1)(draw_images(2)).epistemic.max() == 0


def test_double_precision_is_taken_too(make_generator: MakeGenerator) -> None:
    generator = make_generator()
    images = draw_images(1)
    double = generator(images.astype(np.float64)).mean
    assert np.array_equal(double, generator(images).mean)


@pytest.mark.parametrize("shape", [(16, 16), (2, 1, 16, 16), (16,), ()])
def test_other_shapes_are_refused(make_generator: MakeGenerator, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected images of shape \(n, H, W\)"):
        make_generator()(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (np.full((1, 16, 24), 255, np.uint8), "floating-point images in .*, found uint8; divide"),
        (np.ones((1, 16, 24), np.bool_), "found bool"),
        (np.full((1, 16, 24), 255.0), "found values from 0 to 255; .*to_unit_range"),
        (np.full((1, 16, 24), -0.01), "found values from -0.01 to 0"),
        (np.full((1, 16, 24), np.nan), "found values from nan to nan"),
    ],
)
def test_values_that_no_network_was_trained_on_are_refused(
    make_generator: MakeGenerator, images: NDArray[np.float64], sentence: str
) -> None:
    for run in (make_generator(), make_generator().stages):
        with pytest.raises(ValueError, match=sentence):
            run(images)


def test_values_that_rounding_puts_outside_are_taken(make_generator: MakeGenerator) -> None:
    images = np.linspace(-5e-4, 1 + 5e-4, 16 * 24).reshape(1, 16, 24)
    assert np.isfinite(make_generator()(images).mean).all()


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "b", "c"]])
def test_as_many_ids_as_images(make_generator: MakeGenerator, ids: list[str]) -> None:
    with pytest.raises(ValueError, match=f"expected 2 image ids, found {len(ids)}"):
        make_generator()(draw_images(2), ids)


def test_inputs_of_two_grids_are_refused(make_generator: MakeGenerator) -> None:
    inputs = [model_input(draw_images(1)[0]), model_input(draw_images(1, 16, 20)[0])]
    with pytest.raises(ValueError, match="same shape"):
        make_generator().generate(inputs, named(2))


def test_the_batch_size_is_a_pure_function_of_grid_and_samples(
    make_generator: MakeGenerator,
) -> None:
    generator = make_generator(mc_samples=20)
    assert generator.auto_batch_size((4096, 4096)) == 1
    assert 1 <= generator.auto_batch_size((16, 16)) <= 32
    assert generator.auto_batch_size((64, 128)) == generator.auto_batch_size((128, 64))
    sizes = [generator.auto_batch_size((side, side)) for side in (16, 32, 64, 256, 1024)]
    assert sizes == sorted(sizes, reverse=True)


def test_each_stage_has_the_statistics_of_its_own_samples(
    make_generator: MakeGenerator, make_cascade: Callable[..., Cascade]
) -> None:
    image = draw_images(1)
    stages = make_generator(mc_samples=6, seed=11).stages(image, ["the id"])
    network = make_cascade()
    masks = torch.from_numpy(dropout_masks(11, "the id", 6, network.mask_width, 0.2))
    with torch.inference_mode():
        runs = [network(torch.from_numpy(image)[None], m[None]) for m in masks]
    assert len(stages) == network.config.stages
    for number, found in enumerate(stages):
        samples = [run[number] for run in runs]
        b = np.stack([s.mean[0, 0].double().numpy() for s in samples])
        variance = np.stack([s.sigma[0, 0].double().numpy() ** 2 for s in samples])
        beta = np.stack([s.beta[0, 0].double().numpy() for s in samples])
        np.testing.assert_allclose(found.mean[0], b.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(found.aleatoric[0], np.sqrt(variance.mean(axis=0)), atol=1e-5)
        np.testing.assert_allclose(found.epistemic[0], b.std(axis=0), atol=1e-5)
        assert found.beta is not None
        np.testing.assert_allclose(found.beta[0], beta.mean(axis=0), atol=1e-4)
    assert np.abs(stages[0].mean - stages[1].mean).max() > 1e-2


def test_the_last_stage_is_what_a_call_gives(make_generator: MakeGenerator) -> None:
    generator, images = make_generator(), draw_images(2)
    called, last = generator(images), generator.stages(images)[-1]
    assert called.beta is None
    for row in range(2):
        assert np.array_equal(maps_of(called, row), maps_of(last, row))
