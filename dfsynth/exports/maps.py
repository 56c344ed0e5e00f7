"""What an export says of each map of a store: its words, its unit, its scale, its look."""

from dataclasses import dataclass
from typing import Final

from dfsynth.exports.scale import LinearScale
from dfsynth.files.json_record import Json
from dfsynth.records import DARK_FIELD_MAPS, MAP_LONG_NAMES, PAIR_ARRAYS
from dfsynth.store import ArraySpec
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import DARK_FIELD_WINDOW, DISPLAY_WINDOW, PairsRecord

_DARK_FIELDS: Final = frozenset({"dark_field", "dark_field_clean"})
_DEVIATIONS: Final = {"aleatoric": ("viridis", 0.5), "epistemic": ("inferno", 0.1)}
"""Colours, and the share of the dark-field window's width that is shown: networks disagree by less
than the noise that they expect."""
_LONGEST_RAY_MM: Final = 600.0


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
    name = spec.name
    if isinstance(record, PairsRecord):
        words = {array.name: array.meaning for array in PAIR_ARRAYS}[name]
        unit = {array.name: array.units for array in PAIR_ARRAYS}[name]
        window, display = DARK_FIELD_WINDOW, DISPLAY_WINDOW
    else:
        words, window, display = MAP_LONG_NAMES[name], record.window, record.window
        unit = record.unit if name in DARK_FIELD_MAPS else "1"
    shown, span = _ranges(name, window, display)
    return MapFacts(
        name=name,
        long_name=words,
        unit=unit,
        scale=None if spec.dtype == "uint8" else LinearScale.spanning(*span),
        window=shown,
        colour_map=_DEVIATIONS[name][0] if name in _DEVIATIONS else "gray",
    )


def _ranges(
    name: str, window: tuple[float, float], display: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """What is shown of a map, and what its scale spans, both in its unit.

    The span is one for all images, so that numbers of two images compare, and wider than what
    images hold; the few that go beyond it get a scale of their own (`LinearScale.fitted`).
    """
    low, high = window
    width = high - low
    if name in _DARK_FIELDS:
        # Noise takes measured line integrals below 0.
        return display, (low - width / 2, high + width / 2)
    if name in _DEVIATIONS:
        return (0.0, width * _DEVIATIONS[name][1]), (0.0, 2 * width)
    if name == "lung_thickness_mm":
        return (0.0, _LONGEST_RAY_MM / 2), (0.0, _LONGEST_RAY_MM)
    if name == "lung_mask":
        return (0.0, 2.0), (0.0, 2.0)
    return (0.0, 1.0), (0.0, 1.0)
