"""Parquet files that show whether a byte of them was changed.

Every page has its CRC, which any reader can verify. Neither footer nor page headers have one, so
the footer's key-value metadata also hold a BLAKE2b-128 of the whole file, taken with zeros in its
own place. Readers that know nothing of it read the file as any other.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_faults

CHECKSUM_KEY: Final = b"dfsynth.checksum"
_DIGEST_BYTES: Final = 16
_ZEROS: Final = b"0" * (2 * _DIGEST_BYTES)
_BLOCK_BYTES: Final = 1 << 20
_END: Final = b"PAR1"
_LENGTH_BYTES: Final = 4
# In Thrift's compact protocol: the next field is a string, and of 32 bytes.
_VALUE: Final = CHECKSUM_KEY + bytes([0x18, len(_ZEROS)])


@contextmanager
def checksummed_writer(
    target: BinaryIO, schema: pa.Schema, **options: Any
) -> Iterator[pq.ParquetWriter]:
    """A Parquet writer to an empty stream, which has the checksums once the context has ended.

    Args:
        target: Where to; it can be read and sought as well, and stays open.
        schema: Of the tables to come.
        options: Of `pyarrow.parquet.ParquetWriter`.

    Raises:
        OSError: the system refuses.
    """
    with pq.ParquetWriter(target, schema, write_page_checksum=True, **options) as writer:
        yield writer
        writer.add_key_value_metadata({CHECKSUM_KEY.decode(): _ZEROS.decode()})
    place = _find_place(target)
    if place is None:
        raise io.UnsupportedOperation("pyarrow wrote the metadata of a Parquet file elsewhere")
    digest = _digest(target, place)
    target.seek(place)
    target.write(digest)
    target.seek(0, io.SEEK_END)


def is_unchanged(file: BinaryIO) -> bool | None:
    """Whether a Parquet file is as it was written; None where it holds no checksum of itself.

    Raises:
        OSError: the system refuses.
    """
    place = _find_place(file)
    if place is None:
        return None
    file.seek(place)
    return file.read(len(_ZEROS)) == _digest(file, place)


def require_unchanged(path: Path, remedy: str) -> None:
    """Requires that a Parquet file is byte for byte as it was written, as far as it can tell.

    One without a checksum of itself passes, as those of version 0.1.

    Raises:
        StoreError: a byte was changed, or the file cannot be read; `remedy` says what to do.
    """
    with store_faults(f"read {path}"), path.open("rb") as file:
        unchanged = is_unchanged(file)
    if unchanged is False:
        raise StoreError(
            f"{path} was changed after it was written: found other bytes than its checksum is of; "
            f"{remedy}"
        )


def _find_place(file: BinaryIO) -> int | None:
    """Where the checksum lies; None where there is none, or no footer."""
    end_bytes = _LENGTH_BYTES + len(_END)
    size = file.seek(0, io.SEEK_END)
    if size < end_bytes:
        return None
    file.seek(size - end_bytes)
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    start = size - end_bytes - length
    if file.read() != _END or start < 0:
        return None
    file.seek(start)
    # The last one: values of the columns, which are anybody's, come before the metadata.
    found = file.read(length).rfind(_VALUE)
    return None if found < 0 else start + found + len(_VALUE)


def _digest(file: BinaryIO, place: int) -> bytes:
    """Of the file with zeros at `place`, in hexadecimal."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    file.seek(0)
    _add(digest, file, place)
    digest.update(_ZEROS)
    end = file.seek(0, io.SEEK_END)
    after = file.seek(place + len(_ZEROS))
    _add(digest, file, end - after)
    return digest.hexdigest().encode()


def _add(digest: hashlib.blake2b, file: BinaryIO, size_bytes: int) -> None:
    """Adds the next `size_bytes` of the file to the digest, or what there is of them."""
    while size_bytes > 0 and (block := file.read(min(size_bytes, _BLOCK_BYTES))):
        digest.update(block)
        size_bytes -= len(block)
