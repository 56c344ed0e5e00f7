"""A NIfTI volume, plain or packed by gzip, as a container of its transverse slices."""

import math
import re
import struct
import zlib
from dataclasses import dataclass
from threading import Lock
from typing import Final

import pyarrow as pa

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.files.nifti_header import NIFTI_HEADER_BYTES, NiftiHeader, parse_nifti_header
from dfsynth.files.object_file import open_forward
from dfsynth.files.object_path import AnyPath
from dfsynth.files.ranges import ReadAt
from dfsynth.records import SourceItem
from dfsynth.source.container import Members
from dfsynth.source.gzip_stream import GzipStream
from dfsynth.source.member import archive_gone
from dfsynth.source.reading import require_no_machine_failure, require_size

VOLUME_SUFFIXES: Final = (".nii", ".nii.gz")
_GZIP_MARK: Final = b"\x1f\x8b"
_NO_EXTENSION: Final = bytes(4)
_NAME: Final = re.compile(r"slice-(\d+)")


@dataclass(frozen=True, slots=True)
class _Slices:
    """Where the slices of a volume lie, and what stands before each as a file of its own."""

    count: int
    offset: int
    """Of the first one, in what a gzip inflates to."""
    size_bytes: int
    """Of each."""
    header: bytes
    """Of a NIfTI-1 file of one slice."""


class NiftiVolume:
    """The transverse slices of the volume `path`: "slice-0000", "slice-0001", … as stored.

    Each is read as a NIfTI-1 file of one slice: the volume's header for one slice, and the bytes
    of that slice, so that whatever decodes single slices decodes those of volumes.
    """

    def __init__(self, path: AnyPath) -> None:
        self.path = path
        self._lock = Lock()
        self._inflated: ReadAt | None = None
        self._found: _Slices | None = None

    def members(self) -> Members:
        """One member a slice, all of one patient; none where the file has no transverse slices.

        It may be one slice, damaged, or a link to nothing: then it is an input itself,
        and reading it says what is wrong.

        Raises:
            DfsynthError: the machine fails.
        """
        try:
            found = self._slices()
        except (ImageError, OSError) as error:
            if isinstance(error, OSError):
                require_no_machine_failure(error)
            return _members([], self.path.name)
        digits = max(4, len(str(found.count - 1)))
        names = [f"slice-{index:0{digits}d}" for index in range(found.count)]
        return _members(names, self.path.name)

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """A NIfTI-1 file of the slice `item.uri`; safe from any thread.

        Raises:
            ImageError: missing, too_large, truncated, corrupt, unreadable.
            DfsynthError: the volume is gone, or the machine fails.
        """
        try:
            return self._read_slice(item.uri, max_bytes)
        except OSError as error:
            require_no_machine_failure(error)
            raise archive_gone(self.path) from None

    def _read_slice(self, name: str, max_bytes: int) -> bytes:
        found = self._slices()
        named = _NAME.fullmatch(name)
        index = int(named[1]) if named else found.count
        if index >= found.count:
            raise ImageError(ErrorCode.MISSING, "the volume has no such slice")
        require_size(len(found.header) + found.size_bytes, max_bytes)
        content = self._read_at(found.offset + index * found.size_bytes, found.size_bytes)
        if len(content) < found.size_bytes:
            raise ImageError(ErrorCode.TRUNCATED, "the volume ends inside this slice")
        return found.header + content

    def _slices(self) -> _Slices:
        """Reads the header once.

        Raises:
            ImageError: no volume of transverse slices.
            OSError: it cannot be opened or read.
        """
        with self._lock:
            if self._found is None:
                self._inflated = self._open_inflated()
                self._found = _slices_of(self._read_at(0, NIFTI_HEADER_BYTES))
            return self._found

    def _open_inflated(self) -> ReadAt | None:
        """What reads the content of a packed volume; None of a plain one."""
        packed = open_forward(self.path)(0, len(_GZIP_MARK)) == _GZIP_MARK
        return GzipStream(open_forward(self.path)).read_at if packed else None

    def _read_at(self, offset: int, size_bytes: int) -> bytes:
        try:
            # A plain one is opened for each read, as archives are: there may be thousands of them.
            return (self._inflated or open_forward(self.path))(offset, size_bytes)
        except EOFError:
            raise ImageError(ErrorCode.TRUNCATED, "the packed volume is cut short") from None
        except zlib.error:
            raise ImageError(ErrorCode.CORRUPT, "the packed volume is damaged") from None


def is_volume(name: str) -> bool:
    """Whether a file of this name is a NIfTI volume, or one slice."""
    return name.lower().endswith(VOLUME_SUFFIXES)


def _members(names: list[str], patient: str) -> Members:
    columns = {"image_id": names, "uri": names, "patient_id": [patient] * len(names)}
    return Members({name: pa.chunked_array([c], pa.string()) for name, c in columns.items()})


def _slices_of(start: bytes) -> _Slices:
    header = parse_nifti_header(start)
    if header is None or not _is_of_slices(header) or header.values_dtype is None:
        raise ImageError(ErrorCode.NOT_AN_IMAGE, "it is no volume of transverse slices")
    width, height, count = header.lengths[:3]
    size_bytes = width * height * header.values_dtype.itemsize
    single = bytearray(start)
    struct.pack_into(header.order + "8h", single, 40, 3, width, height, *(1,) * 5)
    struct.pack_into(header.order + "f", single, 108, NIFTI_HEADER_BYTES + len(_NO_EXTENSION))
    return _Slices(count, header.offset, size_bytes, bytes(single) + _NO_EXTENSION)


def _is_of_slices(header: NiftiHeader) -> bool:
    """Whether there are two slices or more, and nothing beyond the third axis."""
    return (
        header.has_transverse_slices
        and header.lengths[2] > 1
        and math.prod(header.lengths[:2]) > 0
        and math.prod(header.lengths[3:]) == 1
    )
