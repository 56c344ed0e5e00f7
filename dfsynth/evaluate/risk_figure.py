"""Risk against coverage as a figure: a panel for each error, a curve for each score."""

import io
from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.risk_coverage import KEPT, KEPT_SHARE, ORACLE, RANDOM
from dfsynth.evaluate.scores import Evaluation, RankedRisk

_TITLES: Final = {
    "shape": ("Error of shape", "mean error of shape, 0 to 1"),
    "lung_mae": ("Mean absolute error in the lung", "mean absolute error"),
}
"""Error → title of its panel, and of its axis."""
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255")
"""Apart for the colour-blind: Okabe & Ito 2008, but for the yellow that white swallows."""
_DASHES: Final = ("-", "--", ":")
"""As the colours run out."""
_DOTS_AN_INCH: Final = 110


def draw_risk_coverage(scores: Evaluation) -> bytes:
    """A PNG: the mean error of the images that are kept, over the share that is kept.

    Where no error is known, the figure says why.
    """
    found = scores.risk_coverage or {}
    curves = max((len(ranked) for ranked in found.values()), default=0)
    figure = Figure(figsize=(13, 6 + 0.24 * curves), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, max(len(found), 1), squeeze=False)[0]
    for panel, (error, ranked) in zip(axes, found.items(), strict=False):
        _draw_panel(panel, error, ranked)
    if not found:
        axes[0].axis("off")
        axes[0].text(0.5, 0.5, "not known: these pairs have no clean target", ha="center")
    figure.suptitle(
        f"{scores.checkpoint}: {counted(scores.images, 'image')} of "
        f"{counted(scores.patients, 'patient')}, risk against coverage"
    )
    figure.supxlabel(scores.notice, fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    return buffer.getvalue()


def _draw_panel(axes: Axes, error: str, ranked: Mapping[str, RankedRisk]) -> None:
    """Curves, listed from the least area to the largest."""
    styles = _styles([name for name in ranked if name not in (RANDOM, ORACLE)])
    for name in sorted(ranked, key=lambda name: ranked[name].area.value or 0.0):
        colour, dash, width = styles[name]
        axes.plot(
            KEPT, ranked[name].curve, dash, color=colour, lw=width, label=_label(name, ranked)
        )
    axes.axvline(KEPT_SHARE, color="grey", linewidth=0.8, linestyle=":")
    title, unit = _TITLES[error]
    axes.set(
        title=f"{title}, {counted(ranked[ORACLE].images, 'image')}",
        xlabel="share of the images kept, those first that the score likes best",
        ylabel=f"{unit}, of what is kept",
        xlim=(0, 1),
    )
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.11),
        fontsize="small",
        title="score: area under the curve; share of what an oracle removes when 70 % are kept",
        title_fontsize="small",
        alignment="left",
    )


def _styles(names: list[str]) -> dict[str, tuple[str, str, float]]:
    """Colour, dashes and width of each curve; the same score looks alike in every panel."""
    found = {
        name: (_COLOURS[n % len(_COLOURS)], _DASHES[n // len(_COLOURS) % len(_DASHES)], 1.6)
        for n, name in enumerate(names)
    }
    return {**found, RANDOM: ("grey", "-", 2.5), ORACLE: ("black", "-", 2.5)}


def _label(name: str, ranked: Mapping[str, RankedRisk]) -> str:
    found = ranked[name]
    share = found.share_of_oracle_70.value
    removed = "" if share is None or name in (RANDOM, ORACLE) else f"; {round(100 * share)} %"
    return f"{name}: {found.area}{removed}"
