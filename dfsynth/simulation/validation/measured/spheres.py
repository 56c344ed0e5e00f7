"""Microspheres of known size: the layouts of Enucatl/microspheres.

`source/data/reconstructed.csv` (2016, diluted) has the columns `size` and `csv`;
`data/build_summary.csv` (2015, packed) has `particle_size`, `sample_thickness`, `csv`, and
`description` or `filter`, which set scans of one kind apart. Sizes are diameters in µm, thicknesses
in mm; the columns A and B of the pixels are as those of the lobes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.simulation.validation.measured.listing import Listing, read_pixels

DILUTED: Final = ("size", "csv")
PACKED: Final = ("particle_size", "sample_thickness", "csv")
_AUTOCORRELATION_UM: Final = np.geomspace(0.1, 10, 401)
"""Autocorrelation lengths that are tried; the gratings' is about 1 µm."""
_LEAST_SIZES: Final = 4
"""A fit of an offset, a scale and a length needs one more."""


@dataclass(frozen=True, slots=True)
class SphereScan:
    """One phantom of spheres of one size."""

    kind: str
    """What sets phantoms apart that do not differ by size alone."""
    diameter_um: float
    signal_over_attenuation: float


@dataclass(frozen=True, slots=True)
class SizeResponse:
    """The theory of dilute spheres, fitted to the phantoms of one kind."""

    kind: str
    sizes: int
    autocorrelation_um: float
    """The fitted autocorrelation length."""
    explained: float
    """Share of the variance between sizes that the fit explains, at most 1."""


def read_spheres(listing: Listing) -> tuple[SphereScan, ...]:
    """Reads the phantoms of a listing with the columns `DILUTED` or `PACKED`, in its order.

    Raises:
        UsageError: a column or file is missing, or a value has no logarithm.
    """
    packed = "particle_size" in listing.columns
    listing.require(*(PACKED if packed else DILUTED))
    return tuple(
        SphereScan(
            kind=_packed_kind(row) if packed else "diluted spheres",
            diameter_um=_diameter(listing, row["particle_size" if packed else "size"]),
            signal_over_attenuation=read_pixels(listing.file(row, "csv")).signal_over_attenuation(),
        )
        for row in listing.rows
    )


def fit_sizes(scans: Sequence[SphereScan]) -> tuple[SizeResponse, ...]:
    """Fits R = R0 + C · S(D / d) to each kind of phantoms with enough sizes, by kind.

    R is signal over attenuation, S `dilute_sphere_signal`; R0 is what does not depend on the size,
    such as hardening and the medium. The length d is the one that leaves least.
    """
    found = []
    for kind in sorted({scan.kind for scan in scans}):
        own = [scan for scan in scans if scan.kind == kind]
        diameter = np.array([scan.diameter_um for scan in own])
        ratio = np.array([scan.signal_over_attenuation for scan in own])
        if len(np.unique(diameter)) >= _LEAST_SIZES and np.ptp(ratio) > 0:
            left = [_left_over(diameter / d, ratio) for d in _AUTOCORRELATION_UM]
            best = int(np.argmin(left))
            explained = 1 - left[best] / float(((ratio - ratio.mean()) ** 2).sum())
            length = float(_AUTOCORRELATION_UM[best])
            found.append(SizeResponse(kind, len(np.unique(diameter)), length, explained))
    return tuple(found)


def dilute_sphere_signal(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative signal of dilute spheres of one volume fraction, by diameter over autocorrelation.

    Lynch et al., Appl. Opt. 50, 4310 (2011): linear up to a diameter of the autocorrelation length,
    then rounding off, and falling nearly as 1/D where spheres are much wider: the simulator's
    exponent of air sacs is its slope there.

    Args:
        ratio: D / d, of any shape, above 0.
    """
    wide = np.maximum(ratio, 1.0)
    root = np.sqrt(wide**2 - 1)
    rounded = (
        wide
        - root * (1 + 1 / (2 * wide**2))
        + (1 / wide - 1 / (4 * wide**3)) * 2 * np.log(wide + root)
    )
    return np.where(ratio <= 1, ratio, rounded)


def _left_over(ratio: NDArray[np.float64], measured: NDArray[np.float64]) -> float:
    """What the best offset and scale of the theory leave of the measured, squared and summed."""
    design = np.stack([np.ones_like(ratio), dilute_sphere_signal(ratio)], axis=1)
    fit, *_ = np.linalg.lstsq(design, measured, rcond=None)
    return float(((measured - design @ fit) ** 2).sum())


def _packed_kind(row: Mapping[str, str]) -> str:
    if row.get("description"):
        return f"packed spheres, {row['description']}"
    filtered = row.get("filter", "None")
    extra = "" if filtered in {"None", ""} else f", filter {filtered}"
    return f"packed spheres, sample thickness {row['sample_thickness'].strip()} mm{extra}"


def _diameter(listing: Listing, text: str) -> float:
    try:
        diameter = float(text)
    except ValueError:
        diameter = float("nan")
    if not (np.isfinite(diameter) and diameter > 0):
        raise UsageError(f"{listing.path} has a size {text!r}: expected a diameter in µm above 0")
    return diameter
