"""The panels of a store of images: input, output, aleatoric, epistemic."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dfsynth.decode import DecodeLimits
from dfsynth.errors import ImageError
from dfsynth.jobs.model_inputs import reader_of
from dfsynth.jobs.sheet_content import Panels, number_caption
from dfsynth.jobs.truth_images import TruthImages
from dfsynth.records import Float32Map
from dfsynth.report import SheetRow, columns_of_images, image_columns
from dfsynth.source import Source
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.opened import Store
from dfsynth.store.plan import Plan, source_item
from dfsynth.store.row_geometry import content_of
from dfsynth.tasks import Task


class SourceImages:
    """The radiographs of a store, read again from their source into the store's grid."""

    def __init__(
        self, layout: StoreLayout, record: BuildRecord, source: Source, limits: DecodeLimits
    ) -> None:
        held = record.fingerprint
        self._input = record.task.input
        self._source = source
        self._reader = reader_of(source, held.size, record.intensity, limits)
        self._shard_size = held.shard_size
        # It stays open, and so readable, when the folder that stands for a store is gone.
        self._plan = Plan(layout.plan, record.cut, source_item)

    def read(self, row: int) -> Float32Map | None:
        """(y, x) of the grid, as a store holds it; None where the source no longer gives it.

        Raises:
            StoreError: the plan is damaged.
        """
        shard, index = divmod(row, self._shard_size)
        item = self._plan.items(shard)[index]
        try:
            data = self._source.read(item, self._reader.limits.max_bytes)
            _, found = self._reader(data)
        except ImageError:
            return None
        return self._input.restore(found.image)


def panels_of_images(
    store: Store,
    record: BuildRecord,
    lines: Sequence[dict[str, Any]],
    by: str,
    source_images: SourceImages | None,
    truths: TruthImages | None = None,
) -> Panels:
    """The panels of the manifest rows `lines`, with their number in the column `by`.

    The input comes from the store if it holds it, else from `source_images`, else it is left
    blank. With `truths`, the last panel is the truth, blank where there is none.

    Raises:
        StoreError: a damaged store.
    """
    images = [_images(store, record, line, source_images) for line in lines]
    rows = [_row(record.task, line, maps, by) for line, maps in zip(lines, images, strict=True)]
    columns = columns_of_images(record.task, record.unit, record.window, images)
    if truths is not None:
        rows = [
            replace(row, images=(*row.images, truths.read(record, line)))
            for row, line in zip(rows, lines, strict=True)
        ]
        columns.append(replace(columns[1], title=truths.title))
    return Panels(
        rows=rows,
        columns=columns,
        title=record.checkpoint,
        footer=f"Synthetic {record.task.output.noun}s, not for diagnosis.",
        blank=sum(
            line["status"] == "ok" and record.task.input.array not in maps
            for line, maps in zip(lines, images, strict=True)
        ),
    )


def _images(
    store: Store, record: BuildRecord, line: dict[str, Any], source_images: SourceImages | None
) -> dict[str, Float32Map]:
    """The content (padding cut off) of each map that can be had."""
    content = content_of(record, line)
    found: dict[str, Float32Map] = {}
    for name in image_columns(record.task):
        if name in store.maps:
            found[name] = store.read(name, line["row"]).astype(np.float32)[content]
        elif name == record.task.input.array and source_images is not None:
            image = source_images.read(line["row"])
            if image is not None:
                found[name] = image[content]
    return found


def _row(task: Task, line: dict[str, Any], maps: dict[str, Float32Map], by: str) -> SheetRow:
    caption = (line["image_id"], *number_caption(line, by), *line["flags"])
    images = tuple(maps.get(name) for name in image_columns(task))
    return SheetRow(caption, images, failure=line["error_code"])
