"""Cards of networks that draw samples: written, read back, and refused where they cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_cards import small_card

from dfsynth.checkpoint import (
    CARD,
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    WEIGHTS,
    DenoiserConfig,
    DiffusionConfig,
    FlowConfig,
    ModelCard,
    encode_card,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError

CONFIGS = {
    DIFFUSION_NETWORK: DiffusionConfig((8, 24), 2, (-1.0, 2.5), 20),
    FLOW_NETWORK: FlowConfig((16, 32, 64), 1, (0.0, 0.6), 3),
}


def entries(network: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_card(small_card(CONFIGS[network], network=network)))
    return found


def read(folder: Path, card: dict[str, Any]) -> ModelCard:
    (folder / CARD).write_text(json.dumps(card))
    (folder / WEIGHTS).write_bytes(b"weights")
    return read_checkpoint(folder).card


@pytest.mark.parametrize("network", sorted(CONFIGS))
def test_a_card_comes_back_as_it_was(tmp_path: Path, network: str) -> None:
    found = read(tmp_path, entries(network)).arguments
    assert found == CONFIGS[network]
    assert (found.stages, found.members, found.lung_head) == (1, 1, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widths": []}, "at least two widths"),
        ({"widths": [8]}, "at least two widths"),
        ({"widths": [8, 12]}, "each a multiple of 8"),
        ({"blocks": 0}, "'blocks' is not"),
        ({"span": [0.0]}, "'span' is not a low and a higher value"),
        ({"span": [1.0, 1.0]}, "a low and a higher value"),
        ({"steps": 1001}, "expected 1 to 1000 steps"),
        ({"name": "cascade"}, "'name' is not one of diffusion"),
        ({"surprise": 1}, "unknown entries: 'surprise'"),
    ],
)
def test_entries_that_are_something_else_are_named(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    card = entries(DIFFUSION_NETWORK)
    card["arguments"] |= change
    with pytest.raises(CheckpointError, match=words):
        read(tmp_path, card)


def test_levels_of_noise_are_passed_in_equal_steps_by_diffusion_alone() -> None:
    with pytest.raises(ValueError, match="a divisor of 1000"):
        DiffusionConfig(steps=3)
    assert FlowConfig(steps=3).steps == 3


@pytest.mark.parametrize("kind", [DiffusionConfig, FlowConfig])
def test_there_is_a_block_at_least(kind: type[DenoiserConfig]) -> None:
    with pytest.raises(ValueError, match="expected 1 block or more"):
        kind(blocks=0)
