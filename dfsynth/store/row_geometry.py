"""Where the image of a row lies in the grid, from what its manifest row says."""

from collections.abc import Mapping
from typing import Any

from dfsynth.records import Geometry
from dfsynth.store.build_record import BuildRecord


def geometry_of(record: BuildRecord, line: Mapping[str, Any]) -> Geometry:
    """The letterbox of an image that did not fail, by its row of the manifest."""
    height, width = record.fingerprint.size
    return Geometry(
        source_height=line["height"],
        source_width=line["width"],
        grid_height=height,
        grid_width=width,
        top=int(line["offset_y"]),
        left=int(line["offset_x"]),
        height=round(line["height"] * line["scale_y"]),
        width=round(line["width"] * line["scale_x"]),
    )


def content_of(record: BuildRecord, line: Mapping[str, Any]) -> tuple[slice, slice]:
    """The (y, x) slices of the grid that hold the image of a row; all of it where it failed."""
    if line["status"] != "ok":
        return slice(None), slice(None)
    return geometry_of(record, line).content
