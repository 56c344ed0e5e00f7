"""What a gzip holds, read at any place: inflated forward, and from states that were kept."""

import zlib
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from dfsynth.files.ranges import ReadAt

if TYPE_CHECKING:
    from zlib import _Decompress

_INPUT_BYTES: Final = 1 << 16
_BLOCK_BYTES: Final = 1 << 20
"""Most bytes inflated at once, however much a few bytes expand to."""
_RECENT_BYTES: Final = 1 << 25
"""What was inflated last is kept: threads ask for members in almost their order."""
_FIRST_SPACING_BYTES: Final = 1 << 24
_MOST_STATES: Final = 256
"""Of about 40 kB each."""
_GZIP: Final = 31  # a window of 32 kB, with gzip's header and checksum


@dataclass(frozen=True, slots=True)
class _State:
    """A place from which inflating can go on."""

    inflated: int
    read: int
    inflater: "_Decompress"


class GzipStream:
    """The content of a gzip; safe from any thread.

    Reading on is as fast as zlib is. Reading back starts at the nearest state that was kept on
    the way; there are at most `_MOST_STATES`, evenly spaced, whatever the length of the stream.
    """

    def __init__(self, read_at: ReadAt) -> None:
        """Reads nothing yet; `read_at` gives what is compressed, to one thread at a time."""
        self._read_at = read_at
        self._lock = Lock()
        self._states = [_State(0, 0, zlib.decompressobj(_GZIP))]
        self._spacing = _FIRST_SPACING_BYTES
        self._recent: deque[tuple[int, bytes]] = deque()
        self._resume(self._states[0])

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """Bytes [offset, offset + size_bytes) of the content, fewer where it ends before.

        Raises:
            OSError: the file cannot be read.
            EOFError: the gzip is cut off.
            zlib.error: it is damaged.
        """
        with self._lock:
            self._approach(offset)
            parts: list[bytes] = []
            place, end = offset, offset + size_bytes
            blocks = list(self._recent)
            while place < end:
                start, block = blocks.pop(0) if blocks else self._inflate()
                if not block:
                    break
                part = block[place - start : end - start]
                parts.append(part)
                place += len(part)
            return parts[0] if len(parts) == 1 else b"".join(parts)

    def size(self) -> int:
        """Length of the content in bytes; inflates what is left of it, and so checks it.

        Raises:
            OSError, EOFError, zlib.error: as `read_at`.
        """
        with self._lock:
            while self._inflate()[1]:
                pass
            return self._inflated

    def _approach(self, offset: int) -> None:
        """Goes to where the recent blocks, or the next one, hold `offset`."""
        first = self._recent[0][0] if self._recent else self._inflated
        nearest = self._states[bisect_right(self._states, offset, key=lambda s: s.inflated) - 1]
        if offset < first or nearest.inflated > self._inflated:
            self._resume(nearest)
        while self._inflated <= offset and self._inflate()[1]:
            pass

    def _resume(self, state: _State) -> None:
        self._recent.clear()
        self._recent_bytes = 0
        self._inflated = state.inflated
        self._inflater = state.inflater.copy()
        self._input = b""
        self._read = state.read

    def _inflate(self) -> tuple[int, bytes]:
        """The next block and its place; an empty one at the end."""
        start = self._inflated
        while True:
            if not self._input:
                self._keep_state()
                self._input = self._read_at(self._read, _INPUT_BYTES)
                self._read += len(self._input)
            ended = not self._input
            if self._inflater.eof:
                # A gzip may be many, one after the other; zeros may fill it up behind the last.
                self._input = self._input.lstrip(b"\0")
                if self._input:
                    self._inflater = zlib.decompressobj(_GZIP)
                elif ended:
                    return start, b""
                continue
            block = self._inflater.decompress(self._input, _BLOCK_BYTES)
            self._input = self._inflater.unconsumed_tail or self._inflater.unused_data
            if block:
                self._remember(start, block)
                return start, block
            if ended and not self._inflater.eof:
                raise EOFError("the gzip is cut off")

    def _remember(self, start: int, block: bytes) -> None:
        self._inflated = start + len(block)
        self._recent.append((start, block))
        self._recent_bytes += len(block)
        while self._recent_bytes > _RECENT_BYTES:
            self._recent_bytes -= len(self._recent.popleft()[1])

    def _keep_state(self) -> None:
        if self._inflater.eof or self._inflated < self._states[-1].inflated + self._spacing:
            return
        self._states.append(_State(self._inflated, self._read, self._inflater.copy()))
        if len(self._states) > _MOST_STATES:
            del self._states[1::2]
            self._spacing *= 2
