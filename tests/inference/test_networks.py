"""Families of networks: one name on a card, in the parser and for torch; another one is easy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pair_files import write_pair_folders
from small_cards import small_card
from torch import nn

import dfsynth
from dfsynth.checkpoint import CheckpointFiles, checkpoint_path, read_checkpoint
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.networks import CONFIG_READERS
from dfsynth.errors import CheckpointError
from dfsynth.inference import MapBatch, load_map_generator, load_network, save_checkpoint
from dfsynth.inference.map_generator import Content
from dfsynth.inference.networks import FAMILIES, NetworkFamily
from dfsynth.models import GeneratorNetwork
from dfsynth.records import Generated, Intensity, ModelInput
from dfsynth.trust import TrustHeads

GAIN = 0.25


def test_cards_and_torch_know_the_same_families() -> None:
    assert CONFIG_READERS.keys() == FAMILIES.keys()


@dataclass(frozen=True, slots=True)
class ScalingConfig:
    """Of a network with one weight."""

    slope: float
    stages: int = 1
    lung_head: bool = False
    members: int = 1

    @property
    def has_dropout(self) -> bool:
        """It drops nothing."""
        return False

    @property
    def denoiser(self) -> None:
        """It makes no image out of noise."""
        return None


def read_scaling_config(arguments: Entries) -> ScalingConfig:
    config = ScalingConfig(
        arguments.real("slope"),
        arguments.whole("stages"),
        arguments.truth("lung_head"),
        arguments.whole("members"),
    )
    arguments.finish()
    return config


class Scaling(GeneratorNetwork):
    """Says that dark-field is attenuation times a weight."""

    def __init__(self, config: ScalingConfig) -> None:
        super().__init__()
        self.config = config
        self.gain = nn.Parameter(torch.full((1,), config.slope))


@dataclass
class ScalingSampler:
    """Implements `MapGenerator`."""

    network: Scaling
    device: torch.device
    precision: str
    samples: int
    seed: int
    heads: TrustHeads | None
    mc: str
    intensity: Intensity

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        return max(512 // (grid[0] * grid[1]), 1)

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        maps = self(np.stack([i.image for i in inputs]), image_ids)
        rows = zip(maps.mean, maps.aleatoric, maps.epistemic, strict=True)
        return [Generated(*row, lung=None) for row in rows]

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,  # noqa: ARG002
    ) -> list[MapBatch]:
        assert image_ids is None or len(image_ids) == len(images)
        mean = (images * self.network.gain.item()).astype(np.float32)
        deviation = np.full_like(mean, 0.1)
        return [MapBatch(mean, deviation, deviation, None, np.full_like(mean, 2.0))]

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        return self.stages(images, image_ids)[-1]


@pytest.fixture
def scaling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of a family that is known while the test runs."""
    monkeypatch.setitem(CONFIG_READERS, "scaling", read_scaling_config)
    monkeypatch.setitem(FAMILIES, "scaling", NetworkFamily(Scaling, ScalingSampler))
    config = ScalingConfig(GAIN)
    card = small_card(config, name="scaled", network="scaling")
    save_checkpoint(tmp_path / "scaled", Scaling(config), card)
    return tmp_path / "scaled"


def read(folder: Path) -> CheckpointFiles:
    return read_checkpoint(checkpoint_path(str(folder)))


def test_a_checkpoint_of_another_family_comes_back(scaling: Path) -> None:
    files = read(scaling)
    assert files.card.arguments == ScalingConfig(GAIN)
    network = load_network(files)
    assert isinstance(network, Scaling)
    assert network.gain.item() == GAIN
    generator = load_map_generator(files, torch.device("cpu"), "fp32", 3, 5)
    assert isinstance(generator, ScalingSampler)
    assert (generator.precision, generator.samples, generator.seed) == ("fp32", 3, 5)


def test_arguments_are_read_by_the_family_alone(scaling: Path) -> None:
    card = scaling / "model.json"
    card.write_text(card.read_text().replace('"slope"', '"widths"'))
    with pytest.raises(CheckpointError, match="the entry 'slope' is missing"):
        read(scaling)


def test_a_build_needs_no_more_of_another_family(scaling: Path, tmp_path: Path) -> None:
    inputs, _ = write_pair_folders(tmp_path, 3)
    out = tmp_path / "x.zarr"
    maps = ("attenuation", "dark_field")
    report = dfsynth.build(
        inputs, out, checkpoint=str(scaling), size=16, maps=maps, dtype="float32", precision="fp32"
    )
    assert (report.ok, report.failed) == (3, 0)
    store = dfsynth.open_store(out)
    for row in range(3):
        seen, made = (store.read(name, row) for name in maps)
        np.testing.assert_allclose(made, GAIN * seen, atol=1e-6)
        assert made.max() > 0.1


def test_an_evaluation_needs_no_more_of_another_family(scaling: Path, tmp_path: Path) -> None:
    inputs, targets = write_pair_folders(tmp_path, 3)
    found = dfsynth.evaluate_checkpoint(
        scaling, inputs, targets=targets, split="all", precision="fp32"
    )
    assert found.checkpoint == "scaled"
    assert (found.images, found.lung_of, len(found.stages)) == (3, "none", 1)
