"""How large a grid of pixels may be, for what is built, trained and read alike."""

from typing import Final

LARGEST_SIDE: Final = 4096
"""In pixels."""
