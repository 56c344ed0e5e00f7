"""Floating-point values with fewer mantissa bits, so that what is noise in them packs well.

As numcodecs' `BitRound` does it, but for NaN, which that makes 0 where a GPU computed it
(findings/bitround-nan-of-gpus.sh); Klöwer et al., Compressing atmospheric data into its real
information content, Nature Computational Science 1, 713 (2021).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MANTISSA_BITS: Final = int(np.finfo(np.float32).nmant)
_AT_A_TIME: Final = 2**15
"""Values whose intermediate results are in memory at once: those of a whole map take three
times its bytes."""


def round_mantissa(values: NDArray[np.float32], keepbits: int) -> None:
    """Rounds float32 values of any shape in place to `keepbits` mantissa bits, 1 to 23.

    To the nearest, ties to even, as IEEE 754 rounds: the relative error of a normal number is at
    most 2^-(keepbits + 1). NaN and infinity stay as they are, to the bit; a finite value beyond the
    largest that is left becomes infinite.

    Raises:
        ValueError: there are no such bits, or the values are not contiguous or of another type.
    """
    dropped = _MANTISSA_BITS - keepbits
    if not 0 <= dropped < _MANTISSA_BITS:
        raise ValueError(f"cannot keep {keepbits} mantissa bits: float32 has {_MANTISSA_BITS}")
    if values.dtype != np.float32 or not values.flags.c_contiguous:
        raise ValueError(f"expected contiguous float32 values, found {values.dtype}")
    if dropped == 0:
        return
    bits = values.reshape(-1).view(np.uint32)
    for start in range(0, bits.size, _AT_A_TIME):
        _round_bits(bits[start : start + _AT_A_TIME], dropped)


def _round_bits(bits: NDArray[np.uint32], dropped: int) -> None:
    special = ~np.isfinite(bits.view(np.float32))
    kept = bits[special] if special.any() else None
    # Half of the last kept bit, less one unit where that bit is 0: a tie then goes to the even one.
    addend = bits >> np.uint32(dropped)
    addend &= np.uint32(1)
    addend += np.uint32((1 << (dropped - 1)) - 1)
    bits += addend
    bits &= np.uint32(0xFFFF_FFFF << dropped & 0xFFFF_FFFF)
    if kept is not None:
        bits[special] = kept
