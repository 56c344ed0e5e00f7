"""A small cascade with drawn weights, its card, and generators of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from drawn_networks import draw_weights

from dfsynth.checkpoint import (
    MEMBERS_NETWORK,
    NETWORK,
    CascadeConfig,
    CheckpointFiles,
    MembersConfig,
    ModelCard,
    read_checkpoint,
)
from dfsynth.inference import CascadeGenerator, save_checkpoint
from dfsynth.models import Cascade
from dfsynth.records import IntensityWindow


@pytest.fixture
def make_cascade() -> Callable[..., Cascade]:
    def make(lung_head: bool = True, dropout: float = 0.2, seed: int = 0) -> Cascade:
        return draw_weights(Cascade(CascadeConfig(2, (8, 16), dropout, lung_head)), seed)

    return make


@pytest.fixture
def make_generator(make_cascade: Callable[..., Cascade]) -> Callable[..., CascadeGenerator]:
    def make(
        precision: str = "fp32", mc_samples: int = 5, seed: int = 3, **cascade: object
    ) -> CascadeGenerator:
        network = make_cascade(**cascade)
        return CascadeGenerator([network], torch.device("cpu"), precision, mc_samples, seed)

    return make


@pytest.fixture
def make_card() -> Callable[[CascadeConfig | MembersConfig], ModelCard]:
    def make(config: CascadeConfig | MembersConfig) -> ModelCard:
        return ModelCard(
            name="small",
            network=MEMBERS_NETWORK if isinstance(config, MembersConfig) else NETWORK,
            arguments=config,
            grid=(16, 16),
            intensity=IntensityWindow(),
            unit="1",
            window=(0.0, 1.0),
            license="Apache-2.0",
            intended_use="tests",
            limits="drawn weights",
            training_data=(),
        )

    return make


@pytest.fixture
def saved(
    tmp_path: Path,
    make_cascade: Callable[..., Cascade],
    make_card: Callable[[CascadeConfig], ModelCard],
) -> CheckpointFiles:
    """A checkpoint of the small cascade on disk."""
    network = make_cascade()
    save_checkpoint(tmp_path / "small", network, make_card(network.config))
    return read_checkpoint(tmp_path / "small")
