"""Pairs of a store that `dfsynth simulate` made."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.datasets.file_pairs import describe_rows
from dfsynth.datasets.groups import Member, group_patients
from dfsynth.datasets.protocol import PairImages, PairInfo
from dfsynth.errors import StoreError, UsageError
from dfsynth.manifest import read_manifest
from dfsynth.preprocess import letterbox, to_grid, to_unit_range
from dfsynth.records import Float32Map, Geometry, Intensity, IntensityRange
from dfsynth.store import ArrayReader, StoreLayout, format_of
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.tasks import Task

_LUNG_FIELD, _HIDDEN_LUNG = 1, 2
_LEAST_HIDDEN_SHARE = 0.02
"""Share of hidden lung in a pixel of a coarser grid from which the pixel counts as such.
[assumed]"""
_NODULE_COLUMN = "nodule_diameter_mm"
"""Of manifests of pairs with nodules: diameters in mm with blanks between, by label."""


@dataclass(frozen=True, slots=True)
class StorePairs:
    """Implements `PairSource` for the pairs of a store that could be made."""

    rows: tuple[PairInfo, ...]
    description: str
    warnings: tuple[str, ...]
    arrays: ArrayReader
    manifest: pa.Table
    """One line for each row: its row in the arrays, n0, v0, severity and the rest."""
    geometry: Geometry
    intensity: Intensity
    task: Task
    output: IntensityRange | None = None
    """The values of targets that become 0 and 1; None: targets stay in their unit."""

    @classmethod
    def open(
        cls,
        root: Path,
        grid: int,
        intensity: Intensity,
        task: str,
        output: IntensityRange | None = None,
    ) -> Self:
        """The pairs of the store `root`, in a grid of `grid` × `grid`.

        With `output`, targets are what a network gives for their values.

        Raises:
            UsageError: there is no store, it holds no pairs or those of another task, or patients
                that cannot be grouped.
            StoreError: a damaged store.
        """
        layout = StoreLayout(root)
        record = read_record(layout.build)
        if not isinstance(record, PairsRecord):
            raise UsageError(
                f"{root} holds images that were generated, not pairs to train on; expected a "
                "store that dfsynth simulate has made, two folders, or a table"
            )
        if record.task.name != task:
            raise UsageError(
                f"{root} holds pairs for {record.task.name}; expected those for {task}, which the "
                f"network is for: dfsynth simulate --task {task}"
            )
        arrays = format_of(layout).open_arrays(layout)
        required = record.task.input.array, record.task.pairs.target
        missing = [name for name in required if name not in arrays.names]
        if missing:
            raise UsageError(f"{root} has no array {missing[0]!r}; expected {required}")
        committed = read_manifest(layout.manifest, record.manifest_schema)
        usable = committed.filter(pc.equal(committed["status"], pa.scalar("ok")))
        geometry = letterbox((arrays.specs[0].height, arrays.specs[0].width), (grid, grid))
        rows, moved = _group_rows(usable, geometry)
        return cls(
            rows=rows,
            description=describe_rows(f"{record.task.card.pairs_noun} of {root.name}", rows),
            warnings=(
                *_warn_of_missing(record, committed, usable),
                *_warn_of_enlargement(geometry),
                *moved,
            ),
            arrays=arrays,
            manifest=usable,
            geometry=geometry,
            intensity=intensity,
            task=record.task,
            output=output,
        )

    @property
    def knows_lungs(self) -> bool:
        """See `PairSource`."""
        return self.task.pairs.lung in self.arrays.names

    def fingerprint(self) -> str:
        """See `PairSource`; of names, patients, splits and the checksums of the stored values."""
        digest = hashlib.blake2b(digest_size=16)
        for row, checksum in zip(self.rows, self.manifest["checksum"].to_pylist(), strict=True):
            digest.update(repr((row.key, row.patient_id, row.split, checksum)).encode())
        return digest.hexdigest()

    def read(self, index: int) -> PairImages:
        """See `PairSource`."""
        given, roles = self.task.input.array, self.task.pairs
        image = to_unit_range(self._resampled(given, index), self.intensity)
        if image.min() == image.max():
            raise UsageError(f"pair {self.rows[index].key!r}: its {given} is constant")
        clean = lung = lung_weight = air = None
        if roles.clean is not None and roles.clean in self.arrays.names:
            clean = self._signal(roles.clean, index)
        if roles.lung is not None and roles.lung in self.arrays.names:
            mask = self.arrays.read(roles.lung, self._row(index))
            field = to_grid(mask == _LUNG_FIELD, self.geometry) > 0.5
            hidden = to_grid(mask == _HIDDEN_LUNG, self.geometry) >= _LEAST_HIDDEN_SHARE
            lung = self._padded(field.astype(np.float32))
            lung_weight = self._padded((~hidden).astype(np.float32))
        if roles.air is not None and roles.air in self.arrays.names:
            outside = to_grid(self.arrays.read(roles.air, self._row(index)) != 0, self.geometry)
            air = self._padded((outside > 0.5).astype(np.float32))
        return PairImages(
            image=self._padded(image),
            target=self._signal(roles.target, index),
            clean=clean,
            lung=lung,
            lung_weight=lung_weight,
            content=self.geometry.content,
            air=air,
            nodules=self._nodules(index),
        )

    def array(self, name: str, index: int) -> Float32Map:
        """The array `name` of `rows[index]` as it is stored, (y, x).

        Raises:
            StoreError: the store is damaged, or the values are not finite.
        """
        return self._finite(
            np.asarray(self.arrays.read(name, self._row(index)), np.float32), name, index
        )

    def _nodules(self, index: int) -> Float32Map | None:
        """Labels of the pixels that a nodule covers for the greater part; None without such."""
        name = self.task.pairs.nodules
        if name is None or name not in self.arrays.names:
            return None
        labels = self.arrays.read(name, self._row(index))
        found = np.zeros((self.geometry.height, self.geometry.width), np.float32)
        for label in np.unique(labels[labels > 0]):
            found[to_grid(labels == label, self.geometry) > 0.5] = label
        return self._padded(found)

    def _signal(self, name: str, index: int) -> Float32Map:
        """The output as it was measured, or as it is, in its unit or as a network gives it."""
        values = self._resampled(name, index)
        return self._padded(values if self.output is None else to_unit_range(values, self.output))

    def _row(self, index: int) -> int:
        return int(self.manifest["row"][index].as_py())

    def _resampled(self, name: str, index: int) -> Float32Map:
        return self._finite(
            to_grid(self.arrays.read(name, self._row(index)), self.geometry), name, index
        )

    def _finite(self, values: Float32Map, name: str, index: int) -> Float32Map:
        if not np.isfinite(values).all():
            raise StoreError(
                f"pair {self.rows[index].key!r}: its array {name!r} is not finite, though the "
                "manifest calls it ok; run dfsynth verify --repair and simulate again"
            )
        return values

    def _padded(self, values: Float32Map) -> Float32Map:
        padded = np.zeros((self.geometry.grid_height, self.geometry.grid_width), np.float32)
        padded[self.geometry.content] = values
        return padded


def _group_rows(
    usable: pa.Table, geometry: Geometry
) -> tuple[tuple[PairInfo, ...], tuple[str, ...]]:
    names = ["image_id", "patient_id", "split", "origin", "license", "pixel_mm"]
    names += [name for name in (_NODULE_COLUMN,) if name in usable.column_names]
    enlarged = geometry.height / geometry.source_height
    lines = usable.select(names).to_pylist()
    members = [Member(line["image_id"], line["patient_id"], line["split"]) for line in lines]
    groups = group_patients(members, binding=False)
    rows = tuple(
        PairInfo(
            key=line["image_id"],
            patient_id=line["patient_id"],
            split=groups.split[line["patient_id"]],
            origin=line["origin"],
            license=line["license"],
            pixel_mm=None if line["pixel_mm"] is None else line["pixel_mm"] / enlarged,
            nodule_mm=tuple(map(float, (line.get(_NODULE_COLUMN) or "").split())),
        )
        for line in lines
    )
    return rows, groups.warnings


def _warn_of_missing(record: PairsRecord, committed: pa.Table, usable: pa.Table) -> tuple[str, ...]:
    warnings = []
    failed, waiting = len(committed) - len(usable), record.rows - len(committed)
    if failed:
        warnings.append(
            f"left out: {counted(failed, 'pair')} of the store that failed in the making"
        )
    if waiting:
        warnings.append(
            f"left out: {waiting} of {counted(record.rows, 'pair')} of the store, not made yet; "
            "the same dfsynth simulate command makes the rest"
        )
    return tuple(warnings)


def _warn_of_enlargement(geometry: Geometry) -> tuple[str, ...]:
    if geometry.height <= geometry.source_height:
        return ()
    return (
        f"pairs of {geometry.source_height} × {geometry.source_width} pixels are enlarged to "
        f"{geometry.grid_height} × {geometry.grid_width}, which adds no detail",
    )
