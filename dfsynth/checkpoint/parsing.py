"""The text of `model.json` → a model card, every entry checked before anything is built on it."""

from typing import get_args

from dfsynth.checkpoint.card import (
    CARD_VERSION,
    NETWORK,
    Backbone,
    CascadeConfig,
    Guidance,
    Likelihood,
    ModelCard,
)
from dfsynth.checkpoint.entries import Entries
from dfsynth.records import IntensityWindow


def parse_card(raw: bytes) -> ModelCard:
    """Parses `model.json`.

    Raises:
        ValueError: a sentence of what was found and expected.
    """
    entries = Entries.from_json(raw)
    version, network = entries.whole("card_version"), entries.text("network")
    if version != CARD_VERSION or network != NETWORK:
        raise ValueError(
            f"it describes network {network!r} in card version {version}; this version of "
            f"dfsynth knows {NETWORK!r} in card version {CARD_VERSION}"
        )
    card = ModelCard(
        name=entries.text("name"),
        network=network,
        arguments=_arguments(entries.table("arguments")),
        grid=_grid(entries.wholes("grid")),
        intensity=_intensity(entries.table("intensity")),
        unit=entries.text("unit"),
        window=_window(entries.reals("window")),
        licence=entries.text("licence"),
        intended_use=entries.text("intended_use"),
        limits=entries.text("limits"),
        training_data=entries.text_tables("training_data"),
        recipe=entries.mapping("recipe"),
        metrics=entries.mapping("metrics"),
        calibration=entries.numbers("calibration"),
    )
    entries.finish()
    return card


def _arguments(entries: Entries) -> CascadeConfig:
    """The three choices came later: cards without them are of the networks there were before."""
    config = CascadeConfig(
        stages=entries.whole("stages"),
        widths=entries.wholes("widths"),
        dropout=entries.real("dropout"),
        lung_head=entries.truth("lung_head"),
        backbone=entries.choice("backbone", get_args(Backbone), "compact"),
        guidance=entries.choice("guidance", get_args(Guidance), "attention"),
        likelihood=entries.choice("likelihood", get_args(Likelihood), "gennorm"),
    )
    entries.finish()
    return config


def _intensity(entries: Entries) -> IntensityWindow:
    window = IntensityWindow(entries.real("low_percentile"), entries.real("high_percentile"))
    entries.finish()
    return window


def _grid(found: tuple[int, ...]) -> tuple[int, int]:
    if len(found) != 2:
        raise ValueError(f"the entry 'grid' has {len(found)} numbers, not height and width")
    return found[0], found[1]


def _window(found: tuple[float, ...]) -> tuple[float, float]:
    if len(found) != 2 or not found[0] < found[1]:
        raise ValueError("the entry 'window' is not a low and a higher number")
    return found[0], found[1]
