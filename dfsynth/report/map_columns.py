"""How maps are drawn, the same in contact sheets and notebooks: colours, limits and titles."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.report.colours import robust_limits
from dfsynth.report.sheet import SheetColumn

_COLOUR_MAPS: Final[Mapping[str, str]] = {
    "attenuation": "gray",
    "dark_field": "gray",
    "aleatoric": "viridis",
    "epistemic": "inferno",
}
IMAGE_COLUMNS: Final = tuple(_COLOUR_MAPS)
"""The maps of an image, in order."""
_SIGNAL: Final = "line integral"


def columns_of_images(
    unit: str, window: tuple[float, float], images: Sequence[Mapping[str, Float32Map]]
) -> list[SheetColumn]:
    """The columns `IMAGE_COLUMNS` for images of a generator.

    Deviations are drawn from 0 to the 99th percentile of all that are shown.

    Args:
        unit: That of the dark-field image.
        window: Its display window, in that unit.
        images: Maps (y, x) of each image, by name; what is missing decides nothing.
    """
    limits = {"attenuation": (0.0, 1.0), "dark_field": window}
    for name in ("aleatoric", "epistemic"):
        values = [maps[name].ravel() for maps in images if name in maps]
        top = robust_limits(np.concatenate(values))[1] if values else 1.0
        limits[name] = (0.0, float(top))
    units = {"attenuation": "grey value", "dark_field": unit}
    return [
        SheetColumn(
            title=name.replace("_", "-") + ("" if name in units else " (standard deviation)"),
            unit=units.get(name, unit),
            colour_map=colours,
            vmin=limits[name][0],
            vmax=limits[name][1],
        )
        for name, colours in _COLOUR_MAPS.items()
    ]


def columns_of_pairs(window: tuple[float, float]) -> dict[str, SheetColumn]:
    """The columns for simulated pairs, by the name of the array; `window` is of the dark field."""
    return {
        "attenuation": SheetColumn("attenuation", "grey value", "gray", 0.0, 1.0),
        "dark_field": SheetColumn("dark-field, as measured", _SIGNAL, "gray", *window),
        "dark_field_clean": SheetColumn("dark-field, clean", _SIGNAL, "gray", *window),
        "lung_mask": SheetColumn("lung mask", "1 field, 2 hidden", "viridis", 0.0, 2.0),
        "severity": SheetColumn("severity", "0 to 1", "inferno", 0.0, 1.0),
    }
