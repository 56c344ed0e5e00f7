"""Whether a radiograph shows both lungs whole, as a target of restoration shall."""

from typing import Final

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.lung_segmentation import LungRegions

_MOST_OF_EDGE: Final = 0.3
"""Share of an edge that lung fields may take: a rib cage is often cut by a little [assumed]."""
_RIM_PX: Final = 2


def require_whole_lungs(lungs: LungRegions, content: tuple[slice, slice]) -> None:
    """Requires lung fields to end within the image, but for a little of them.

    Args:
        lungs: what was found.
        content: rows and columns that are not padding.

    Raises:
        ImageError: the image is cropped.
    """
    field = lungs.field[content]
    edges = {
        "upper": field[:_RIM_PX].any(axis=0),
        "lower": field[-_RIM_PX:].any(axis=0),
        "left": field[:, :_RIM_PX].any(axis=1),
        "right": field[:, -_RIM_PX:].any(axis=1),
    }
    for name, taken in edges.items():
        if taken.mean() > _MOST_OF_EDGE:
            raise ImageError(
                ErrorCode.NOT_A_CHEST,
                f"the image is cropped: lung takes {taken.mean():.0%} of its {name} edge, expected "
                f"at most {_MOST_OF_EDGE:.0%}",
            )
