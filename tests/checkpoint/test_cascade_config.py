"""The card of a cascade that adds to its input: written, read back, and as before without."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_cards import small_card

from dfsynth.checkpoint import (
    CARD,
    WEIGHTS,
    CascadeConfig,
    MembersConfig,
    NetworkConfig,
    encode_card,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError

RESIDUAL = CascadeConfig(2, (8, 16), residual=0.25)
WHOLE = CascadeConfig(2, (8, 16))


def written(config: NetworkConfig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_card(small_card(config)))
    return found


def read(folder: Path, card: dict[str, Any]) -> NetworkConfig:
    (folder / CARD).write_text(json.dumps(card))
    (folder / WEIGHTS).write_bytes(b"weights")
    return read_checkpoint(folder).card.arguments


@pytest.mark.parametrize("config", [RESIDUAL, MembersConfig(2, RESIDUAL)])
def test_a_residual_comes_back_as_it_was(tmp_path: Path, config: NetworkConfig) -> None:
    assert read(tmp_path, written(config)) == config


@pytest.mark.parametrize("config", [WHOLE, MembersConfig(2, WHOLE)])
def test_cards_of_whole_images_say_what_they_said_before(
    tmp_path: Path, config: NetworkConfig
) -> None:
    card = written(config)
    assert "residual" not in json.dumps(card)
    assert read(tmp_path, card) == config


@pytest.mark.parametrize("residual", [-0.5, float("nan"), float("inf")])
def test_a_residual_out_of_its_range_is_one_line(tmp_path: Path, residual: float) -> None:
    with pytest.raises(ValueError, match="expected a residual of 0 or more, found"):
        CascadeConfig(residual=residual)
    card = written(WHOLE)
    card["arguments"]["residual"] = residual
    with pytest.raises(CheckpointError, match="residual") as caught:
        read(tmp_path, card)
    assert "\n" not in str(caught.value)
