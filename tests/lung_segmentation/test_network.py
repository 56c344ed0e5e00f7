"""The network as a reader: mirror, grids, shapes."""

import numpy as np
import pytest
import torch

from dfsynth.lung_segmentation.network import READER_OUTPUTS, NetworkReader
from dfsynth.models.unet import UNet


@pytest.fixture
def reader() -> NetworkReader:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        return NetworkReader(UNet(1, READER_OUTPUTS, (8, 16)).eval(), 32)


def test_the_mirrored_picture_has_the_mirrored_reading(reader: NetworkReader) -> None:
    image = np.random.default_rng(0).random((32, 32), np.float32)
    straight, mirrored = reader(image), reader(image[:, ::-1].copy())
    for name in ("field", "any_lung", "thickness_mm"):
        found = getattr(mirrored, name)[:, ::-1]
        np.testing.assert_allclose(found, getattr(straight, name), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [16, 32, 64, 96])
def test_maps_have_the_pictures_shape_and_their_own_ranges(
    reader: NetworkReader, side: int
) -> None:
    reading = reader(np.random.default_rng(0).random((side, side), np.float32))
    for probability in (reading.field, reading.any_lung):
        assert probability.shape == (side, side)
        assert probability.dtype == np.float32
        assert probability.min() >= 0
        assert probability.max() <= 1
    assert reading.thickness_mm.shape == (side, side)
    assert reading.thickness_mm.min() >= 0


def test_a_finer_picture_reads_as_its_average(reader: NetworkReader) -> None:
    image = np.random.default_rng(0).random((32, 32), np.float32)
    fine = np.kron(image, np.ones((2, 2), np.float32))
    found = reader(fine).thickness_mm.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    # Bilinear enlargement rounds peaks of this noise.
    assert np.corrcoef(found.ravel(), reader(image).thickness_mm.ravel())[0, 1] > 0.9


def test_a_picture_that_is_not_square_is_refused(reader: NetworkReader) -> None:
    with pytest.raises(ValueError, match="found 32 × 64 pixels"):
        reader(np.zeros((32, 64), np.float32))
