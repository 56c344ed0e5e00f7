"""Dried mouse lung lobes, with and without smoke: the layout of Enucatl/dried_lung_samples.

`reconstructed.csv` has one lobe a row: `name` (the animal), `smoke` (smoke or control), `region`,
`csv` (its pixels: A transmission, P phase, B visibility, R = ln B / ln A, v visibility without the
sample) and `roi` (an .npy array of the detector's shape, true where these pixels lie). The pixels
are in the mask's order, row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.simulation.validation.measured.listing import (
    Listing,
    ScanPixels,
    over_attenuation,
    read_pixels,
)
from dfsynth.simulation.validation.spectrum import spectral_slope

COLUMNS: Final = ("name", "smoke", "region", "csv", "roi")
_GROUPS: Final = {"smoke": True, "control": False}


@dataclass(frozen=True, slots=True)
class Lobe:
    """What one lobe shows."""

    animal: str
    exposed: bool
    """To smoke."""
    region: str
    pixels: int
    signal: float
    """Sum of -ln V over its pixels."""
    attenuation: float
    """Sum of -ln T over its pixels."""
    signal_over_attenuation: float
    spectral_slope: float | None
    """Of -ln V; null where the lobe is too small for it."""


@dataclass(frozen=True, slots=True)
class Animal:
    """All lobes of one animal together."""

    name: str
    exposed: bool
    signal_over_attenuation: float
    """Sum of -ln V over sum of -ln T, over the pixels of all its lobes."""


def read_lobes(listing: Listing) -> tuple[Lobe, ...]:
    """Reads the lobes of a listing with the columns `COLUMNS`, in its order.

    Raises:
        UsageError: a column or file is missing, a mask and its pixels do not belong together, a
            value has no logarithm, or an animal counts as exposed and as control.
    """
    listing.require(*COLUMNS)
    lobes = tuple(_read_lobe(listing, row) for row in listing.rows)
    for animal in {lobe.animal for lobe in lobes}:
        if len({lobe.exposed for lobe in lobes if lobe.animal == animal}) > 1:
            raise UsageError(
                f"{listing.path}: the animal {animal} is listed with smoke and as control: "
                "expected one of them"
            )
    return lobes


def animals_of(lobes: Sequence[Lobe]) -> tuple[Animal, ...]:
    """The animals of these lobes, by name.

    Raises:
        UsageError: an animal's lobes attenuate nothing together.
    """
    found = []
    for name in sorted({lobe.animal for lobe in lobes}):
        own = [lobe for lobe in lobes if lobe.animal == name]
        signal, attenuation = (sum(x.signal for x in own), sum(x.attenuation for x in own))
        found.append(Animal(name, own[0].exposed, over_attenuation(name, signal, attenuation)))
    return tuple(found)


def _read_lobe(listing: Listing, row: Mapping[str, str]) -> Lobe:
    if row["smoke"] not in _GROUPS:
        raise UsageError(
            f"{listing.path}: {row['name']} {row['region']} has smoke {row['smoke']!r}: expected "
            f"{' or '.join(_GROUPS)}"
        )
    pixels = read_pixels(listing.file(row, "csv"))
    mask = _read_mask(listing.file(row, "roi"), pixels)
    image = np.zeros(mask.shape)
    image[mask] = pixels.signal
    slope = spectral_slope(image, mask)
    return Lobe(
        animal=row["name"],
        exposed=_GROUPS[row["smoke"]],
        region=row["region"],
        pixels=len(pixels.signal),
        signal=float(pixels.signal.sum()),
        attenuation=float(pixels.attenuation.sum()),
        signal_over_attenuation=pixels.signal_over_attenuation(),
        spectral_slope=slope if np.isfinite(slope) else None,
    )


def _read_mask(path: Path, pixels: ScanPixels) -> NDArray[np.bool_]:
    """The mask (y, x) of a lobe, checked to hold as many pixels as the table has.

    Raises:
        UsageError: it is no such mask.
    """
    try:
        with path.open("rb") as file:
            mask = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is empty"
        raise UsageError(
            f"cannot read the mask {path}: {reason}; expected a boolean .npy array"
        ) from error
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise UsageError(
            f"{path} holds {mask.dtype} of shape {mask.shape}: expected a mask of booleans "
            "(rows, columns)"
        )
    if mask.sum() != len(pixels.signal):
        raise UsageError(
            f"{path} marks {mask.sum()} pixels, and {pixels.path.name} has {len(pixels.signal)}: "
            "expected as many, since the pixels are those of the mask"
        )
    return mask
