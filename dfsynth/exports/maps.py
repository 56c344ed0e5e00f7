"""What an export says of each map of a store: its words, its unit, its scale, its look."""

from dataclasses import dataclass
from typing import Final

from dfsynth.exports.scale import LinearScale
from dfsynth.files.json_record import Json
from dfsynth.store import ArraySpec
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord

_DEVIATIONS: Final = {"aleatoric": ("viridis", 0.5), "epistemic": ("inferno", 0.1)}
"""Colours, and the share of the output window's width that is shown: networks disagree by less
than the noise that they expect."""


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What is known of a map before any image is read."""

    name: str
    long_name: str
    """What it shows, in a few words."""
    unit: str
    """Of its values; "1" where they have none."""
    scale: LinearScale | None
    """By which its values become numbers of 16 bits; None for whole numbers, which stay."""
    window: tuple[float, float]
    """Values shown black and white, in its unit."""
    colour_map: str
    """By which it is looked at."""

    @property
    def document(self) -> dict[str, Json]:
        """As JSON has it."""
        scale = self.scale or LinearScale(1.0, 0.0)
        return {
            "long_name": self.long_name,
            "unit": self.unit,
            "scale": scale.scale,
            "offset": scale.offset,
            "window": list(self.window),
        }


def describe_maps(record: BuildRecord | PairsRecord) -> tuple[MapFacts, ...]:
    """The facts of every map of a store, in the order in which it holds them."""
    return tuple(_describe(spec, record) for spec in record.arrays)


def _describe(spec: ArraySpec, record: BuildRecord | PairsRecord) -> MapFacts:
    colours: str
    if isinstance(record, PairsRecord):
        array = {array.name: array for array in record.task.array}[spec.name]
        words, unit, colours = array.meaning, array.units, array.colours
        shown, span = array.window, array.span
    else:
        words = record.task.map_words[spec.name]
        unit = record.task.map_units(record.unit)[spec.name]
        colours = _DEVIATIONS[spec.name][0] if spec.name in _DEVIATIONS else "gray"
        shown, span = _ranges(spec.name, record)
    return MapFacts(
        name=spec.name,
        long_name=words,
        unit=unit,
        scale=None if spec.dtype == "uint8" else LinearScale.spanning(*span),
        window=shown,
        colour_map=colours,
    )


def _ranges(name: str, record: BuildRecord) -> tuple[tuple[float, float], tuple[float, float]]:
    """What is shown of a generated map, and what its scale spans, both in its unit.

    The span is one for all images, so that numbers of two images compare, and wider than what
    images hold; the few that go beyond it get a scale of their own (`LinearScale.fitted`).
    """
    low, high = record.window
    width = high - low
    if name in _DEVIATIONS:
        return (0.0, width * _DEVIATIONS[name][1]), (0.0, 2 * width)
    task = record.task
    measured = name == task.input.array and task.input.intensity is not None
    if measured and task.input.unit != record.unit:
        return task.input_array.window, task.input_array.span
    if measured or name == task.output.array:
        # Noise takes measured values below 0.
        return record.window, (low - width / 2, high + width / 2)
    return (0.0, 1.0), (0.0, 1.0)
