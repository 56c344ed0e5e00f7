"""One figure for each question."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from question_comparison import Comparison, entries_of
from question_report import QUESTIONS, comparisons_of, mean_figure, uncertainty_entries
from question_results import RunResult, SliceRow
from question_uncertainty import REGIONS, curve_name

from dfsynth.evaluate.risk_coverage import KEPT
from dfsynth.files.durable import write_durably
from dfsynth.statistics import Interval

_DOTS_AN_INCH: Final = 110
_FAR_OFF: Final = "single_rotation"
"""Would leave the others no room."""
_PANELS: Final = (
    ("cnr_ratio", "CNR over that of plain L2", 1.0),
    ("contrast_to_error_ratio", "contrast to error, over that of plain L2", 1.0),
    ("lung_rmse_ratio", "lung RMSE over that of plain L2", 1.0),
    ("fwhm_ratio", "line-spread width over that of plain L2", 1.0),
    ("lung_bias", "relative bias of the lung", 0.0),
)
_REGION_TITLES: Final = {"view": "all", "lung": "lung", "empty": "where the truth is 0"}
_CURVES: Final = (
    ("sigma", "#0072b2", "-"),
    ("change", "#d55e00", "--"),
    ("value", "#009e73", "--"),
    ("oracle", "black", "-"),
)


def draw_questions(results: Sequence[RunResult], out: Path) -> None:
    """Writes `NAME.png` of each question that has results, and `uncertainty.png`, into `out`."""
    entries = entries_of(results)
    for question in QUESTIONS:
        found = [c for c in comparisons_of(question, entries) if c.name != _FAR_OFF]
        if len(found) > 1:
            _write(out / f"{question.name}.png", _draw_entries(question.title, found))
    cascades = uncertainty_entries(results)
    if cascades:
        _write(out / "uncertainty.png", _draw_uncertainty(cascades))


def _draw_entries(title: str, found: Sequence[Comparison]) -> Figure:
    """A row for each entry, a panel for each figure, points with 95 % intervals."""
    figure = Figure(figsize=(16, 1.8 + 0.34 * len(found)), layout="constrained")
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    for axes, (name, label, neutral) in zip(panels, _PANELS, strict=True):
        _draw_points(axes, [getattr(comparison, name) for comparison in found])
        axes.axvline(neutral, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xlabel(label)
        axes.locator_params(axis="x", nbins=4)
    panels[0].axvline(1.25, color="#d55e00", linewidth=0.8, linestyle="--")
    panels[0].set_yticks(range(len(found)), [c.name for c in found])
    panels[0].invert_yaxis()
    figure.suptitle(f"{title}\nSimulated test slices; 95 % intervals over patients and seeds")
    return figure


def _draw_points(axes: Axes, intervals: Sequence[Interval]) -> None:
    for row, interval in enumerate(intervals):
        if interval.value is None:
            continue
        axes.plot(interval.value, row, "o", color="#0072b2")
        if interval.low is not None and interval.high is not None:
            axes.plot([interval.low, interval.high], [row, row], color="#0072b2")


def _draw_uncertainty(cascades: Mapping[str, Sequence[Sequence[SliceRow]]]) -> Figure:
    """Risk against coverage over pixels: a row for each cascade, a panel for each region."""
    figure = Figure(figsize=(14, 1 + 4.5 * len(cascades)), layout="constrained")
    panels = figure.subplots(len(cascades), len(REGIONS), sharey=True, squeeze=False)
    for row, (name, seeds) in zip(panels, cascades.items(), strict=True):
        for axes, region in zip(row, REGIONS, strict=True):
            _draw_risks(axes, seeds, region)
            axes.set_title(f"{name}: {_REGION_TITLES[region]}")
    figure.supylabel("mean |error| of what is kept, over that of all pixels", fontsize="medium")
    figure.suptitle("Does the uncertainty say where streaks are left? Simulated test slices")
    return figure


def _draw_risks(axes: Axes, seeds: Sequence[Sequence[SliceRow]], region: str) -> None:
    for score, colour, dash in _CURVES:
        risks = [mean_figure(seeds, curve_name(region, score, float(s))).value for s in KEPT]
        ranked = mean_figure(seeds, f"{region} {score} spearman")
        label = score if score == "oracle" else f"{score}, Spearman {ranked:.2f}"
        heights = [np.nan if risk is None else risk for risk in risks]
        axes.plot(KEPT, heights, dash, color=colour, label=label)
    axes.axhline(1, color="grey", label="chance")
    axes.set(xlabel="share of the pixels kept", xlim=(0, 1), ylim=(0, None))
    axes.legend(fontsize="small")


def _write(path: Path, figure: Figure) -> None:
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    write_durably(path, buffer.getvalue(), path.parent, "figure")
