"""Reads parts of open files, without a position that threads would share."""

import os


def read_range(descriptor: int, size_bytes: int, offset: int) -> bytes:
    """Up to `size_bytes` from `offset`: fewer only at the end of the file.

    Raises:
        OSError: the system refuses.
    """
    pieces: list[bytes] = []
    while size_bytes > 0:
        piece = os.pread(descriptor, size_bytes, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size_bytes -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
