"""Bytes of one file → pixels and facts of one image: a radiograph, or values in a unit."""

from dfsynth.decode.absolute import decode_absolute
from dfsynth.decode.decoder import decode, decode_values
from dfsynth.decode.limits import DecodeLimits, limits_of
from dfsynth.decode.raw import decode_raw

__all__ = ["DecodeLimits", "decode", "decode_absolute", "decode_raw", "decode_values", "limits_of"]
