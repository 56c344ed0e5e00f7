"""Maps of cascades that add to their input are those that training sees."""

from typing import get_args

import numpy as np
import pytest
import torch
from drawn_networks import drawn_cascade

from dfsynth.checkpoint import Backbone
from dfsynth.inference import CascadeGenerator


@pytest.mark.parametrize("backbone", get_args(Backbone))
def test_a_generator_adds_to_the_image_as_training_does(backbone: str) -> None:
    network = drawn_cascade(backbone=backbone, residual=0.5, dropout=0.0)
    # A grid that has to be padded.
    images = np.random.default_rng(3).random((2, 16, 21), np.float32)
    found = CascadeGenerator([network], torch.device("cpu"), "fp32")(images).mean
    with torch.inference_mode():
        padded = network.pad(torch.from_numpy(images)[:, None])
        wanted = network(padded, torch.ones(2, network.mask_width))[-1].mean[:, 0, :16, :21]
    np.testing.assert_allclose(found, wanted.numpy(), rtol=0, atol=1e-5)
    assert np.abs(found - images).max() > 1e-3
