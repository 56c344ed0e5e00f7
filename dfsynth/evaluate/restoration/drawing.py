"""A picture of restored radiographs: examples with their nodules, spectra, and contrast by size."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfsynth.evaluate.restoration.measurement import (
    ALL,
    KINDS,
    RestorationExample,
    RestorationMeasurement,
    RestorationScores,
)

_COLOURS: Final = {"input": "#7f7f7f", "restored": "#08519c", "truth": "#d95f02"}
_DOTS_AN_INCH: Final = 110
_INCHES: Final = 3.4


def draw_restoration(
    measured: RestorationMeasurement, scores: RestorationScores, title: str, notice: str
) -> bytes:
    """A PNG: example images, nodules outlined in the input; below them spectra, CNR and contrast.

    Each row of images has one window, from the 1st to the 99th percentile of its truth.
    """
    rows = len(measured.examples) + 1
    figure = Figure(figsize=(3 * _INCHES, rows * _INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 3, squeeze=False)
    for line, example in zip(axes, measured.examples, strict=False):
        _draw_example(line, example)
    spectra, ratio, recovery = axes[-1]
    _draw_spectra(spectra, scores)
    _draw_nodules(ratio, scores, "cnr", "Contrast-to-noise of nodules")
    _draw_nodules(recovery, scores, "recovery", "Share of the truth's contrast")
    recovery.axhline(1, color="black", linewidth=0.8)
    figure.suptitle(title)
    figure.supxlabel(notice, fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    return buffer.getvalue()


def _draw_example(line: Sequence[Axes], example: RestorationExample) -> None:
    low, high = np.percentile(example.images["truth"], [1, 99])
    for axes, kind in zip(line, KINDS, strict=True):
        axes.imshow(example.images[kind], cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
        axes.set(title=f"{example.name}: {kind}", xticks=[], yticks=[])
    if example.nodules is not None and example.nodules.any():
        line[0].contour(example.nodules, levels=[0.5], colors="#fdae61", linewidths=0.8)


def _draw_spectra(axes: Axes, scores: RestorationScores) -> None:
    for kind in KINDS:
        axes.plot(
            scores.spectra.frequency,
            # A ring without any frequency has 0, which has no logarithm.
            [power or float("nan") for power in scores.spectra.power[kind]],
            color=_COLOURS[kind],
            label=_label(scores, kind),
        )
    axes.set(title="Power spectra", xlabel="cycles a pixel", ylabel="power a pixel²", yscale="log")
    axes.legend(fontsize="small")


def _label(scores: RestorationScores, kind: str) -> str:
    distances = {str(name): found for name, found in scores.log_spectral_distance_db.items()}
    if kind not in distances or distances[kind].value is None:
        return kind
    return f"{kind}, {distances[kind].value:.1f} dB off"


def _draw_nodules(axes: Axes, scores: RestorationScores, figure: str, title: str) -> None:
    names = [name for name in scores.nodules if name != ALL] or list(scores.nodules)
    axes.set(title=title)
    if not names:
        axes.text(0.5, 0.5, "no nodule was measured", ha="center", transform=axes.transAxes)
        return
    for shift, kind in zip((-0.2, 0.0, 0.2), KINDS, strict=True):
        found = [getattr(scores.nodules[name].images[kind], figure) for name in names]
        values = [float("nan") if f.value is None else f.value for f in found]
        ends = [
            [abs(v - (v if end is None else end)) for v, end in zip(values, side, strict=True)]
            for side in ([f.low for f in found], [f.high for f in found])
        ]
        places = np.arange(len(names)) + shift
        axes.errorbar(places, values, ends, fmt="o", capsize=3, color=_COLOURS[kind], label=kind)
    counts = [f"{name}\n({scores.nodules[name].nodules})" for name in names]
    axes.set_xticks(range(len(names)), counts, fontsize="small")
    axes.legend(fontsize="small")
