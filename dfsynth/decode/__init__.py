"""Bytes of one file → pixels and facts of one radiograph."""

from dfsynth.decode.decoder import decode, decode_values
from dfsynth.decode.limits import DecodeLimits, limits_of

__all__ = ["DecodeLimits", "decode", "decode_values", "limits_of"]
