"""One row on its way into a store: the values as stored, and their checksum. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError, StoreError
from dfsynth.store.arrays import ArraySpec, StoredMap
from dfsynth.store.format import EncodedRow
from dfsynth.store.rounding import round_mantissa

CHECKSUM_BYTES: Final = 16
_HALF_EXPONENT: Final = np.uint16(0x7C00)


def encode_maps(
    specs: Sequence[ArraySpec],
    maps: Mapping[str, NDArray[Any]],
    encode_chunk: Callable[[StoredMap], bytes],
) -> EncodedRow:
    """Casts, checks and encodes the maps, (y, x) each by name, of one row.

    Pure, in the calling thread and most of its time without the interpreter's lock, so that many
    threads encode many rows at once. What it returns shares no memory with `maps`.

    Raises:
        ImageError: NON_FINITE, where a value is not finite in the stored type.
        StoreError: the maps, their shapes or their types are not those of `specs`.
    """
    digest, chunks = _new_digest(), []
    for spec, values in zip(specs, select_maps(specs, maps), strict=True):
        stored = cast_map(spec, values)  # one at a time: of 1024 x 1024 pixels each takes 4 MB
        _add_to(digest, stored)
        chunks.append(encode_chunk(stored))
    return EncodedRow(tuple(chunks), digest.hexdigest())


def select_maps(
    specs: Sequence[ArraySpec], maps: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[Any], ...]:
    """The maps, (y, x) each by name, in the order of `specs`.

    Raises:
        StoreError: a map is missing or none of the arrays', or has another shape or kind.
    """
    expected = {spec.name for spec in specs}
    if maps.keys() != expected:
        raise StoreError(
            f"a row holds the maps {sorted(maps)}; the store expects {sorted(expected)}"
        )
    for spec in specs:
        found = maps[spec.name]
        if found.shape != (spec.height, spec.width):
            raise StoreError(
                f"map {spec.name!r} has shape {found.shape}; "
                f"the store expects {(spec.height, spec.width)}"
            )
        if not np.can_cast(found.dtype, spec.stored_dtype, "same_kind"):
            raise StoreError(
                f"map {spec.name!r} holds {found.dtype}, which {spec.dtype} cannot take"
            )
    return tuple(maps[spec.name] for spec in specs)


def cast_map(spec: ArraySpec, values: NDArray[Any]) -> StoredMap:
    """A copy of one map (y, x) as the array stores it: rounded, little-endian, C order.

    Every format stores what this gives, so that checksums are of the rounded values.

    Raises:
        ImageError: NON_FINITE, where a value is or becomes NaN or infinite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        stored: StoredMap = values.astype(spec.stored_dtype, order="C", copy=True)
    if spec.keepbits is not None and stored.dtype == np.dtype("<f4"):
        round_mantissa(cast("NDArray[np.float32]", stored), spec.keepbits)
    if not _all_finite(stored):
        raise ImageError(
            ErrorCode.NON_FINITE,
            f"map {spec.name} holds a value that is not finite as {spec.dtype}",
        )
    return stored


def row_checksum(maps: Iterable[StoredMap]) -> str:
    """BLAKE2b-128, in hexadecimal, of the stored values of maps (y, x), one map after the other.

    Values are taken little-endian and in C order, whatever the order in memory.
    """
    digest = _new_digest()
    for values in maps:
        _add_to(digest, values)
    return digest.hexdigest()


def _new_digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=CHECKSUM_BYTES)


def _add_to(digest: hashlib.blake2b, values: StoredMap) -> None:
    little_endian = values.dtype.newbyteorder("<")
    digest.update(np.ascontiguousarray(values, dtype=little_endian).data)


def _all_finite(stored: StoredMap) -> bool:
    # numpy tests float16 one value at a time; its exponent bits say the same 20 times faster.
    if stored.dtype == np.dtype("<f2"):
        exponents = stored.view("<u2") & _HALF_EXPONENT
        return bool(exponents.max() < _HALF_EXPONENT)
    return bool(np.isfinite(stored).all())
