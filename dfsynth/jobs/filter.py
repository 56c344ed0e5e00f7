"""`dfsynth filter`: choose rows of the manifest and write them with their provenance."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from dfsynth.checkpoint import CheckpointFiles
from dfsynth.errors import UsageError
from dfsynth.files.output_file import require_output
from dfsynth.jobs.error_promise import (
    ErrorCalibration,
    ErrorPromise,
    make_promise,
    no_errors_known,
    packaged_calibration,
)
from dfsynth.jobs.store_checkpoint import find_checkpoint
from dfsynth.manifest import FindingCount, Selection, select, write_selection
from dfsynth.options import ErrorLimit, FilterOptions
from dfsynth.progress import Progress
from dfsynth.store import Json, StoreLayout
from dfsynth.store.build_record import BuildRecord, Fingerprint
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.store.remote import opened_layout
from dfsynth.store.surroundings import require_outside_stores

CalibrateErrors: TypeAlias = Callable[
    [CheckpointFiles, Fingerprint, Path, ErrorLimit, Progress], ErrorCalibration
]
"""Calibrates with a user's own pairs: `dfsynth.evaluate.calibrate_errors`, which the jobs are not
to know."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """How many images passed, in all and of each finding."""

    store: str
    kept: int
    total: int
    """Rows with status ok."""
    no_lung: int
    """Of those, rows left out because no lung was found on them."""
    findings: tuple[FindingCount, ...]
    out: Path | None
    kept_share: float
    """Of the rows with status ok, in [0, 1]."""
    by: str | None
    """The column that images were kept by; null where the predicate alone decided."""
    promise: ErrorPromise | None
    """What is promised of the errors of the kept images; null without a limit of error."""


def run_filter(options: FilterOptions, calibrate: CalibrateErrors, progress: Progress) -> Filtered:
    """Selects rows by a SQL predicate, then by the lowest share or the errors of a column.

    Where only `keep` is given, `by` is `predicted_error` if the store has it, else `uncertainty`.
    Failed rows never pass; images without lung
    only with `include_no_lung`. With `out`, writes the kept rows, with the store's provenance and
    the filter where the kind of file has room for them. `calibrate` is called where own pairs are
    given.

    Raises:
        UsageError: there is no store, `out` lies in one or is no regular file, a bad predicate,
            share or column, or no threshold can give what is asked.
        ConflictError: the checkpoint is not the one that made the store.
        CheckpointError: a damaged checkpoint.
        StoreError: the store is damaged, or `out` cannot be written.
    """
    with opened_layout(options.store) as layout:
        return _filter(options, layout, calibrate, progress)


def _filter(
    options: FilterOptions, layout: StoreLayout, calibrate: CalibrateErrors, progress: Progress
) -> Filtered:
    record = read_record(layout.build)
    if options.out is not None:
        require_output(options.out, "the selection")
        require_outside_stores(options.out, "the selection")
    promise = None
    if options.limit is not None:
        if isinstance(record, PairsRecord):
            raise UsageError(
                f"--max-error: {options.store} holds pairs, which no generator made; expected a "
                "store of dfsynth build"
            )
        if (reason := no_errors_known(record.task)) is not None:
            raise UsageError(
                f"--max-error: no error is known of images of {options.store}: {reason}"
            )
        # Before a calibration that may take minutes: can anything be chosen at all?
        _select(options, layout, record, math.inf, counted_only=True)
        promise = _promise(options, options.limit, record, calibrate, progress)
    threshold = None if promise is None else promise.threshold
    chosen = _select(options, layout, record, threshold, counted_only=options.out is None)
    if options.out is not None:
        write_selection(options.out, chosen, _provenance(options, record, chosen.by, promise))
    return Filtered(
        store=str(options.store),
        kept=chosen.kept,
        total=chosen.total,
        no_lung=chosen.no_lung,
        findings=chosen.findings,
        out=options.out,
        kept_share=chosen.kept / max(chosen.total, 1),
        by=chosen.by,
        promise=promise,
    )


def _promise(
    options: FilterOptions,
    limit: ErrorLimit,
    record: BuildRecord,
    calibrate: CalibrateErrors,
    progress: Progress,
) -> ErrorPromise:
    files, built = find_checkpoint(record, options.checkpoint), record.fingerprint
    if options.calibrate is None:
        calibration = packaged_calibration(files, built)
    else:
        calibration = calibrate(files, built, options.calibrate, limit, progress)
    return make_promise(calibration, limit)


def _select(
    options: FilterOptions,
    layout: StoreLayout,
    record: BuildRecord | PairsRecord,
    at_most: float | None,
    counted_only: bool,
) -> Selection:
    return select(
        layout.manifest,
        options.where,
        options.keep,
        options.by if options.limit is None else options.limit.column,
        options.include_no_lung,
        record.manifest_schema,
        at_most,
        counted_only,
        record.task.name,
    )


def _provenance(
    options: FilterOptions,
    record: BuildRecord | PairsRecord,
    by: str | None,
    promise: ErrorPromise | None,
) -> dict[str, str]:
    """The store's provenance and the filter, each as JSON."""
    filtered: dict[str, Json] = {
        "where": options.where,
        "keep": options.keep,
        "by": by,
        "include_no_lung": options.include_no_lung,
    }
    if promise is not None:
        filtered["promise"] = asdict(promise)
    entries = {**record.provenance(), "filter": filtered}
    return {name: json.dumps(value) for name, value in entries.items()}
