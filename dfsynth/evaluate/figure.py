"""Panels of an evaluation: is the stated uncertainty right, does it rank, does it cover?

Two more say what there is outside the lung, where one is known.
"""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.calibration import LEVELS
from dfsynth.evaluate.metrics import COVERAGE_NAMES, MetricKey
from dfsynth.evaluate.outside_figure import draw_outside
from dfsynth.evaluate.outside_lung import OutsideSignal
from dfsynth.evaluate.per_image import PerImageMetrics
from dfsynth.evaluate.ranking import REMOVED
from dfsynth.evaluate.scores import Evaluation, RegionScores
from dfsynth.statistics import Interval

_COLOURS: Final = ("#9ecae1", "#4292c6", "#08519c")
"""Stages from pale to dark; further ones as the last."""
_ORACLE: Final = "#d95f02"
_DOTS_AN_INCH: Final = 110


def draw_evaluation(
    scores: Evaluation, metrics: PerImageMetrics, outside: Sequence[OutsideSignal]
) -> bytes:
    """A PNG: reliability, sparsification, error against uncertainty, coverage over images.

    Of the lung against the noisy target where there is a lung, else of the whole image; and the
    means outside the lung, `outside`, one of each image; without a lung they have no panels.
    """
    region = "whole" if scores.stages[-1].lung is None else "lung"
    rows = 2 if scores.outside_lung is None else 3
    figure = Figure(figsize=(12, 0.5 + 4.5 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2, gridspec_kw={"hspace": 0.08})
    regions = [stage.lung or stage.whole for stage in scores.stages]
    last = MetricKey(len(regions) - 1, region, "noisy")
    _draw_reliability(axes[0, 0], regions)
    _draw_sparsification(axes[0, 1], regions)
    _draw_scatter(axes[1, 0], regions[-1].noisy.spearman, metrics, last)
    _draw_coverage(axes[1, 1], metrics, last)
    if scores.outside_lung is not None:
        draw_outside(axes[2, 0], axes[2, 1], outside, metrics.keys)
    where = "lung" if region == "lung" else "whole image"
    figure.suptitle(
        f"{scores.checkpoint}: {counted(scores.images, 'image')} of "
        f"{counted(scores.patients, 'patient')}, {where}, against the noisy target"
    )
    figure.supxlabel(scores.notice, fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    return buffer.getvalue()


def _colour(stage: int, stages: int) -> str:
    return _COLOURS[max(len(_COLOURS) - stages + stage, 0)]


def _draw_reliability(axes: Axes, regions: list[RegionScores]) -> None:
    """Stated against found standard deviation, for tenths of the pixels."""
    highest = 0.0
    for stage, region in enumerate(regions):
        stated = [b.stated for b in region.noisy.deciles]
        found = [b.found for b in region.noisy.deciles]
        highest = max(highest, *stated, *found)
        label = f"stage {stage + 1}, ENCE {region.noisy.ence}"
        axes.plot(stated, found, "o-", color=_colour(stage, len(regions)), label=label)
    axes.plot([0, highest], [0, highest], "--", color="grey", label="as stated")
    axes.set(
        title="Reliability: tenths of the pixels by stated uncertainty",
        xlabel="stated: root mean variance",
        ylabel="found: root mean square error",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.legend()


def _draw_sparsification(axes: Axes, regions: list[RegionScores]) -> None:
    for stage, region in enumerate(regions):
        curve = region.noisy.sparsification
        label = f"stage {stage + 1}, AUSE {region.noisy.ause}"
        if curve:
            axes.plot(REMOVED, curve, color=_colour(stage, len(regions)), label=label)
    last = regions[-1]
    if last.oracle is not None and last.oracle.sparsification:
        label = f"oracle, AUSE {last.oracle.ause}"
        axes.plot(REMOVED, last.oracle.sparsification, color=_ORACLE, label=label)
    if last.noisy.best_sparsification:
        best = last.noisy.best_sparsification
        axes.plot(REMOVED, best, "--", color="grey", label="by the error itself")
    axes.axhline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        title="Sparsification: the most uncertain pixels go first",
        xlabel="share of the pixels taken away",
        ylabel="mean |error| of the rest, over that of all",
        ylim=(0, None),
    )
    axes.legend(loc="lower left", fontsize="small")


def _draw_scatter(axes: Axes, spearman: Interval, metrics: PerImageMetrics, key: MetricKey) -> None:
    """One point an image."""
    uncertainty = metrics.values(key, "uncertainty")
    error = metrics.values(key, "error")
    axes.scatter(uncertainty, error, s=18, alpha=0.7, color=_COLOURS[-1], edgecolors="none")
    highest = float(np.nanmax([uncertainty, error]))
    axes.plot([0, highest], [0, highest], "--", color="grey", label="equal")
    axes.set(
        title=f"Images: error against uncertainty, Spearman {spearman}",
        xlabel="uncertainty: root mean variance",
        ylabel="root mean square error",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.legend()


def _draw_coverage(axes: Axes, metrics: PerImageMetrics, key: MetricKey) -> None:
    """How the coverage of single images spreads, for each level."""
    columns = [metrics.values(key, name) for name in COVERAGE_NAMES]
    positions = np.arange(len(LEVELS))
    known = [column[np.isfinite(column)] for column in columns]
    axes.boxplot(
        known,
        positions=positions,
        widths=0.5,
        whis=(5, 95),
        sym=".",
        medianprops={"color": _COLOURS[-1]},
    )
    for position, level in enumerate(LEVELS):
        label = "promised" if position == 0 else None
        axes.plot([position - 0.4, position + 0.4], [level, level], color=_ORACLE, label=label)
    axes.set_xticks(positions, [f"{100 * level:g} %" for level in LEVELS])
    axes.set(
        title="Coverage of single images (box: quartiles; whiskers: 5 to 95 %)",
        xlabel="interval",
        ylabel="share of the pixels inside",
        ylim=(0, 1.02),
    )
    axes.legend(loc="lower right")
