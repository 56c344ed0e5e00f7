"""Values to colours: colour tables, display limits, and what stands where there is no value."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_TABLES: Final[Mapping[str, int | None]] = MappingProxyType(
    {
        "gray": None,
        "bone": cv2.COLORMAP_BONE,
        "cividis": cv2.COLORMAP_CIVIDIS,
        "inferno": cv2.COLORMAP_INFERNO,
        "magma": cv2.COLORMAP_MAGMA,
        "plasma": cv2.COLORMAP_PLASMA,
        "turbo": cv2.COLORMAP_TURBO,
        "viridis": cv2.COLORMAP_VIRIDIS,
    }
)
_HATCH_DARK: Final = 38
_HATCH_LIGHT: Final = 66
_HATCH_PERIOD: Final = 12


def colour_table(name: str) -> NDArray[np.uint8]:
    """The colours of a colour map, (256, 3) RGB, from its lowest value to its highest.

    Raises:
        ValueError: there is no such colour map.
    """
    if name not in _TABLES:
        raise ValueError(f"no colour map {name!r}; expected one of {', '.join(_TABLES)}")
    ramp = np.arange(256, dtype=np.uint8)
    code = _TABLES[name]
    if code is None:
        return np.repeat(ramp[:, None], 3, axis=1)
    return np.ascontiguousarray(cv2.applyColorMap(ramp[:, None], code)[:, 0, ::-1])


def paint(values: NDArray[np.float32], name: str, low: float, high: float) -> NDArray[np.uint8]:
    """Colours (y, x, 3) RGB of `values` (y, x).

    `low` and all below take the first colour of the map, `high` and all above the last; values
    that are not finite are hatched.

    Raises:
        ValueError: no such colour map, or `low` is not below `high`.
    """
    check_limits(low, high)
    known = np.isfinite(values)
    scaled = (np.where(known, values, low).astype(np.float64) - low) * (255 / (high - low))
    painted = colour_table(name)[np.clip(np.rint(scaled), 0, 255).astype(np.uint8)]
    if known.all():
        return painted
    return np.where(known[..., None], painted, hatch(*values.shape))


def hatch(height: int, width: int) -> NDArray[np.uint8]:
    """Diagonal grey stripes (y, x, 3): here would be an image, had it not failed."""
    y, x = np.mgrid[:height, :width]
    stripe = (y + x) % _HATCH_PERIOD < _HATCH_PERIOD // 3
    shade = np.where(stripe, _HATCH_LIGHT, _HATCH_DARK).astype(np.uint8)
    return np.repeat(shade[..., None], 3, axis=2)


def check_limits(low: float, high: float) -> None:
    """Requires display limits that a colour scale can span.

    Raises:
        ValueError: one is not finite, or `low` is not below `high`.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"expected finite display limits, low < high; found {low} and {high}")


def limit_text(limit: float) -> str:
    """A limit as it stands beside a colour bar: 0.05, 92.1, -1000."""
    # Without the sum, -0.0 would have a sign.
    return f"{limit + 0.0:.3g}" if abs(limit) < 999.5 or abs(limit) >= 1e5 else f"{limit:.0f}"


def robust_limits(
    values: NDArray[np.floating], low: float = 1, high: float = 99
) -> tuple[float, float]:
    """Display limits of `values` (any shape): their percentiles `low` and `high`.

    What is not finite does not count. The limits always differ: equal ones are drawn apart by
    a thousandth, and without any finite value they are 0 and 1.

    Raises:
        ValueError: not 0 <= low < high <= 100.
    """
    if not 0 <= low < high <= 100:
        raise ValueError(f"expected 0 <= low < high <= 100, found {low} and {high}")
    finite = values[np.isfinite(values)].astype(np.float64)
    if finite.size == 0:
        return 0.0, 1.0
    bottom, top = (float(limit) for limit in np.percentile(finite, (low, high)))
    if top - bottom <= 1e-9 * max(abs(bottom), abs(top)):
        top = bottom + max(abs(bottom) * 1e-3, 1e-6)
    return bottom, top
