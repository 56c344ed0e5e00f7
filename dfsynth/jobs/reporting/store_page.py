"""A store → its page: columns, images, failures, expected errors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.decode import limits_of
from dfsynth.errors import StoreError
from dfsynth.jobs.build_source import open_inputs
from dfsynth.jobs.image_sheet import SourceImages
from dfsynth.jobs.reporting.columns import ReportColumns, labels_of, report_columns
from dfsynth.jobs.reporting.drawn_images import (
    DrawnImages,
    MapReader,
    damage_sentences,
    draw_images,
    image_reader,
    pair_reader,
    scaled_kinds,
)
from dfsynth.jobs.reporting.expected_error import ExpectedErrors, expected_errors
from dfsynth.jobs.reporting.failures import describe_failures
from dfsynth.jobs.reporting.rows import ReportRows, read_rows
from dfsynth.jobs.reporting.sample import choose_images
from dfsynth.manifest.selection import has_lung
from dfsynth.options import DEFAULT_CONFIDENCE, DEFAULT_RISK, ReportOptions
from dfsynth.progress import Progress
from dfsynth.report.browser import GalleryImage, GalleryMap, StorePage, write_store_page
from dfsynth.store import ArrayReader, StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.store.remote import opened_layout

_PAIRS_BASIS = "These are pairs of images and their truth; no generator made them, and none errs."


@dataclass(frozen=True, slots=True, eq=False)
class _Gallery:
    """The images of a page."""

    kinds: tuple[GalleryMap, ...] = ()
    images: tuple[GalleryImage, ...] = ()
    damage: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def write_store_report(folder: Path, options: ReportOptions, progress: Progress) -> StorePage:
    """Writes the page of a store and all that it shows into `folder`.

    Raises:
        UsageError: no store, a missing source, or a checkpoint that did not make the store.
        CheckpointError: a damaged checkpoint.
        StoreError: a build record that is damaged, or a manifest of which nothing can be read.
        OSError: the disk refuses.
    """
    with opened_layout(options.store) as layout:
        record = read_record(layout.build)
        names = [spec.name for spec in record.arrays]
        rows = read_rows(layout, record.manifest_schema, names)
        done = rows.table.filter(pc.equal(rows.table["status"], pa.scalar("ok"))).combine_chunks()
        columns = report_columns(done, record.manifest_schema)
        # First, since a wrong --checkpoint is found at once, and drawing takes minutes.
        errors = _errors(record, options)
        gallery = _draw_gallery(folder, options, layout, record, done, columns, progress)
        page = _page(layout, record, rows, done, columns, gallery, errors)
    write_store_page(folder, page)
    return page


def _page(
    layout: StoreLayout,
    record: BuildRecord | PairsRecord,
    rows: ReportRows,
    done: pa.Table,
    columns: ReportColumns,
    gallery: _Gallery,
    errors: ExpectedErrors,
) -> StorePage:
    provenance = record.provenance()
    promised = any(curve.promises for curve in errors.curves)
    pairs = isinstance(record, PairsRecord)
    return StorePage(
        store=(layout.objects or layout.root.resolve()).name,
        command=record.command,
        holds="pairs" if pairs else "images",
        notice=str(provenance["notice"]),
        planned=record.cut.inputs,
        finished=done.num_rows,
        failed=rows.table.num_rows - done.num_rows,
        pending=max(record.cut.inputs - rows.table.num_rows, 0),
        shards=record.shards,
        shards_done=len(layout.committed_shards()),
        numbers=columns.numbers,
        groups=columns.groups,
        empty_columns=columns.empty,
        ungrouped=columns.ungrouped,
        default=columns.default,
        no_lung=None if pairs else _without_lung(done),
        maps=gallery.kinds,
        images=gallery.images,
        failures=describe_failures(rows.table),
        damage=(*rows.damage, *gallery.damage),
        remarks=gallery.remarks,
        errors=errors.curves,
        error_basis=errors.basis,
        promise_terms=_promise_terms() if promised else "",
        checkpoint=errors.checkpoint,
        provenance=provenance,
    )


def _without_lung(done: pa.Table) -> list[int] | None:
    """The finished images on which no lung was found; None where none was looked for."""
    if done["lung_fraction"].null_count == done.num_rows:
        return None
    return np.flatnonzero(~has_lung(done)).tolist()


def _promise_terms() -> str:
    return f"--risk {DEFAULT_RISK:g} --confidence {DEFAULT_CONFIDENCE:g}"


def _errors(record: BuildRecord | PairsRecord, options: ReportOptions) -> ExpectedErrors:
    if isinstance(record, PairsRecord):
        return ExpectedErrors((), _PAIRS_BASIS)
    return expected_errors(record, options.checkpoint)


def _draw_gallery(
    folder: Path,
    options: ReportOptions,
    layout: StoreLayout,
    record: BuildRecord | PairsRecord,
    done: pa.Table,
    columns: ReportColumns,
    progress: Progress,
) -> _Gallery:
    positions = choose_images(
        done.num_rows, columns.numbers, columns.default, columns.groups, options.thumbnails
    )
    progress.start(len(positions))
    try:
        arrays = format_of(layout).open_arrays(layout)
    except StoreError as error:
        return _Gallery(damage=(str(error).replace(f"{layout.root}/", ""),))
    reader = _reader(options, layout, record, arrays)
    lines = done.take(pa.array(positions, pa.int64())).to_pylist()
    kinds = scaled_kinds(reader, lines)
    drawn = draw_images(folder, reader, kinds, lines, progress)
    shown = set(drawn.rows)
    telling = [group for group in columns.groups if len(group.labels) > 1]
    return _Gallery(
        kinds=kinds,
        images=tuple(
            GalleryImage(
                position, line["row"], line["image_id"], tuple(labels_of(telling, position))
            )
            for position, line in zip(positions, lines, strict=True)
            if line["row"] in shown
        ),
        damage=tuple(damage_sentences(drawn.damaged, str(layout.root))),
        remarks=_remarks(drawn, options),
    )


def _reader(
    options: ReportOptions,
    layout: StoreLayout,
    record: BuildRecord | PairsRecord,
    arrays: ArrayReader,
) -> MapReader:
    if isinstance(record, PairsRecord):
        return pair_reader(arrays, record)
    source = None
    if options.source is not None and record.task.input.array not in arrays.names:
        limits = limits_of(options.max_pixels, options.max_bytes)
        images = open_inputs(options.source, options.root, record.intensity)
        source = SourceImages(layout, record, images, limits)
    return image_reader(arrays, record, source)


def _remarks(drawn: DrawnImages, options: ReportOptions) -> tuple[str, ...]:
    if not drawn.blank:
        return ()
    advice = "the source no longer gives them" if options.source else "give --source (and --root)"
    return (
        f"{drawn.blank} of {counted(len(drawn.rows), 'image')} shown without their attenuation, "
        f"which the store does not hold: {advice}.",
    )
