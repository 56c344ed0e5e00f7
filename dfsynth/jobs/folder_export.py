"""Chosen images of a store as files in a folder: select, read, encode, write, a table of names.

Images are written in portions, each whole or not at all, so that the same command goes on where it
was stopped. What is there says nothing of the order: portions are written in several threads.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.exports import (
    TABLE_NAME,
    Export,
    ExportFolder,
    ExportImage,
    FolderFormat,
    Portion,
    describe_export,
    file_stem,
    has_own_scale,
    new_record,
    opened_folder,
)
from dfsynth.jobs.empty_store import nothing_finished
from dfsynth.jobs.exporter import ExportReport
from dfsynth.manifest import read_manifest, select, write_csv
from dfsynth.options import ExportOptions
from dfsynth.preprocess import to_source
from dfsynth.progress import Progress
from dfsynth.store import ArrayReader, StoreLayout, format_of, row_checksum
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.checksum import damage
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.store.row_geometry import geometry_of
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

_LINES_AT_ONCE = 256
"""Rows of the manifest that are unpacked together: less than a millisecond for each, or memory."""


@dataclass(frozen=True, slots=True)
class FolderExporter:
    """The `Exporter` to files of one format."""

    format: FolderFormat

    def __call__(self, options: ExportOptions, progress: Progress) -> ExportReport:
        """See `Exporter`.

        Raises:
            UsageError, ConflictError, StoreError: see `Exporter`.
        """
        started = time.monotonic()
        self.format.require_libraries()
        layout = StoreLayout(options.store)
        record = read_record(layout.build)
        export = describe_export(record, options, _dtype(options, self.format))
        _require_space(options, record)
        # Before the manifest is read: what is committed meanwhile is then missing, and not done.
        committed = len(layout.committed_shards())
        chosen = _choose(layout, record, options)
        folders = self.format.folders(export)
        record_of_export = new_record(export, folders)
        images, overwrite = chosen.table.num_rows, options.overwrite
        with opened_folder(options.out, record_of_export, images, overwrite) as (folder, resumed):
            job = _FolderJob(self.format, export, layout, folder, progress)
            written = job.run(chosen.table)
            if self.format.lists_names:
                _list_names(folder, chosen.table)
            folder.sync(folders)
            folder.write_record(record_of_export, images, committed == record.shards)
        return ExportReport(
            store=str(layout.root),
            out=str(options.out),
            to=self.format.name,
            rows=record.rows,
            shards=record.shards,
            pending=record.shards - committed,
            shards_done=committed,
            ok=written.images,
            failed=chosen.failed,
            elsewhere=0,
            seconds=time.monotonic() - started,
            resumed=resumed,
            images=images,
            left_out=chosen.left_out,
            own_scale=written.own_scale,
        )


def _dtype(options: ExportOptions, known: FolderFormat) -> str:
    """What the values are written as: what is asked for, or the format's usual.

    Raises:
        UsageError: the format has no such values.
    """
    if options.dtype is None:
        return known.dtypes[0]
    if options.dtype not in known.dtypes:
        raise UsageError(
            f"--dtype {options.dtype}: --to {known.name} writes {' or '.join(known.dtypes)}"
        )
    return options.dtype


def _require_space(options: ExportOptions, record: BuildRecord | PairsRecord) -> None:
    """Requires that there is a source whose geometry is asked for.

    Raises:
        UsageError: there is none.
    """
    if options.space == "source" and isinstance(record, PairsRecord):
        raise UsageError(
            f"--space source: {options.store} holds pairs, which were simulated in the grid that "
            "they have; leave --space out"
        )


@dataclass(frozen=True, slots=True)
class _Choice:
    """The rows of the manifest that are exported, and how many are not."""

    table: pa.Table
    """In the order of `row`."""
    failed: int
    """Rows that failed in the store."""
    left_out: int
    """Finished rows that `where` does not let pass."""


def _choose(
    layout: StoreLayout, record: BuildRecord | PairsRecord, options: ExportOptions
) -> _Choice:
    """Every finished row, or what `dfsynth filter` keeps by `where`.

    Raises:
        UsageError: a bad predicate, or nothing is left.
        StoreError: the manifest cannot be read.
    """
    schema = record.manifest_schema
    manifest = read_manifest(layout.manifest, schema)
    done = manifest.filter(pc.equal(manifest["status"], pa.scalar("ok")))
    chosen = done
    if options.where is not None:
        lungless = options.include_no_lung
        task = record.task.name
        chosen = select(
            layout.manifest, options.where, None, None, lungless, schema, task=task
        ).table
    if chosen.num_rows == 0:
        if options.where is None:
            raise UsageError(nothing_finished(options.store, record.cut.inputs, manifest.num_rows))
        raise UsageError(
            f"{options.store} holds no finished image that meets --where {options.where!r}; "
            "expected one or more"
        )
    return _Choice(chosen, manifest.num_rows - done.num_rows, done.num_rows - chosen.num_rows)


@dataclass(slots=True)
class _Written:
    """What was written so far."""

    images: int = 0
    own_scale: int = 0
    """Those of them that have a scale of their own."""


@dataclass(frozen=True, slots=True)
class _FolderJob:
    """The writing of one export's files."""

    format: FolderFormat
    export: Export
    source: StoreLayout
    folder: ExportFolder
    progress: Progress

    def run(self, table: pa.Table) -> _Written:
        """Writes what is not there yet, a few portions ahead in threads.

        Raises:
            StoreError: a row is damaged, or the disk refuses.
        """
        missing = self._missing(table)
        self.progress.start(missing.num_rows)
        total = _Written()
        arrays = format_of(self.source).array_reader(self.source, self.export.record.arrays)
        workers = available_cores() * self.format.threads_a_core(self.export)
        with thread_pool("export", workers) as pool:
            done = Prefetch[Portion, _Written](
                pool,
                lambda portion: self._write(arrays, portion),
                self._portions(missing),
                2 * workers,
            )
            for _, written in done:
                total.images += written.images
                total.own_scale += written.own_scale
                self.progress.advance(ok=written.images, failed=0)
        return total

    def _missing(self, table: pa.Table) -> pa.Table:
        """The rows whose portions are not written."""
        rows = [
            line["row"]
            for portion in self._portions(table.select(["row", "image_id"]))
            if not self.format.is_written(self.export, portion, self.folder)
            for line in portion.lines
        ]
        return table.filter(pa.array(np.isin(table["row"].to_numpy(), rows)))

    def _portions(self, table: pa.Table) -> Iterator[Portion]:
        """Rows by ranges of the store that never change, however many of them are exported."""
        shard_size = self.export.record.shard_size
        most = min(self.format.portion_rows(self.export), shard_size)

        def first_row(line: dict[str, Any]) -> int:
            shard, index = divmod(line["row"], shard_size)
            return int(shard * shard_size + index // most * most)

        batches = table.to_batches(max_chunksize=_LINES_AT_ONCE)
        lines = (line for batch in batches for line in batch.to_pylist())
        for first, members in groupby(lines, first_row):
            yield Portion(first, tuple(members))

    def _write(self, arrays: ArrayReader, portion: Portion) -> _Written:
        written = _Written()

        def images() -> Iterator[ExportImage]:
            for line in portion.lines:
                image = self._read(arrays, line)
                written.images += 1
                written.own_scale += has_own_scale(self.export, image)
                yield image

        self.format.write(self.export, portion, images(), self.folder)
        return written

    def _read(self, arrays: ArrayReader, line: Mapping[str, Any]) -> ExportImage:
        """One image, once its values are known to be those that were written.

        Raises:
            StoreError: they are not.
        """
        maps = {name: arrays.read(name, line["row"]) for name in arrays.names}
        if row_checksum(maps.values()) != line["checksum"]:
            raise damage(
                f"image {line['image_id']!r} of {self.source.root}",
                "the stored values are not those written",
            )
        return ExportImage(line, {name: self._placed(maps[name], line) for name in maps})

    def _placed(self, values: Any, line: Mapping[str, Any]) -> Any:
        """A map (y, x) in the geometry that is asked for; floats as float32."""
        record = self.export.record
        if isinstance(record, BuildRecord) and self.export.space == "source":
            geometry = geometry_of(record, line)
            return to_source(values.astype(np.float32), geometry)
        return values if values.dtype == np.uint8 else values.astype(np.float32, copy=False)


def _list_names(folder: ExportFolder, table: pa.Table) -> None:
    """Writes the rows of the exported images, first of all the stems of their files.

    Raises:
        StoreError: the disk refuses.
    """
    ids = table.select(["row", "image_id"]).to_pylist()
    stems = pa.array([file_stem(line["row"], line["image_id"]) for line in ids], pa.string())
    with folder.writing(TABLE_NAME) as stream:
        write_csv(table.add_column(0, "file", stems), stream)
