"""A trained degrader makes the blurred images of a store."""

from pathlib import Path

import numpy as np
import pytest
import torch

import dfsynth
from dfsynth.checkpoint import ModelCard, MunitConfig
from dfsynth.inference import save_checkpoint
from dfsynth.models import Munit
from dfsynth.records import IntensityWindow
from dfsynth.resources import data_folder

SHAPE = (64, 64)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = Munit(MunitConfig(width=4))
    card = ModelCard(
        name="drawn-degrader",
        network="munit",
        arguments=network.config,
        grid=SHAPE,
        intensity=IntensityWindow(),
        unit="1",
        window=(0.0, 1.0),
        license="none",
        intended_use="a test",
        limits="a test",
        training_data=(),
        task="restoration",
    )
    save_checkpoint(tmp_path / "degrader", network, card)
    return tmp_path / "degrader"


def test_a_store_of_pairs_is_made_by_a_trained_degrader(checkpoint: Path, tmp_path: Path) -> None:
    report = dfsynth.simulate_pairs(
        tmp_path / "pairs.zarr",
        n=2,
        task="restoration",
        cxr=data_folder("samples"),
        size=64,
        degrader=str(checkpoint),
    )
    assert (report.ok, report.failed) == (2, 0)
    store = dfsynth.open_store(tmp_path / "pairs.zarr")
    assert set(store.manifest["degrader"].to_pylist()) == {"drawn-degrader"}
    for row in range(2):
        blurred = store.read("blurred", row)
        assert blurred.min() >= 0
        assert blurred.max() <= 1
        assert not np.array_equal(blurred, store.read("radiograph", row))
