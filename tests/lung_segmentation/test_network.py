"""The network as a segmenter: mirror, grids, shapes."""

import numpy as np
import pytest
import torch

from dfsynth.lung_segmentation.network import OUTPUT_CHANNELS, LungSegmentationNetwork
from dfsynth.models.unet import UNet


@pytest.fixture
def segmenter() -> LungSegmentationNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        return LungSegmentationNetwork(UNet(1, OUTPUT_CHANNELS, (8, 16)).eval(), 32)


def test_the_mirrored_image_has_the_mirrored_reading(segmenter: LungSegmentationNetwork) -> None:
    image = np.random.default_rng(0).random((32, 32), np.float32)
    straight, mirrored = segmenter(image), segmenter(image[:, ::-1].copy())
    for name in ("field", "any_lung", "thickness_mm"):
        found = getattr(mirrored, name)[:, ::-1]
        np.testing.assert_allclose(found, getattr(straight, name), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [16, 32, 64, 96])
def test_maps_have_the_images_shape_and_their_own_ranges(
    segmenter: LungSegmentationNetwork, side: int
) -> None:
    prediction = segmenter(np.random.default_rng(0).random((side, side), np.float32))
    for probability in (prediction.field, prediction.any_lung):
        assert probability.shape == (side, side)
        assert probability.dtype == np.float32
        assert probability.min() >= 0
        assert probability.max() <= 1
    assert prediction.thickness_mm.shape == (side, side)
    assert prediction.thickness_mm.min() >= 0


def test_a_finer_image_reads_as_its_average(segmenter: LungSegmentationNetwork) -> None:
    image = np.random.default_rng(0).random((32, 32), np.float32)
    fine = np.kron(image, np.ones((2, 2), np.float32))
    found = segmenter(fine).thickness_mm.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    # Bilinear enlargement rounds peaks of this noise.
    assert np.corrcoef(found.ravel(), segmenter(image).thickness_mm.ravel())[0, 1] > 0.9


def test_an_image_that_is_not_square_is_refused(segmenter: LungSegmentationNetwork) -> None:
    with pytest.raises(ValueError, match="found 32 × 64 pixels"):
        segmenter(np.zeros((32, 64), np.float32))
