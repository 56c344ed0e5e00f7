"""An evaluation as files and as a table for people."""

import csv
import dataclasses
import io
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError
from dfsynth.evaluate.figure import draw_evaluation
from dfsynth.evaluate.outside_lung import OutsideLungScores, OutsideSignal
from dfsynth.evaluate.per_image import PerImageMetrics
from dfsynth.evaluate.restoration import (
    KINDS,
    RestorationEvaluation,
    RestorationMeasurement,
    RestorationScores,
    draw_restoration,
)
from dfsynth.evaluate.risk_figure import draw_risk_coverage
from dfsynth.evaluate.scores import Evaluation, RankedRisk, RegionScores, TargetScores
from dfsynth.evaluate.slice_figure import draw_slices
from dfsynth.evaluate.slice_measurement import SliceEvaluation, SliceMeasurement, StreakScores
from dfsynth.evaluate.streaks import SLICE_KINDS
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import encode_json
from dfsynth.jobs.reporting.evaluation_page import IMAGES, METRICS
from dfsynth.statistics import Interval

FIGURE, RISK_FIGURE = "evaluation.png", "risk_coverage.png"
SLICES, SLICES_FIGURE = "slices.csv", "slices.png"
NODULES, RESTORATION_FIGURE = "nodules.csv", "restoration.png"

_TRIAL_BYTES: Final = 1 << 20

_STREAK_FIGURES: Final[Mapping[str, str]] = {
    "cnr": "CNR",
    "contrast_to_error": "contrast to error",
    "lung_relative_bias": "lung bias (share)",
    "line_spread_fwhm_mm": "line spread (mm)",
    "streak_power_per_m2": "streak power (1/m²)",
}
_SHOWN: Final = (
    *("mse", "mae", "psnr", "ssim", "nll", "crps"),
    *("coverage", "coverage_gap", "ence", "ause", "spearman", "spearman_pixels"),
)
_HEADINGS: Final[Mapping[str, str]] = {
    "coverage": "in 90 %",
    "coverage_gap": "gap",
    "spearman_pixels": "in pixels",
}


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """The figures of an evaluation, and those of single images."""

    scores: Evaluation
    per_image: PerImageMetrics
    outside_lung: tuple[OutsideSignal, ...]
    """Of each image."""
    slices: SliceMeasurement | None = None
    """None where the task measures none, or nothing is known of them."""
    restored: RestorationMeasurement | None = None
    """None where the task measures no nodules."""


class UnwrittenReportError(StoreError):
    """The files of a report could not be written; `report` holds what hours may have computed."""

    def __init__(self, sentence: str, report: EvaluationReport) -> None:
        super().__init__(sentence)
        self.report = report


def prepare_output(folder: Path) -> bool:
    """Makes the folder and tries to write there, before hours are spent on what goes into it.

    Returns:
        Whether the folder was not there before.

    Raises:
        StoreError: it cannot be written.
    """
    with store_faults(f"write {folder}"):
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * _TRIAL_BYTES)
            file.flush()
    return made


def written_files(report: EvaluationReport, folder: Path) -> tuple[Path, ...]:
    """The files of a report in `folder`."""
    return tuple(folder / name for name in _contents(report))


def write_report(report: EvaluationReport, folder: Path) -> None:
    """Writes metrics.json, images.csv (single images) and two figures into `folder`.

    Where streaks were measured, slices.csv (single slices) and a picture of them too; where nodules
    were, nodules.csv and restoration.png. Those of an earlier evaluation in `folder` go first, so
    that no two are mixed there, even if this process is killed.

    Raises:
        UnwrittenReportError: the folder cannot be written.
    """
    try:
        with store_faults(f"write {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            for path in (folder / name for name in (*_CONTENTS, *_OF_SLICES, *_OF_RESTORATION)):
                if path.is_file():
                    path.unlink()
            # Each is made when those before it are safe: the figures come before their drawing.
            for name, encode in _contents(report).items():
                (folder / name).write_bytes(encode(report))
    except StoreError as error:
        raise UnwrittenReportError(str(error), report) from error


def _encode_metrics(report: EvaluationReport) -> bytes:
    return encode_json(dataclasses.asdict(report.scores))


def _encode_table(report: EvaluationReport) -> bytes:
    return _encode_rows(report.per_image.table())


def _encode_rows(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _encode_figure(report: EvaluationReport) -> bytes:
    return draw_evaluation(report.scores, report.per_image, report.outside_lung)


def _encode_risk_figure(report: EvaluationReport) -> bytes:
    return draw_risk_coverage(report.scores)


def _encode_slices(report: EvaluationReport) -> bytes:
    assert report.slices is not None
    return _encode_rows(report.slices.table())


def _encode_slices_figure(report: EvaluationReport) -> bytes:
    assert report.slices is not None
    scores = report.scores
    title = (
        f"{scores.checkpoint}: {counted(len(report.slices.keys), 'slice')} of "
        f"{counted(scores.patients, 'patient')}"
    )
    return draw_slices(report.slices, title, scores.notice)


def _encode_nodules(report: EvaluationReport) -> bytes:
    assert report.restored is not None
    return _encode_rows(report.restored.table())


def _encode_restoration_figure(report: EvaluationReport) -> bytes:
    scores = report.scores
    assert report.restored is not None
    assert isinstance(scores, RestorationEvaluation)
    title = (
        f"{scores.checkpoint}: {counted(scores.images, 'image')} of "
        f"{counted(scores.patients, 'patient')}"
    )
    return draw_restoration(report.restored, scores.restoration, title, scores.notice)


_CONTENTS: Final[Mapping[str, Callable[[EvaluationReport], bytes]]] = {
    METRICS: _encode_metrics,
    IMAGES: _encode_table,
    FIGURE: _encode_figure,
    RISK_FIGURE: _encode_risk_figure,
}
_OF_SLICES: Final[Mapping[str, Callable[[EvaluationReport], bytes]]] = {
    SLICES: _encode_slices,
    SLICES_FIGURE: _encode_slices_figure,
}
_OF_RESTORATION: Final[Mapping[str, Callable[[EvaluationReport], bytes]]] = {
    NODULES: _encode_nodules,
    RESTORATION_FIGURE: _encode_restoration_figure,
}


def _contents(report: EvaluationReport) -> Mapping[str, Callable[[EvaluationReport], bytes]]:
    of_slices = {} if report.slices is None else _OF_SLICES
    of_restoration = {} if report.restored is None else _OF_RESTORATION
    return {**_CONTENTS, **of_slices, **of_restoration}


def tabulate(scores: Evaluation) -> str:
    """The main figures for people, a line for each stage, region and target."""
    lines = [
        f"{scores.checkpoint} on {scores.data}, split {scores.split}: "
        f"{counted(scores.images, 'image')} of {counted(scores.patients, 'patient')}",
        f"intervals of the coverage from: {scores.calibration.source}",
        f"{'':>16}" + "".join(f"{_heading(name):>10}" for name in _SHOWN),
    ]
    for stage in scores.stages:
        for region, found in (("lung", stage.lung), ("whole", stage.whole)):
            if found is not None:
                lines += _rows(f"{stage.stage} {region}", found)
    if isinstance(scores, SliceEvaluation):
        lines += _streak_rows(scores.streaks)
    if isinstance(scores, RestorationEvaluation):
        lines += _restoration_rows(scores.restoration)
    if scores.outside_lung is not None:
        lines.append(_outside_line(scores.outside_lung))
    for error, ranked in (scores.risk_coverage or {}).items():
        lines += _risk_rows(error, ranked)
    if scores.ood_auroc is not None and scores.ood is not None:
        lines.append(f"AUROC of {counted(scores.ood.images, 'out-of-distribution image')}:")
        lines += [f"  {name:<30}{interval}" for name, interval in scores.ood_auroc.items()]
    lines += [f"note: {warning}" for warning in scores.warnings]
    lines.append(scores.notice)
    return "\n".join(lines)


def _rows(name: str, region: RegionScores) -> list[str]:
    targets = (("noisy", region.noisy), ("clean", region.clean), ("oracle", region.oracle))
    return [f"{f'{name} {target}':>16}{_row(found)}" for target, found in targets if found]


def _row(found: TargetScores) -> str:
    return "".join(f"{_number(getattr(found, name)):>10}" for name in _SHOWN)


def _streak_rows(streaks: StreakScores) -> list[str]:
    """A line for each kind of image; the truth's CNR and line spread bound what can be reached."""
    lines = [
        f"streaks, medians of {counted(streaks.slices, 'slice')}",
        f"{'':>16}" + "".join(f"{heading:>30}" for heading in _STREAK_FIGURES.values()),
    ]
    for kind in SLICE_KINDS:
        found: Mapping[str, Interval] = getattr(streaks, kind)
        lines.append(f"{kind:>16}" + "".join(f"{found[name]!s:>30}" for name in _STREAK_FIGURES))
    best = [f"{name} {streaks.target[f'truth_{name}']}" for name in ("cnr", "line_spread_fwhm_mm")]
    return [*lines, f"of the truth: {', '.join(best)}"]


def _restoration_rows(found: RestorationScores) -> list[str]:
    """A line for each class of nodules, and one of spectra."""
    lines = [f"{'nodules':>24}{'number':>8}{'CNR input':>28}{'restored':>28}{'truth':>28}"]
    for name, nodules in found.nodules.items():
        ratios = "".join(f"{nodules.images[kind].cnr!s:>28}" for kind in KINDS)
        lines.append(f"{name:>24}{nodules.nodules:>8}{ratios}")
    distances = found.log_spectral_distance_db.items()
    spectra = ", ".join(f"{kind} {distance}" for kind, distance in distances)
    return [*lines, f"log-spectral distance from the truth in dB: {spectra}"]


def _outside_line(found: OutsideLungScores) -> str:
    return (
        f"mean outside the lung: {found.predicted} predicted, {found.target} in the target; most "
        f"too much in {found.highest_image}: {found.highest_excess:.3f}"
    )


def _risk_rows(error: str, ranked: Mapping[str, RankedRisk]) -> list[str]:
    """A line for each score, the least area first."""
    lines = [
        f"risk against coverage, {error}: "
        "score, area under the curve, share of what an oracle removes when 70 % are kept"
    ]
    for name in sorted(ranked, key=lambda name: ranked[name].area.value or 0.0):
        found = ranked[name]
        lines.append(f"  {name:<30}{found.area!s:<26}{_percent(found.share_of_oracle_70)}")
    return lines


def _percent(found: Interval) -> str:
    return "–" if found.value is None else f"{round(100 * found.value)} %"


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name)


def _number(found: Interval) -> str:
    return "–" if found.value is None else f"{found.value:.3g}"
