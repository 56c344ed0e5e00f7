"""A reader on disk: it comes back as it was, or one sentence says what is wrong with it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from dfsynth.errors import CheckpointError
from dfsynth.lung_segmentation.checkpoint import (
    ReaderCard,
    load_reader,
    parse_reader_card,
    save_reader,
)
from dfsynth.lung_segmentation.network import READER_OUTPUTS, NetworkReader
from dfsynth.models.unet import UNet

CARD = ReaderCard(
    name="tiny",
    widths=(8, 16),
    side=32,
    licence="Apache-2.0",
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
        return UNet(1, READER_OUTPUTS, CARD.widths).eval()


@pytest.fixture
def folder(tmp_path: Path, network: UNet) -> Path:
    save_reader(tmp_path / "reader", network, CARD)
    return tmp_path / "reader"


def test_a_reader_comes_back_as_it_was(folder: Path, network: UNet) -> None:
    reader, card = load_reader(folder)
    assert card == CARD
    image = np.random.default_rng(0).random((32, 32), np.float32)
    expected = NetworkReader(network, 32)(image)
    # Stored in float16.
    np.testing.assert_allclose(reader(image).field, expected.field, atol=2e-3)
    np.testing.assert_allclose(reader(image).thickness_mm, expected.thickness_mm, rtol=1e-2)


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
        (_cut, "no lung reader"),
        (_change(widths=[8, 24]), "no lung reader"),
        (_change(widths=[7, 16]), "multiple of 8"),
        (_change(side=33), "is no multiple of 4"),
        (_change(network="upgan-compact"), "it describes network 'upgan-compact'"),
        (_change(card_version=2), "card version 2"),
        (_change(surprise=1), "unknown entries: 'surprise'"),
    ],
    ids=["gone", "json", "cut", "misfit", "widths", "side", "network", "version", "unknown"],
)
def test_what_is_no_reader_is_named(folder: Path, damage: Callable[[Path], None], why: str) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=why) as caught:
        load_reader(folder)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_float16_are_not_saved(tmp_path: Path, network: UNet) -> None:
    with torch.no_grad():
        network.stem.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(ValueError, match=r"no finite numbers: stem\.weight"):
        save_reader(tmp_path / "reader", network, CARD)
    assert not (tmp_path / "reader").exists()


def test_a_card_is_read_from_its_text() -> None:
    assert parse_reader_card(json.dumps(asdict(CARD)).encode()) == CARD
