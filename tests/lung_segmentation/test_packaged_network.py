"""The packaged lung segmentation network: free to use, small, and it finds lungs."""

import cv2
import numpy as np
import pytest

from dfsynth.lung_segmentation import (
    LungNetworkCard,
    LungSegmentationNetwork,
    NotAChestRadiograph,
    load_lung_network,
    locate_lungs,
    packaged_lung_network,
)
from dfsynth.preprocess import prepare
from dfsynth.records import DecodedImage, IntensityWindow, ModelInput
from dfsynth.resources import data_folder
from dfsynth.simulation.cxr.target import draw_cxr, lay_dark_field
from dfsynth.simulation.streams import Streams

FOLDER = packaged_lung_network()
SAMPLES = sorted(data_folder("samples").glob("*.png"))
WHOLE = (slice(0, 256), slice(0, 256))


@pytest.fixture(scope="module")
def packaged() -> tuple[LungSegmentationNetwork, LungNetworkCard]:
    return load_lung_network(FOLDER)


def load(name: str) -> ModelInput:
    pixels = cv2.imread(str(data_folder("samples") / name), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    decoded = DecodedImage(pixels.astype(np.uint8), 0.0, 255.0, 8, "MONOCHROME2", None)
    return prepare(decoded, (256, 256), IntensityWindow())


def test_it_is_small_and_free_to_use(
    packaged: tuple[LungSegmentationNetwork, LungNetworkCard],
) -> None:
    card = packaged[1]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8_000_000
    assert len(card.training_data) > 2
    for entry in card.training_data:
        licence = entry["licence"].upper().replace("-", " ").split()
        assert "NC" not in licence
        assert "UNKNOWN" not in licence
    assert "not for diagnosis" in card.intended_use.lower()
    assert card.metrics["dice_montgomery"]["mean"] > 0.9


@pytest.mark.parametrize("name", [path.name for path in SAMPLES])
def test_it_finds_two_lungs_in_the_samples(
    packaged: tuple[LungSegmentationNetwork, LungNetworkCard], name: str
) -> None:
    ready = load(name)
    streams = Streams(1)
    target = lay_dark_field(
        ready.image,
        ready.geometry.content,
        packaged[0](ready.image),
        draw_cxr(streams, (0, 0), frozenset()),
        streams,
        None,
    )
    field = target.lung_labels == 1
    assert 0.1 < field.mean() < 0.5
    assert ready.image[field].mean() < ready.image[ready.geometry.content].mean()
    assert 50 < target.lung_mm[field].mean() < 200
    assert target.lung_mm.max() < 320
    hidden = target.lung_labels == 2
    assert target.lung_mm[hidden].mean() < 0.8 * target.lung_mm[field].mean()


def test_it_finds_none_in_noise_and_bars(
    packaged: tuple[LungSegmentationNetwork, LungNetworkCard],
) -> None:
    noise = np.random.default_rng(0).random((256, 256), np.float32)
    bars = (np.arange(256)[None] // 16 % 2).astype(np.float32).repeat(256, 0)
    for image in (noise, bars):
        with pytest.raises(NotAChestRadiograph):
            locate_lungs(image, packaged[0](image), WHOLE)
