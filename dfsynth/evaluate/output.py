"""An evaluation as files and as a table for people."""

import csv
import dataclasses
import io
import json
import tempfile
from pathlib import Path

from dfsynth.evaluate.bootstrap import Interval
from dfsynth.evaluate.figure import draw_evaluation
from dfsynth.evaluate.job import EvaluationReport
from dfsynth.evaluate.scores import Evaluation, RegionScores, TargetScores
from dfsynth.files.faults import store_faults

METRICS, IMAGES, PICTURE = "metrics.json", "images.csv", "evaluation.png"

_TRIAL_BYTES = 1 << 20

_SHOWN = (
    *("mse", "mae", "psnr", "ssim", "nll", "crps"),
    *("coverage", "ence", "ause", "spearman", "spearman_pixels"),
)


def prepare_output(folder: Path) -> None:
    """Makes the folder and tries to write there, before hours are spent on what goes into it.

    Raises:
        StoreError: it cannot be written.
    """
    with store_faults(f"write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * _TRIAL_BYTES)
            file.flush()


def write_report(report: EvaluationReport, folder: Path) -> tuple[Path, ...]:
    """Writes metrics.json, images.csv (single pictures) and evaluation.png into `folder`.

    Raises:
        StoreError: the folder cannot be written.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(report.gathered.table())
    scores = json.dumps(
        dataclasses.asdict(report.scores), indent=2, ensure_ascii=False, allow_nan=False
    )
    contents = {
        METRICS: (scores + "\n").encode(),
        IMAGES: text.getvalue().encode(),
        PICTURE: draw_evaluation(report.scores, report.gathered),
    }
    with store_faults(f"write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    return tuple(folder / name for name in contents)


def tabulate(scores: Evaluation) -> str:
    """The main figures for people, a line for each stage, region and target."""
    lines = [
        f"{scores.checkpoint} on {scores.data}, split {scores.split}: {scores.images} images of "
        f"{scores.patients} patients",
        f"intervals of the coverage from: {scores.calibration.source}",
        f"{'':>16}" + "".join(f"{_heading(name):>10}" for name in _SHOWN),
    ]
    for stage in scores.stages:
        for region, found in (("lung", stage.lung), ("whole", stage.whole)):
            if found is not None:
                lines += _rows(f"{stage.stage} {region}", found)
    if scores.ood_auroc is not None and scores.ood is not None:
        lines.append(f"AUROC of {scores.ood.images} other images:")
        lines += [f"  {name:<22}{i}" for name, i in scores.ood_auroc.items()]
    lines += [f"note: {warning}" for warning in scores.warnings]
    lines.append(scores.notice)
    return "\n".join(lines)


def _rows(name: str, region: RegionScores) -> list[str]:
    targets = (("noisy", region.noisy), ("clean", region.clean), ("oracle", region.oracle))
    return [f"{f'{name} {target}':>16}{_row(found)}" for target, found in targets if found]


def _row(found: TargetScores) -> str:
    return "".join(f"{_number(getattr(found, name)):>10}" for name in _SHOWN)


def _heading(name: str) -> str:
    return {"coverage": "in 90 %", "spearman_pixels": "in pixels"}.get(name, name)


def _number(found: Interval) -> str:
    return "–" if found.value is None else f"{found.value:.3g}"
