"""A small cascade with drawn weights, its card, and generators of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from drawn_networks import draw_weights
from small_cards import small_card

from dfsynth.checkpoint import (
    CascadeConfig,
    CheckpointFiles,
    MembersConfig,
    ModelCard,
    read_checkpoint,
)
from dfsynth.inference import CascadeGenerator, save_checkpoint
from dfsynth.models import Cascade


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
        return small_card(config)

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
