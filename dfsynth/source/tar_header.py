"""The headers inside a tar: what is an input, and whether a planned member still lies at its place.

A plan keeps places, and an archive written anew in another order has other members there, often
of the very same size. So the headers that lead to a place are read before its bytes are.
"""

import tarfile
import zlib
from collections.abc import Iterator
from typing import Final, Self

from dfsynth.files.ranges import ReadAt
from dfsynth.source import exclusion
from dfsynth.source.member import image_id_of

BLOCK_BYTES: Final = tarfile.BLOCKSIZE
UNREADABLE: Final = (
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    OverflowError,
    ValueError,
    RecursionError,
)
"""What tarfile raises of a damaged archive, of headers that extend headers without end too."""
_HEADER_BYTES: Final = 1 << 24
"""Most bytes of one header: names and attributes beyond are damage, not data to be read."""
_TYPE_AT: Final = 156
_EXTENDING_TYPES: Final = (
    tarfile.XHDTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_WINDOWS_BYTES: Final = (BLOCK_BYTES, 1 << 12, 1 << 16, 1 << 20, 1 << 24)
"""How far back headers are looked for: a long name or its attributes may fill many blocks."""


class OpenTar(tarfile.TarFile):
    """A tar whose list of members, which tarfile keeps for its whole life, can be emptied."""

    members: list[tarfile.TarInfo]

    @classmethod
    def over(cls, read_at: ReadAt) -> Self:
        """Lists without decompressing; names that are not UTF-8 carry lone surrogates."""
        file = ForwardFile(read_at)
        return cls(fileobj=file, encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]


class ForwardFile:
    """What tarfile reads headers from: on and on, and never much at once.

    A damaged size may be negative or beyond any file. tarfile would then list the same headers
    without end, or read an archive's whole rest into memory.
    """

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._position = 0
        self._furthest = 0

    def tell(self) -> int:
        """The place of the next byte."""
        return self._position

    def seek(self, position: int) -> int:
        """Goes to `position`.

        Raises:
            tarfile.ReadError: it lies before what was read, or where no file reaches.
        """
        # Before each header tarfile reads the last byte of the member before it.
        if not self._furthest - 1 <= position < 1 << 62:
            raise tarfile.ReadError("a member's size leads nowhere")
        self._position = position
        return position

    def read(self, size_bytes: int) -> bytes:
        """The next bytes of a header.

        Raises:
            tarfile.ReadError: more than a header has.
        """
        if not 0 <= size_bytes <= _HEADER_BYTES:
            raise tarfile.ReadError("a header's size leads nowhere")
        content = self._read_at(self._position, size_bytes)
        self._position += len(content)
        self._furthest = max(self._furthest, self._position)
        return content


def iterate(tar: OpenTar) -> Iterator[tarfile.TarInfo]:
    """The members, one at a time, none of them kept."""
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()


def reason_to_exclude_header(member: tarfile.TarInfo) -> str | None:
    """Why a member of this kind is no input; None where it is one."""
    if member.issym() or member.islnk():
        return exclusion.LINK
    if member.issparse():
        return exclusion.SPARSE
    return None if member.isreg() else exclusion.NOT_A_FILE


def is_member(read_at: ReadAt, offset: int, size_bytes: int, name: str) -> bool:
    """Whether the data at `offset` of an open tar are those of the file `name` of that size.

    A header holds 100 bytes of a name, and what stands there for a longer one, or for one that is
    not ASCII, is up to the writer; the whole name is then in the headers before it.

    Raises:
        OSError: the archive cannot be read.
    """
    for window_bytes in _WINDOWS_BYTES:
        start = max(0, offset - window_bytes)
        blocks = read_at(start, offset - start)
        if len(blocks) < offset - start or len(blocks) % BLOCK_BYTES:
            return False
        for member in _members_ending(blocks):
            fits = reason_to_exclude_header(member) is None and member.size == size_bytes
            if fits and image_id_of(member.name) == name:
                return True
        if start == 0:
            break
    return False


def _members_ending(blocks: bytes) -> Iterator[tarfile.TarInfo]:
    """What the last header says, alone and after each header before it that may extend it."""
    last = len(blocks) - BLOCK_BYTES
    for start in range(last, -1, -BLOCK_BYTES):
        kind = blocks[start + _TYPE_AT : start + _TYPE_AT + 1]
        if start < last and kind not in _EXTENDING_TYPES:
            continue
        try:
            tarfile.TarInfo.frombuf(blocks[start : start + BLOCK_BYTES], "utf-8", "surrogateescape")
            with OpenTar.over(_read_at(blocks[start:])) as tar:
                member = tar.next()
        except UNREADABLE:
            continue
        if member is not None and member.offset_data == len(blocks) - start:
            yield member


def _read_at(content: bytes) -> ReadAt:
    return lambda offset, size_bytes: content[offset : offset + size_bytes]
