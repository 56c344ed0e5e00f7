"""Pairs whose radiographs a network restores, by restorers of which it is known what they do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_networks import draw_weights
from small_cards import small_card

from dfsynth.checkpoint import (
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    CascadeConfig,
    DiffusionConfig,
    FlowConfig,
)
from dfsynth.errors import UsageError
from dfsynth.inference import load_restorer, save_checkpoint
from dfsynth.models import DiffusionNetwork, FlowNetwork, build_cascade
from dfsynth.options import SimulateOptions
from dfsynth.records import Float32Map, MadePair, PairItem
from dfsynth.simulation import Simulator
from dfsynth.simulation.origins.restored import restore_display

SIZE = 64
ITEM = PairItem(0, 0, "pair-0000000", "phantom-0", "train", "phantom", None, "none", 4321)


class Inverted:
    """Turns every grey value around, so that it is seen which it was given."""

    def __init__(self) -> None:
        self.given: list[Float32Map] = []

    def restore(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        del rng
        self.given.append(image)
        return 1 - image


def radiograph() -> Float32Map:
    """Bars of 0 above and on the left, grey values from 0.2 to 0.8 elsewhere."""
    image = np.zeros((8, 10), np.float32)
    image[2:, 3:] = np.linspace(0.2, 0.8, 42, dtype=np.float32).reshape(6, 7)
    return image


def test_bars_stay_and_the_rest_keeps_its_range_of_grey_values() -> None:
    restorer, image = Inverted(), radiograph()
    found = restore_display(image, restorer, np.random.default_rng(0))
    assert found.dtype == np.float32
    assert not found[:2].any()
    assert not found[:, :3].any()
    np.testing.assert_allclose(found[2:, 3:], image[2:, 3:][::-1, ::-1], atol=0.01)
    [given] = restorer.given
    assert given.shape == image.shape
    assert (given.min(), given.max()) == (0, 1)
    # Bars are filled with what is beside them: no edge that was none.
    np.testing.assert_array_equal(given[0, 3:], given[2, 3:])
    np.testing.assert_array_equal(given[2:, 0], given[2:, 3])


def test_an_image_of_nothing_stays() -> None:
    nothing = np.zeros((4, 4), np.float32)
    assert not restore_display(nothing, Inverted(), np.random.default_rng(0)).any()


@pytest.fixture(scope="module")
def restorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = FlowConfig(widths=(8, 16), steps=1)
    network = draw_weights(FlowNetwork(config))
    changed = {"network": FLOW_NETWORK, "grid": (SIZE, SIZE), "task": "restoration"}
    folder = tmp_path_factory.mktemp("restorer") / "flow"
    save_checkpoint(folder, network, small_card(config, **changed))
    return folder


def test_samplers_that_add_noise_on_their_way_take_it_from_the_pair(tmp_path: Path) -> None:
    config = DiffusionConfig(widths=(8, 16), steps=2, sampler="ancestral")
    changed = {"network": DIFFUSION_NETWORK, "grid": (SIZE, SIZE), "task": "restoration"}
    network = draw_weights(DiffusionNetwork(config))
    save_checkpoint(tmp_path / "ancestral", network, small_card(config, **changed))
    restorer = load_restorer(str(tmp_path / "ancestral"), torch.device("cpu"))
    image = radiograph()
    first, again = (restorer.restore(image, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == image.shape
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, restorer.restore(image, np.random.default_rng(2)))


def make(seed: int = 4321, **changes: object) -> MadePair:
    item = PairItem(0, 0, "pair-0000000", "phantom-0", "train", "phantom", None, "none", seed)
    options = SimulateOptions.of(out="pairs.zarr", n=1, size=SIZE, device="cpu", **changes)
    return Simulator(options).make(item)


def test_a_restored_pair_differs_in_its_radiograph_alone(restorer: Path) -> None:
    usual = make()
    made = make(display="restored", restorer=restorer)
    again = make(display="restored", restorer=restorer)
    assert made.facts == usual.facts
    for name, values in usual.arrays.items():
        assert np.array_equal(values, made.arrays[name]) is (name != "attenuation"), name
        np.testing.assert_array_equal(again.arrays[name], made.arrays[name])
    image = made.arrays["attenuation"]
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    other = make(4322, display="restored", restorer=restorer)
    assert not np.array_equal(other.arrays["attenuation"], image)


def test_the_settings_say_which_network_restored(restorer: Path) -> None:
    options = {"out": "x.zarr", "n": 1, "size": SIZE, "device": "cpu"}
    usual = Simulator(SimulateOptions.of(**options)).settings()
    chosen = SimulateOptions.of(**options, display="restored", restorer=restorer)
    restored = Simulator(chosen).settings()
    assert "restorer" not in usual
    assert restored == usual | {"restorer": restored["restorer"]}
    assert len(str(restored["restorer"])) == 64


def refused(**changes: object) -> str:
    options = SimulateOptions.of(**{"out": "x.zarr", "n": 1, "size": SIZE} | changes)
    with pytest.raises(UsageError) as caught:
        Simulator(options)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_images_of_another_size_are_refused(restorer: Path) -> None:
    said = refused(display="restored", restorer=restorer, size=96)
    assert said == (
        f"--restorer {restorer} was trained on 64x64 pixels; expected --size 64, found 96"
    )


def test_networks_that_restore_nothing_are_refused(tmp_path: Path) -> None:
    config = CascadeConfig(1, (8, 16))
    save_checkpoint(tmp_path / "dark", build_cascade(config), small_card(config))
    said = refused(display="restored", restorer=tmp_path / "dark")
    assert "of the task dark-field-radiography; expected one of restoration" in said
    changed = small_card(config, task="restoration", grid=(SIZE, SIZE))
    save_checkpoint(tmp_path / "smooth", build_cascade(config), changed)
    said = refused(display="restored", restorer=tmp_path / "smooth")
    assert "expected one of the families diffusion and flow" in said
    assert "no checkpoint" in refused(display="restored", restorer=tmp_path / "none")
