"""A picture of restored slices: examples, and the curves in which streaks and smoothing show."""

import io
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfsynth.evaluate.slice_measurement import SliceExample, SliceMeasurement
from dfsynth.evaluate.streaks import SLICE_KINDS, MeanCurve, SliceKind
from dfsynth.report import columns_of_pairs
from dfsynth.tasks import Task

_COLOURS: Final = {"input": "#7f7f7f", "restored": "#08519c", "target": "#d95f02"}
_DOTS_AN_INCH: Final = 110
_INCHES: Final = 3.6


def draw_slices(measured: SliceMeasurement, title: str, notice: str) -> bytes:
    """A PNG: example slices beside their truth, noise spectra, streaks by angle, MTF, and CNR.

    CNR stands against the width of edges: what is gained by smoothing moves up and to the right.
    """
    task = measured.task
    titles = _titles(task)
    rows = len(measured.examples) + 1
    figure = Figure(figsize=(4 * _INCHES, rows * _INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 4, squeeze=False)
    for line, example in zip(axes, measured.examples, strict=False):
        _draw_example(line, example, task, titles)
    noise, streaks, transfer, gain = axes[-1]
    curves = measured.mean_curves()
    _draw_curve(noise, curves["noise_power"], titles)
    noise.set(
        title="Noise power in the lung", xlabel="cycles a mm", ylabel="(1/m)² mm²", yscale="log"
    )
    _draw_curve(streaks, curves["streak_power"], titles)
    streaks.set(
        title="Errors by the direction in which they run", xlabel="degrees", ylabel="(1/m)²"
    )
    _draw_curve(transfer, curves["transfer"], titles)
    transfer.set(title="Modulation transfer", xlabel="cycles a pixel", xlim=(0, 0.5), ylim=(0, 1.2))
    _draw_gain(gain, measured, titles)
    figure.suptitle(title)
    figure.supxlabel(notice, fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    return buffer.getvalue()


def _titles(task: Task) -> dict[SliceKind, str]:
    columns = columns_of_pairs(task)
    return {
        "input": columns[task.input.array].title,
        "restored": "restored",
        "target": columns[task.pairs.target].title,
    }


def _draw_example(
    line: Sequence[Axes], example: SliceExample, task: Task, titles: dict[SliceKind, str]
) -> None:
    images = [(titles[kind], example.images[kind]) for kind in SLICE_KINDS]
    for axes, (title, image) in zip(line, [*images, ("truth", example.truth)], strict=True):
        low, high = task.window
        shown = axes.imshow(image, cmap="gray", vmin=low, vmax=high)
        axes.set(title=f"{example.name}: {title}", xticks=[], yticks=[])
    line[0].figure.colorbar(shown, ax=line[-1], label=task.output.unit)


def _draw_curve(axes: Axes, curve: MeanCurve, titles: dict[SliceKind, str]) -> None:
    if not curve.slices:
        axes.text(0.5, 0.5, "no slice has it", ha="center", transform=axes.transAxes)
        return
    for kind in SLICE_KINDS:
        axes.plot(curve.x, curve.y[kind], color=_COLOURS[kind], label=titles[kind])
    axes.legend(fontsize="small")


def _draw_gain(axes: Axes, measured: SliceMeasurement, titles: dict[SliceKind, str]) -> None:
    for kind in SLICE_KINDS:
        widths = measured.values(kind, "line_spread_fwhm_mm")
        axes.scatter(
            widths, measured.values(kind, "cnr"), s=18, color=_COLOURS[kind], label=titles[kind]
        )
    axes.set(
        title="Contrast against blur, a point a slice", xlabel="line spread (mm)", ylabel="CNR"
    )
    axes.legend(fontsize="small")
