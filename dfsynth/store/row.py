"""One row of a store as a Python object: what the manifest says, its maps, and how it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dfsynth.errors import StoreError
from dfsynth.records import Float32Map
from dfsynth.report import (
    SheetColumn,
    SheetRow,
    columns_of_images,
    columns_of_pairs,
    facts_markup,
    image_columns,
    images_markup,
)
from dfsynth.store import ArrayReader, StoredMap
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.row_geometry import content_of

_SHOWN: Final = (
    *("patient_id", "view", "sex", "age", "findings", "split", "predicted_error", "uncertainty"),
    *("lung_fraction", "origin", "severity", "error"),
)
"""Columns that a notebook shows beside the images, where they say something."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class StoredRow:
    """One image, or pair, of a store; a notebook shows it as its maps."""

    record: BuildRecord | PairsRecord
    """What the store was made from."""
    facts: Mapping[str, Any]
    """The row of the manifest: column → value."""
    _arrays: ArrayReader

    @property
    def row(self) -> int:
        """Index in the arrays of the store."""
        return int(self.facts["row"])

    @property
    def image_id(self) -> str:
        """The unique name of the image."""
        return str(self.facts["image_id"])

    @property
    def ok(self) -> bool:
        """Whether the image was made; else `facts["error"]` says why not."""
        return bool(self.facts["status"] == "ok")

    def read(self, name: str) -> StoredMap:
        """One map (y, x) in its stored type, padding included; see `Store.read`.

        Raises:
            StoreError: no such map, or the stored bytes are damaged.
        """
        return self._arrays.read(name, self.row)

    def __repr__(self) -> str:
        failure = "" if self.ok else f", failed: {self.facts['error_code']}"
        return f"<StoredRow {self.row}: {self.image_id!r}{failure}>"

    def _repr_html_(self) -> str:
        """The maps of the row side by side, with what the manifest says, as HTML.

        Where the stored bytes are damaged, it says so in their place.
        """
        flags = tuple(self.facts["flags"])
        said = {name: text for name in _SHOWN if (text := _spelt(self.facts.get(name)))}
        facts, notice = {"row": str(self.row), **said}, str(self.record.provenance()["notice"])
        try:
            columns, images = self._maps()
        except StoreError as error:
            return facts_markup(self.image_id, {"damaged": str(error), **facts}, notice)
        shown = SheetRow((self.image_id, *flags), images, failure=self.facts["error_code"])
        return images_markup(shown, columns, facts, notice)

    def _maps(self) -> tuple[list[SheetColumn], tuple[Float32Map | None, ...]]:
        record = self.record
        if isinstance(record, BuildRecord):
            content = content_of(record, self.facts)
            maps = {
                name: self._values(name)[content]
                for name in image_columns(record.task)
                if name in self._arrays.names
            }
            columns = columns_of_images(record.task, record.unit, record.window, [maps])
            return columns, tuple(maps.get(name) for name in image_columns(record.task))
        maps = {name: self._values(name) for name in columns_of_pairs(record.task)}
        return list(columns_of_pairs(record.task, [maps]).values()), tuple(maps.values())

    def _values(self, name: str) -> Float32Map:
        return shown_map(self._arrays.read, name, self.facts)


def shown_map(
    read: Callable[[str, int], StoredMap], name: str, line: Mapping[str, Any]
) -> Float32Map:
    """One map (y, x) of a row of the manifest, NaN where it failed, padding included.

    Raises:
        StoreError: no such map, or the stored bytes are damaged.
    """
    values = read(name, line["row"]).astype(np.float32)
    # Masks are of integers, which know no NaN: what failed reads 0 there, as no lung does.
    return values if line["status"] == "ok" else np.full_like(values, np.nan)


def _spelt(value: object) -> str:
    """A value of the manifest for people; empty where it says nothing."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
