"""`open_store`: a store as a Python object."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError, UsageError
from dfsynth.extras import load_extra
from dfsynth.files.faults import is_there
from dfsynth.files.object_path import AnyPath, ObjectPath, to_any_path
from dfsynth.manifest import (
    SplitSource,
    known_findings,
    read_manifest,
    read_part,
    rows_in_split,
    select_rows,
)
from dfsynth.records import Float32Map, Split
from dfsynth.store import (
    ArrayReader,
    Json,
    StoredMap,
    StoreLayout,
    format_of,
    missing_files,
)
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.format import PlainGroup
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.provenance import LAYOUT_VERSION
from dfsynth.store.record import read_record
from dfsynth.store.remote import opened_layout
from dfsynth.store.row import StoredRow
from dfsynth.store.row_geometry import geometry_of
from dfsynth.store.summary import summary_markup

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray

    from dfsynth.store.dataset import MapDataset, Sample, Target

Changed = TypeVar("Changed")
"""What a transform makes of a sample."""

# Overloads are for type checkers alone: at run time `typing` keeps each, and so this module and
# DuckDB, beyond Python's own end, of which DuckDB's bindings then complain on stderr.


@dataclass(frozen=True, slots=True, repr=False)
class Store:
    """A store, opened for reading; holds no open file, so threads and processes may share it.

    Example:
        >>> store = dfsynth.open_store("x.zarr")
        >>> store.read("dark_field", row=0).shape
        (64, 64)
        >>> store.to_source(row=0, grid_map="dark_field").shape == (
        ...     store.manifest["height"][0].as_py(), store.manifest["width"][0].as_py()
        ... )
        True
        >>> data = store.dataset(maps=("dark_field", "aleatoric"), include_no_lung=True)
        >>> data[0]["maps"].shape
        torch.Size([2, 64, 64])
        >>> store.to_xarray()["dark_field"].mean(("y", "x")).dims
        ('image',)
    """

    path: AnyPath
    record: BuildRecord | PairsRecord
    """What it was made from."""
    _arrays: ArrayReader

    def __repr__(self) -> str:
        maps = ", ".join(self.maps)
        return f"<Store {str(self.path)!r}: {counted(self.record.rows, 'row')} of {maps}>"

    def _repr_html_(self) -> str:
        """What the store holds, how far it is and what made it, as HTML for a notebook."""
        try:
            rows, damage = self._read_manifest(["status"]), ""
        except StoreError as error:
            rows, damage = None, str(error)
        return summary_markup(str(self.path), self.record, rows, damage)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """What made the store of what, units, seed, versions, notice.

        The attributes of its group say the same, objects and lists of names as JSON text.
        """
        return self.record.provenance()

    @property
    def arrays(self) -> PlainGroup:
        """The arrays by name; `arrays["dark_field"]` is (image, y, x), NaN where none is.

        They are what the library of the store's format opens: a `zarr.Group`, or an `h5py.File`,
        which is yours to close.

        Raises:
            FileNotFoundError: the metadata of the group is gone.
        """
        if isinstance(self.path, ObjectPath):
            layout = StoreLayout(Path(self.path.name), self.path)
        else:
            layout = StoreLayout(self.path)
        return format_of(layout).open_group(layout)

    @property
    def manifest(self) -> pa.Table:
        """All committed rows, in row order: of images, or of pairs.

        The columns are those of the newest schema version; in a store of an earlier one, the
        columns that came later are null.

        Raises:
            StoreError: the manifest is missing or damaged.
        """
        return self._read_manifest()

    def _read_manifest(self, columns: Sequence[str] | None = None) -> pa.Table:
        with opened_layout(self.path) as layout:
            return read_manifest(layout.manifest, self.record.manifest_schema, columns)

    if TYPE_CHECKING:

        @overload
        def manifest_as(self, library: Literal["pandas"]) -> "pandas.DataFrame": ...

        @overload
        def manifest_as(self, library: Literal["polars"]) -> "polars.DataFrame": ...

    def manifest_as(self, library: Literal["pandas", "polars"]) -> Any:
        """The manifest as a data frame of pandas or polars, one line for each committed row.

        What `manifest`, an Arrow table, becomes by the libraries' own conversion: in pandas, whole
        numbers of a column with nulls are floats, and lists are NumPy arrays.

        Raises:
            UsageError: another library, or one that is not installed; each has an extra of its
                name.
            StoreError: the manifest is missing or damaged.
        """
        if library not in ("pandas", "polars"):
            raise UsageError(f"manifest_as({library!r}): expected 'pandas' or 'polars'")
        frames = load_extra(library, f"a manifest for {library}", library)
        table = self.manifest
        return table.to_pandas() if library == "pandas" else frames.from_arrow(table)

    def row(self, row: int | str) -> StoredRow:
        """One committed row, by its number in the arrays or by its image id.

        A notebook shows it as its maps: attenuation, dark-field, aleatoric, epistemic.

        Raises:
            UsageError: there is no such row, or it is not committed yet.
            StoreError: the manifest is missing or damaged.
        """
        found = self._rows_with_id(row) if isinstance(row, str) else self._rows_numbered(row)
        if not found:
            raise UsageError(
                f"no row {row!r} in the committed shards of {self.path}; expected an image id of "
                f"its manifest or a number from 0 to {self.record.rows - 1}"
            )
        return StoredRow(self.record, found[0], self._arrays)

    def _rows_with_id(self, image_id: str) -> list[dict[str, Any]]:
        manifest = self.manifest
        return manifest.filter(pc.equal(manifest["image_id"], pa.scalar(image_id))).to_pylist()

    def _rows_numbered(self, row: int) -> list[dict[str, Any]]:
        """From the part of its shard alone: the manifest may have a hundred thousand rows."""
        if row < 0:
            return []
        with opened_layout(self.path) as layout:
            part = layout.part(row // self.record.shard_size)
            if not is_there(part):
                return []
            rows = read_part(part, self.record.manifest_schema)
        return rows.filter(pc.equal(rows["row"], pa.scalar(row, pa.int64()))).to_pylist()

    @property
    def maps(self) -> tuple[str, ...]:
        """The names of the stored maps."""
        return self._arrays.names

    def read(self, name: str, row: int) -> StoredMap:
        """One map (y, x) in its stored type; NaN (0 for integers) where the image failed.

        Raises:
            StoreError: no such map or row, or the stored bytes are damaged.
        """
        return self._arrays.read(name, row)

    def to_source(self, row: int, grid_map: str | NDArray[Any]) -> Float32Map:
        """A map put back into the geometry of the source's image: the inverse of the letterbox.

        Padding is left out, and the rest resampled to the pixels of the radiograph as it was
        decoded: bilinear where it grows, by area where it shrinks.

        Args:
            row: Of the image.
            grid_map: The name of a stored map, or (y, x) of the store's grid, such as a mask that
                was drawn over one.

        Returns:
            (height, width) of the source in pixels, float32.

        Raises:
            UsageError: the store holds pairs, which have no source, or an array is not of its grid.
            StoreError: no such map, no finished row of this number, or damaged bytes.
        """
        # It brings the decoders along, which nothing else of a store needs.
        from dfsynth.preprocess import to_source

        if isinstance(self.record, PairsRecord):
            raise UsageError(
                f"{self.path} holds pairs, which were simulated in the grid that they have; "
                "expected a store of dfsynth build"
            )
        size = self.record.fingerprint.size
        values = self.read(grid_map, row) if isinstance(grid_map, str) else grid_map
        if values.shape != size:
            raise UsageError(f"a map of shape {values.shape} is not of the store's grid {size}")
        return to_source(values.astype(np.float32), geometry_of(self.record, self._finished(row)))

    def _finished(self, row: int) -> dict[str, Any]:
        """The columns of a row by name."""
        for line in self._rows_numbered(row):
            if line["status"] == "ok":
                return line
        raise StoreError(
            f"row {row} of {self.path} has no image: it failed, is not built yet, or is no row of "
            "the store; expected a row that the manifest calls ok"
        )

    def to_xarray(self) -> "xarray.Dataset":
        """The committed images as an `xarray.Dataset`; values are read when they are asked for.

        Each map is (image, y, x), float32 whatever the store holds (masks stay uint8), NaN (0 in
        masks) where the image failed. Coordinates are `image_id`, by which `sel` finds an image,
        and `row`, the index in the arrays of the store. `to_zarr` and `to_netcdf` write it, or any
        choice of its images. Where it is larger than memory, let dask take it shard by shard:
        `store.to_xarray().chunk(image=store.record.shard_size)`.

        Raises:
            UsageError: xarray, of the extra `xarray`, is not installed.
            StoreError: the manifest is missing or damaged.
        """
        view = load_extra("dfsynth.store.xarray_view", "to_xarray", "xarray")
        record = replace(self.record, layout_version=LAYOUT_VERSION)
        dataset: xarray.Dataset = view.view_store(
            self._arrays, record.arrays, self.manifest, record.attributes()
        )
        return dataset

    if TYPE_CHECKING:

        @overload
        def dataset(
            self,
            where: str | None = ...,
            maps: Sequence[str] | None = ...,
            keep: float | None = ...,
            by: str | None = ...,
            include_no_lung: bool = ...,
            *,
            split: Split | None = ...,
            split_from: SplitSource = ...,
            transform: None = ...,
            target: "Target | None" = ...,
            weight_by: str | None = ...,
        ) -> "MapDataset[Sample]": ...

        @overload
        def dataset(
            self,
            where: str | None = ...,
            maps: Sequence[str] | None = ...,
            keep: float | None = ...,
            by: str | None = ...,
            include_no_lung: bool = ...,
            *,
            split: Split | None = ...,
            split_from: SplitSource = ...,
            transform: "Callable[[Sample], Changed]",
            target: "Target | None" = ...,
            weight_by: str | None = ...,
        ) -> "MapDataset[Changed]": ...

    def dataset(
        self,
        where: str | None = None,
        maps: Sequence[str] | None = None,
        keep: float | None = None,
        by: str | None = None,
        include_no_lung: bool = False,
        *,
        split: Split | None = None,
        split_from: SplitSource = "corpus",
        transform: "Callable[[Sample], Any] | None" = None,
        target: "Target | None" = None,
        weight_by: str | None = None,
    ) -> "MapDataset[Any]":
        """A torch Dataset, maps (map, y, x) float32, of the images that `dfsynth filter` keeps.

        Args:
            where: A SQL condition on the manifest's columns.
            maps: Names of the maps that make a sample, in order; by default the one that the store
                is for, of images `dark_field` or what the task gives, of pairs their target.
            keep: Of the images that pass `where`, the share in (0, 1] with the lowest `by`.
            by: A numeric column of the manifest. Where only `keep` is given: `predicted_error` if
                the store has it, else `uncertainty`.
            include_no_lung: Whether images on which no lung was found can pass.
            split: Of what passes, the images of one split alone: train, val, calibration or test.
                No patient is in two, whatever is filtered; see `dfsynth.manifest.split_rows`.
            split_from: "corpus" keeps the corpus's own splits, and deals out by a hash of the
                patient whom it puts into none; "hash" deals out everybody.
            transform: A function of a sample, a dict, such as a dictionary transform of MONAI.
            target: What stands under `target` of a sample: a column of numbers; "findings" or the
                names of some, as `MapDataset.labels` has them; or what a function of the row of
                the manifest, a dict, gives.
            weight_by: A score whose inverse stands under `weight`; see `MapDataset.weights`.

        Raises:
            UsageError: a map that the store does not hold, a bad predicate, share, column, target
                or finding, or a split without images.
            StoreError: the manifest is missing or damaged.
        """
        from dfsynth.store.dataset import MapDataset

        wanted = (self.record.main_map,) if maps is None else tuple(maps)
        missing = [name for name in wanted if name not in self.maps]
        if missing:
            raise UsageError(
                f"the store has no map {missing[0]!r}: it holds {', '.join(self.maps)}"
            )
        manifest = self.manifest
        schema, task = self.record.manifest_schema, self.record.task.name
        table = select_rows(manifest, where, keep, by, include_no_lung, schema, task=task).table
        if split is not None:
            rows = rows_in_split(manifest, split, split_from)
            table = table.filter(pc.is_in(table["row"], pa.array(rows)))
        findings = known_findings(manifest)
        return MapDataset(self._arrays, table, wanted, findings, transform, target, weight_by)


def open_store(path: str | AnyPath) -> Store:
    """Opens a store of images or of pairs, finished or not.

    Example:
        >>> store = dfsynth.open_store("x.zarr")
        >>> store.maps
        ('dark_field', 'aleatoric', 'epistemic')
        >>> store.manifest.num_rows
        2

    Raises:
        UsageError: there is no store.
        StoreError: its build record or its metadata is damaged, or, of HDF5, a part is missing,
            which other programs would read as NaN without a word.
    """
    with opened_layout(to_any_path(path)) as layout:
        record = read_record(layout.build)
        arrays = format_of(layout).open_arrays(layout)
        if format_of(layout).refuses_missing:
            _require_files(layout, arrays)
    return Store(layout.objects or layout.root, record, arrays)


def _require_files(layout: StoreLayout, arrays: ArrayReader) -> None:
    missing = missing_files(layout, arrays.names)
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise StoreError(
            f"{layout.root} lacks {missing[0]}{others}, whose images its manifest lists; expected "
            "all parts beside it: bring them back, or run dfsynth verify with --repair and build "
            "again"
        )
