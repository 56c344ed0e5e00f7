"""`dfsynth report`: a store, or an evaluation, as a folder to open in a browser."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.files.faults import store_faults
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.reporting.evaluation_page import METRICS, write_evaluation_report
from dfsynth.jobs.reporting.store_page import write_store_report
from dfsynth.options import ReportOptions
from dfsynth.progress import Progress
from dfsynth.report.browser import writing_report
from dfsynth.store import StoreLayout
from dfsynth.store.surroundings import require_outside_stores

_WHAT: Final = "the report"


@dataclass(frozen=True, slots=True)
class Report:
    """What was written."""

    page: Path
    """The file to open."""
    kind: str
    """images, pairs, or evaluation."""
    images: int
    """Finished images that the page counts."""
    thumbnails: int
    """Of which so many have thumbnails."""
    damage: tuple[str, ...]
    """A sentence for each damaged shard, whose images are left out."""
    remarks: tuple[str, ...]
    """Sentences on what could not be shown."""
    size_bytes: int
    """Of the whole folder."""


def run_report(options: ReportOptions, progress: Progress) -> Report:
    """Writes a report of a store or of an evaluation; an earlier report in its place goes.

    Raises:
        UsageError: neither lies there, an `out` that holds something else or lies in a store, a
            missing source, or a checkpoint that did not make the store.
        CheckpointError: a damaged checkpoint.
        StoreError: a damaged store or evaluation, or `out` cannot be written.
    """
    out = options.folder
    require_outside_stores(out, _WHAT)
    with writing_report(out) as folder:
        if (evaluated := _evaluation(options)) is not None:
            evaluation = write_evaluation_report(folder, evaluated)
            kind, images, thumbnails = "evaluation", evaluation.images, 0
            damage: tuple[str, ...] = ()
            remarks = evaluation.remarks
        else:
            page = write_store_report(folder, options, progress)
            kind, images, thumbnails = page.holds, page.finished, len(page.images)
            damage, remarks = page.damage, page.remarks
        size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Report(out / "index.html", kind, images, thumbnails, damage, remarks, size_bytes)


def _evaluation(options: ReportOptions) -> Path | None:
    """The path where it is a folder of `dfsynth evaluate`, and no store."""
    path = options.store
    if isinstance(path, ObjectPath):
        return None
    with store_faults(f"look into {path}"):
        evaluated = (path / METRICS).is_file() and not StoreLayout(path).build.exists()
    return path if evaluated else None
