"""Where the image of a manifest row lies in the store's grid."""

from collections.abc import Mapping
from typing import Any

from dfsynth.records import Geometry


def geometry_of(line: Mapping[str, Any], size: tuple[int, int]) -> Geometry:
    """The geometry that a finished row of a manifest of images describes.

    Args:
        line: The row's columns by name: width, height, scale_y, scale_x, offset_y, offset_x.
        size: (height, width) of the grid in pixels.
    """
    return Geometry(
        source_height=line["height"],
        source_width=line["width"],
        grid_height=size[0],
        grid_width=size[1],
        top=int(line["offset_y"]),
        left=int(line["offset_x"]),
        height=round(line["height"] * line["scale_y"]),
        width=round(line["width"] * line["scale_x"]),
    )
