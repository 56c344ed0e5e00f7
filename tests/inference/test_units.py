"""What a network gives near [0, 1] comes out in the unit of its card, deviations included."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dfsynth.checkpoint import CheckpointFiles, read_checkpoint
from dfsynth.inference import CascadeGenerator, load_map_generator, load_network, save_checkpoint
from dfsynth.inference.units import InUnits
from dfsynth.records import Geometry, IntensityRange, ModelInput

pytestmark = pytest.mark.torch
HU = IntensityRange(-1000.0, 1000.0, "HU")
IMAGES = np.random.default_rng(0).random((2, 16, 16), np.float32)


def test_means_are_scaled_and_shifted_and_deviations_scaled_alone(
    make_generator: Callable[..., CascadeGenerator],
) -> None:
    plain = make_generator()
    scaled = InUnits(plain, HU)
    pairs = [(plain(IMAGES), scaled(IMAGES))]
    pairs += zip(plain.stages(IMAGES), scaled.stages(IMAGES), strict=True)
    for before, after in pairs:
        np.testing.assert_allclose(after.mean, before.mean * 2000 - 1000, rtol=1e-5, atol=1e-2)
        np.testing.assert_allclose(after.aleatoric, before.aleatoric * 2000, rtol=1e-6)
        np.testing.assert_allclose(after.epistemic, before.epistemic * 2000, rtol=1e-6)
        assert after.lung is not None
        np.testing.assert_array_equal(after.lung, before.lung)


def test_a_build_gets_the_maps_that_a_call_gives(
    make_generator: Callable[..., CascadeGenerator],
) -> None:
    scaled = InUnits(make_generator(), HU)
    geometry = Geometry(16, 16, 16, 16, 0, 0, 16, 16)
    inputs = [ModelInput(image, geometry, None, ()) for image in IMAGES]
    maps = scaled(IMAGES, ["a", "b"])
    for index, made in enumerate(scaled.generate(inputs, ["a", "b"])):
        np.testing.assert_array_equal(made.mean, maps.mean[index])
        np.testing.assert_array_equal(made.epistemic, maps.epistemic[index])


def test_the_card_decides(saved: CheckpointFiles, tmp_path: Path) -> None:
    card = replace(saved.card, unit="HU", output_intensity=HU)
    save_checkpoint(tmp_path / "hu", load_network(saved), card)
    plain, scaled = (
        load_map_generator(files, torch.device("cpu"), "fp32", 3)(IMAGES)
        for files in (saved, read_checkpoint(tmp_path / "hu"))
    )
    np.testing.assert_array_equal(scaled.mean, HU.restore(plain.mean))
