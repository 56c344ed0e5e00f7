"""What one array of a store is: name, type, extent, and how it is cut into shards."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError
from dfsynth.files.json_record import Json

StoredType: TypeAlias = Literal["float16", "float32", "uint8"]
StoredMap: TypeAlias = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.uint8]
"""(y, x) as a store holds it, C order."""

STORED_TYPES: Final[tuple[StoredType, ...]] = ("float16", "float32", "uint8")
DIMENSIONS: Final = ("image", "y", "x")
"""Of every array, in this order."""
KEEPABLE_BITS: Final[Mapping[StoredType, range]] = {
    "float16": range(10, 11),
    "float32": range(1, 24),
    "uint8": range(0),
}
"""To how many mantissa bits values of each type can be rounded; the most are all that it has."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED: Final = frozenset({"manifest", "run", *DIMENSIONS})
"""Folders of every store, and the names of the dimensions."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array (image, y, x): `rows` images of `height` × `width` pixels.

    Raises:
        StoreError: the name, the type or an extent is none that an array can have.
    """

    name: str
    """Lower-case letters, digits and _, starting with a letter."""
    dtype: StoredType
    rows: int
    height: int
    width: int
    shard_size: int
    """Images in one shard; the last shard of the array may hold fewer."""
    keepbits: int | None = None
    """Mantissa bits to which values are rounded before they are stored; None for as many as the
    type has, and for integers."""
    units: str | None = None
    """Of the values, spelt as UDUNITS does; None in stores of version 0.1, which say it nowhere."""
    long_name: str | None = None
    """What the values are, in a few words; None in stores of version 0.1."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in _RESERVED:
            raise StoreError(
                f"{self.name!r} cannot name an array: use lower-case letters, digits and _, "
                f"starting with a letter, and none of {', '.join(sorted(_RESERVED))}"
            )
        if self.dtype not in STORED_TYPES:
            raise StoreError(
                f"array {self.name!r} cannot have dtype {self.dtype!r}: "
                f"choose one of {', '.join(STORED_TYPES)}"
            )
        if min(self.rows, self.height, self.width, self.shard_size) < 1:
            raise StoreError(
                f"array {self.name!r} is empty: found {counted(self.rows, 'row')} of "
                f"{self.height} × {self.width} in shards of {self.shard_size}; each must be at "
                "least 1"
            )
        choice = KEEPABLE_BITS[self.dtype]
        if self.keepbits is not None and self.keepbits not in choice:
            raise StoreError(
                f"array {self.name!r} of {self.dtype} cannot keep {self.keepbits} mantissa bits: "
                f"choose one of {', '.join(map(str, choice)) or 'none'}"
            )

    @property
    def attributes(self) -> dict[str, Json]:
        """What the array says of its values: `units`, `long_name` and `keepbits`, where known.

        Every format writes them as the attributes of the array, and makes the same specification
        of them again: `ArraySpec(name, …, **attributes)`.
        """
        entries: dict[str, Json] = {
            "units": self.units,
            "long_name": self.long_name,
            "keepbits": self.keepbits,
        }
        return {name: value for name, value in entries.items() if value is not None}

    @property
    def stored_dtype(self) -> np.dtype[np.generic]:
        """The numpy type of the values, which is little-endian."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def shards(self) -> int:
        """How many shards the rows fill, the last maybe in part."""
        return -(-self.rows // self.shard_size)

    def place(self, row: int) -> tuple[int, int]:
        """The shard that holds a row, and the index of the row in that shard.

        Raises:
            StoreError: the array has no such row.
        """
        if not 0 <= row < self.rows:
            raise StoreError(f"array {self.name!r} has no row {row}: it holds 0 to {self.rows - 1}")
        return divmod(row, self.shard_size)

    def rows_of(self, shard: int) -> int:
        """How many rows a shard holds.

        Raises:
            StoreError: the array has no such shard.
        """
        if not 0 <= shard < self.shards:
            raise StoreError(
                f"array {self.name!r} has no shard {shard}: it holds 0 to {self.shards - 1}"
            )
        return min(self.shard_size, self.rows - shard * self.shard_size)

    def empty_map(self) -> StoredMap:
        """One image (y, x) of the fill value alone: NaN, or 0 for integers."""
        fill = 0 if self.dtype == "uint8" else np.nan
        empty: StoredMap = np.full((self.height, self.width), fill, dtype=self.stored_dtype)
        return empty


def common_cut(specs: Sequence[ArraySpec]) -> ArraySpec:
    """The first of `specs`, arrays (image, y, x), once all are known to be cut alike.

    Raises:
        StoreError: there is none, two share a name, or they are cut differently.
    """
    if not specs:
        raise StoreError("a store needs at least one array: name one with --maps")
    if len({spec.name for spec in specs}) != len(specs):
        raise StoreError("two arrays of a store share a name: name each one once")
    cuts = {(spec.rows, spec.height, spec.width, spec.shard_size) for spec in specs}
    if len(cuts) != 1:
        raise StoreError(
            "the arrays of a store must share rows, height, width and shard size: "
            f"found {sorted(cuts)}"
        )
    return specs[0]


def named_array(specs: Sequence[ArraySpec], name: str) -> ArraySpec:
    """The array of this name.

    Raises:
        StoreError: there is none.
    """
    for spec in specs:
        if spec.name == name:
            return spec
    held = ", ".join(spec.name for spec in specs)
    raise StoreError(f"the store has no array {name!r}: it holds {held}")
