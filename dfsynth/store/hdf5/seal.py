"""What dfsynth writes behind the end of an HDF5 file: a message to itself, with a checksum.

    HDF5 file, message, size of the message as uint64, "dfsynth1", crc32c of all but the file

HDF5 knows where its file ends and never looks further. The file format that every program reads
has no checksums of its own: of a flipped byte in its structure HDF5 may make another image, or
crash. So dfsynth reads its HDF5 files by what the seal says, and verifies the rest against it.
"""

import os
from pathlib import Path
from typing import Final

from dfsynth.files.faults import store_faults
from dfsynth.files.ranges import opened, read_range
from dfsynth.store.checksum import CRC_BYTES, DamagedBytesError, with_checksum, without_checksum

_MAGIC: Final = b"dfsynth1"
_SIZE_BYTES: Final = 8
_FOOTER_BYTES: Final = _SIZE_BYTES + len(_MAGIC) + CRC_BYTES


def seal_of(message: bytes) -> bytes:
    """What goes behind the end of the HDF5 file."""
    return with_checksum(message + len(message).to_bytes(_SIZE_BYTES, "little") + _MAGIC)


def read_seal(descriptor: int) -> tuple[bytes, int]:
    """The message behind an open file, and how many bytes the HDF5 file before it has.

    Raises:
        DamagedBytesError: there is none, or it is not what was written.
        OSError: the system refuses.
    """
    size_bytes = os.fstat(descriptor).st_size
    start = size_bytes - _FOOTER_BYTES
    footer = read_range(descriptor, _FOOTER_BYTES, start) if start >= 0 else b""
    if footer[_SIZE_BYTES:-CRC_BYTES] != _MAGIC:
        raise DamagedBytesError("does not end as dfsynth ends its HDF5 files")
    end = start - int.from_bytes(footer[:_SIZE_BYTES], "little")
    if end < 0:
        raise DamagedBytesError("is too short to hold its index")
    sealed = without_checksum(read_range(descriptor, size_bytes - end, end))
    return sealed[: start - end], end


def is_sealed(path: Path) -> bool:
    """Whether `path` is an HDF5 file that dfsynth wrote whole.

    Raises:
        StoreError: it cannot be looked at.
    """
    with store_faults(f"look for {path}"):
        if not path.is_file():
            return False
    with opened(path, "the end of an HDF5 file") as descriptor:
        try:
            read_seal(descriptor)
        except DamagedBytesError:
            return False
    return True
