"""Bytes with their crc32c behind them, and what is said of bytes that do not match."""

from typing import Final

import google_crc32c

from dfsynth.errors import StoreError

CRC_BYTES: Final = 4


class DamagedBytesError(ValueError):
    """Bytes that do not match their checksum; the message says how."""


def crc32c(data: bytes) -> int:
    """The crc32c (Castagnoli) of `data`, 0 to 2³² − 1."""
    return int(google_crc32c.value(data))


def with_checksum(data: bytes) -> bytes:
    """`data` followed by its crc32c, as the Zarr codec `crc32c` writes it."""
    return data + crc32c(data).to_bytes(CRC_BYTES, "little")


def without_checksum(data: bytes) -> bytes:
    """`data` without the crc32c at its end.

    Raises:
        DamagedBytesError: the checksum does not match, or there is no room for one.
    """
    if len(data) < CRC_BYTES:
        raise DamagedBytesError(f"holds {len(data)} bytes, too few for a checksum")
    body = data[:-CRC_BYTES]
    stored = int.from_bytes(data[-CRC_BYTES:], "little")
    found = crc32c(body)
    if found != stored:
        raise DamagedBytesError(f"has crc32c {found:08x} where {stored:08x} was written")
    return body


def damage(what: str, found: str) -> StoreError:
    """The error for stored bytes that are not those that were written."""
    return StoreError(f"{what} is damaged: {found}; run dfsynth verify with --repair")
