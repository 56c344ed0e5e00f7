"""Group norm as all backbones have it: eight channels a group, which no batch changes."""

from collections.abc import Sequence
from typing import Final

from torch import nn

GROUP_CHANNELS: Final = 8
"""Channels of one group."""


def group_norm(width: int) -> nn.GroupNorm:
    """Makes the norm of maps of `width` channels, a multiple of `GROUP_CHANNELS`."""
    return nn.GroupNorm(width // GROUP_CHANNELS, width)


def require_widths(widths: Sequence[int]) -> None:
    """Requires channels from fine to coarse that a U-Net with these norms can have.

    Raises:
        ValueError: there are fewer than two widths, or one is no multiple of 8.
    """
    if len(widths) < 2 or any(width % GROUP_CHANNELS for width in widths):
        raise ValueError(
            f"expected at least two widths, each a multiple of {GROUP_CHANNELS}, "
            f"found {tuple(widths)}"
        )
