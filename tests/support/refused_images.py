"""How an image that is refused was refused."""

import pytest

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode, ImageError


def code_of(data: bytes, limits: DecodeLimits | None = None) -> ErrorCode:
    """The code of the error that decoding gives; none is a failure."""
    with pytest.raises(ImageError) as caught:
        decode(data, limits or DecodeLimits())
    return caught.value.code
