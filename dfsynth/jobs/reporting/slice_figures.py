"""Figures of dark-field CT slices in metrics.json → the table and curves of a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dfsynth.files.json_record import Json

_KINDS: Final = ("input", "restored", "target")
_NONE: Final[Mapping[str, Json]] = {"value": 0.0, "low": None, "high": None}
"""What the truth itself is off."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One figure as people read it."""

    title: str
    unit: str
    figure: str
    """As `dfsynth.evaluate.streaks.SliceMetrics` calls it."""
    truth: str | None = None
    """The same of the truth, by its name there."""
    is_error: bool = False
    """Whether the truth has 0."""
    scale: float = 1.0
    """From the unit of the file to that which is shown."""


def _share(title: str, figure: str) -> _Row:
    return _Row(title, "%", figure, is_error=True, scale=100)


_ROWS: Final = (
    _Row("CNR of lung against air", "", "cnr", "truth_cnr"),
    _Row("contrast to error", "", "contrast_to_error"),
    _Row("width of the edge from air to lung", "px", "edge_fwhm_px", "edge_truth_fwhm_px"),
    _Row("width of the line spread", "mm", "line_spread_fwhm_mm", "truth_line_spread_fwhm_mm"),
    _Row("modulation transfer falls to a half at", "1/mm", "mtf50_per_mm", "truth_mtf50_per_mm"),
    _share("bias of the lung", "lung_relative_bias"),
    _share("bias of its rim", "rim_relative_bias"),
    _share("bias of its core", "core_relative_bias"),
    _Row("root mean square error in the lung", "1/m", "lung_rmse_per_m", is_error=True),
    _Row("root mean square error", "1/m", "rmse_per_m", is_error=True),
    _Row("power of streaks", "(1/m)²", "streak_power_per_m2", is_error=True),
    _Row("power of errors, mid frequencies", "(1/m)²", "mid_band_power_per_m2", is_error=True),
    _Row("noise in the lung", "1/m", "lung_noise_sd_per_m", is_error=True),
    _Row("mean frequency of that noise", "1/mm", "noise_frequency_per_mm"),
)


def streak_figures(found: Mapping[str, Any]) -> dict[str, Json]:
    """How many slices there are, the rows of the table, and the curves; null where none are kept.

    Raises:
        LookupError: an entry is missing.
    """
    return {
        "slices": found["slices"],
        "rows": [_facts(row, found) for row in _ROWS],
        "curves": found.get("curves"),
    }


def _facts(row: _Row, found: Mapping[str, Any]) -> dict[str, Json]:
    shown: dict[str, Json] = {kind: _scaled(found[kind][row.figure], row.scale) for kind in _KINDS}
    if row.is_error:
        shown["truth"] = dict(_NONE)
    else:
        # Of the same slices, whatever was made of them.
        shown["truth"] = None if row.truth is None else found["target"][row.truth]
    return {"title": row.title, "unit": row.unit, **shown}


def _scaled(interval: Mapping[str, float | None], scale: float) -> dict[str, Json]:
    return {end: None if value is None else scale * value for end, value in interval.items()}
