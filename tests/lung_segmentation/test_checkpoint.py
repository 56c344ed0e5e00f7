"""A lung segmentation network on disk comes back as it was, or one sentence says what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dfsynth.checkpoint import encode_card
from dfsynth.errors import CheckpointError
from dfsynth.lung_segmentation.checkpoint import (
    LungNetworkCard,
    load_lung_network,
    parse_lung_card,
    save_lung_network,
)
from dfsynth.lung_segmentation.network import OUTPUT_CHANNELS, LungSegmentationNetwork
from dfsynth.models.unet import UNet

CARD = LungNetworkCard(
    name="tiny",
    widths=(8, 16),
    side=32,
    license="Apache-2.0",
    intended_use="tests",
    limits="all",
    training_data=({"name": "none", "licence": "none"},),
    recipe={"steps": 0},
    metrics={"dice": 0.0},
)


@pytest.fixture
def network() -> UNet:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        return UNet(1, OUTPUT_CHANNELS, CARD.widths).eval()


@pytest.fixture
def folder(tmp_path: Path, network: UNet) -> Path:
    save_lung_network(tmp_path / "network", network, CARD)
    return tmp_path / "network"


def test_a_network_comes_back_as_it_was(folder: Path, network: UNet) -> None:
    segmenter, card = load_lung_network(folder)
    assert card == CARD
    image = np.random.default_rng(0).random((32, 32), np.float32)
    expected = LungSegmentationNetwork(network, 32)(image)
    # Stored in float16.
    np.testing.assert_allclose(segmenter(image).field, expected.field, atol=2e-3)
    np.testing.assert_allclose(segmenter(image).thickness_mm, expected.thickness_mm, rtol=1e-2)


def _cut(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _change(**entries: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | entries))

    return change


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda folder: (folder / "model.json").unlink(), "cannot read"),
        (lambda folder: (folder / "model.json").write_text("{"), "it is no JSON"),
        (_cut, "no lung segmentation network .* is damaged or no safetensors file"),
        (_change(widths=[8, 24]), "no lung segmentation network"),
        (_change(widths=[7, 16]), "multiple of 8"),
        (_change(side=33), "is no multiple of 4"),
        (_change(network="upgan-compact"), "it describes network 'upgan-compact'"),
        (_change(card_version=2), "card version 2"),
        (_change(surprise=1), "unknown entries: 'surprise'"),
    ],
    ids=["gone", "json", "cut", "misfit", "widths", "side", "network", "version", "unknown"],
)
def test_what_is_no_network_is_named(
    folder: Path, damage: Callable[[Path], None], why: str
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=why) as caught:
        load_lung_network(folder)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_float16_are_not_saved(tmp_path: Path, network: UNet) -> None:
    with torch.no_grad():
        network.stem.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(ValueError, match=r"no finite float16 numbers: stem\.weight"):
        save_lung_network(tmp_path / "network", network, CARD)
    assert not (tmp_path / "network").exists()


def test_a_card_is_read_from_its_text() -> None:
    assert parse_lung_card(encode_card(CARD).encode()) == CARD
