"""Figures of the comparison of methods."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from paper_methods import DIFFUSION, FLOW
from paper_report import QUALITY_MEASURES, STAGE_MEASURES, Setting, Tests, fastest_first
from paper_runs import FoldResult
from paper_scores import MAE, NLL, SSIM, Measure, mean, risk_curve, scores
from placed_labels import PointLabel, place_labels

from dfsynth.files.durable import write_durably

_DOTS_AN_INCH: Final = 110
_SHARES: Final = np.linspace(0.1, 1.0, 19)
_MEASURES: Final = (SSIM, MAE, NLL)
_SMALL: Final = 8
_MARKS: Final = {DIFFUSION.name: ("o", "#d55e00"), FLOW.name: ("s", "#0072b2")}
"""Marker and colour of methods that have settings."""


def draw_risk(tests: Tests, path: Path, title: str) -> None:
    """The error of what is kept, as images of high uncertainty are left out."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=colormaps["tab20"](np.arange(20)))
    for name, found in tests.items():
        if found:
            by_sigma, by_error = risk_curve(found, _SHARES)
            line = axes.plot(_SHARES, by_sigma, label=name)[0]
            axes.plot(_SHARES, by_error, color=line.get_color(), linestyle=":", linewidth=0.8)
    axes.set_xlabel("share of the test images that is kept")
    axes.set_ylabel("root-mean-square error of the kept")
    axes.set_title(f"{title} (dotted: an oracle)", fontsize=10)
    figure.legend(fontsize=_SMALL, loc="outside right upper")
    write_figure(figure, path)


def draw_curves(found: Mapping[int, Tests], path: Path, title: str) -> None:
    """A panel a measure, a line a method, over the patients that it learned from."""
    figure = Figure(figsize=(14, 4), layout="constrained")
    panels = figure.subplots(1, len(_MEASURES))
    for axes, measure in zip(panels, _MEASURES, strict=True):
        names = dict.fromkeys(name for tests in found.values() for name in tests)
        for place, name in enumerate(names):
            _line(axes, found, name, measure, place)
        axes.set_xticks(list(found))
        axes.set_xlabel("patients that train")
        axes.set_ylabel(measure.title)
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=len(labels), fontsize=_SMALL)
    figure.suptitle(f"{title}; 95 % intervals over test patients", fontsize=10)
    write_figure(figure, path)


def draw_phases(tests: Tests, path: Path, title: str) -> None:
    """A panel a measure, a line a method, over the stages."""
    figure = Figure(figsize=(16, 3.6), layout="constrained")
    panels = figure.subplots(1, len(STAGE_MEASURES))
    for axes, measure in zip(panels, STAGE_MEASURES, strict=True):
        for name, found in tests.items():
            stages = range(1, 1 + max(row["stage"] for row in found[0].rows))
            means = [mean(scores(found, measure, stage)) for stage in stages]
            axes.plot(stages, [each.value for each in means], "o-", label=name)
            axes.set_xticks(list(stages))
        axes.set_xlabel("stage")
        axes.set_ylabel(measure.title)
    panels[0].legend(fontsize=_SMALL)
    figure.suptitle(title, fontsize=10)
    write_figure(figure, path)


def draw_quality(tests: Mapping[Setting, FoldResult], title: str) -> Figure:
    """A panel a measure, a point a setting; the line joins those that none faster equals."""
    figure = Figure(figsize=(11, 9), layout="constrained", dpi=_DOTS_AN_INCH)
    panels = figure.subplots(2, 2).flat
    labels = [
        (axes, _quality_panel(axes, measure, fastest_first(tests)))
        for axes, measure in zip(panels, QUALITY_MEASURES, strict=True)
    ]
    marks = {
        setting.method: Line2D(
            *([], []),
            linestyle="",
            marker=_mark(setting)[0],
            color=_mark(setting)[1],
            label=f"{setting.method}: passes a sample × samples an image",
        )
        for setting in tests
        if setting.passes is not None
    }
    front = Line2D([], [], color="black", linewidth=0.8, label="nothing faster is as good")
    figure.legend(handles=[*marks.values(), front], loc="outside lower center", ncols=3)
    figure.suptitle(title, fontsize=11)
    place_labels(figure, labels)
    return figure


def _quality_panel(
    axes: Axes, measure: Measure, tests: Sequence[tuple[Setting, FoldResult]]
) -> list[PointLabel]:
    """Draws the points of one measure, fastest first; what is to stand beside them."""
    labels, front = [], list[tuple[float, float]]()
    for setting, found in tests:
        value = mean(scores([found], measure)).value
        if value is None:
            continue
        point = (1000 * found.image_seconds, value)
        marker, colour = _mark(setting)
        axes.plot(*point, marker, color=colour, zorder=3)
        labels.append(PointLabel(setting.label, point, colour))
        if not front or measure.better * value > measure.better * front[-1][1]:
            front.append(point)
    axes.plot(*zip(*front, strict=True), color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    if measure is NLL:
        # Two samples say so little of their spread that it is a hundred times that of others.
        axes.set_yscale("symlog", linthresh=1.0)
        axes.yaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2, y=0.12)
    axes.set_xlabel("ms of one core an image")
    axes.set_ylabel(f"{measure.title} ({'more' if measure.better > 0 else 'less'} is better)")
    return labels


def _mark(setting: Setting) -> tuple[str, str]:
    return _MARKS.get(setting.method, ("D", "dimgrey"))


def _line(axes: Axes, found: Mapping[int, Tests], name: str, measure: Measure, place: int) -> None:
    known = {count: mean(scores(t[name], measure)) for count, t in found.items() if t.get(name)}
    values = np.array([each.value for each in known.values()], float)
    ends = np.array([(each.low, each.high) for each in known.values()], float).reshape(-1, 2)
    spread = np.abs(ends - values[:, None]).T
    # Apart, so that no interval hides another.
    counts = np.array(list(known)) + 0.2 * place
    axes.errorbar(counts, values, spread, fmt="o-", capsize=2, linewidth=1, label=name)


def write_figure(figure: Figure, path: Path) -> None:
    """Writes a PNG durably."""
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", dpi=_DOTS_AN_INCH)
    write_durably(path, content.getvalue(), path.parent, path.stem)
