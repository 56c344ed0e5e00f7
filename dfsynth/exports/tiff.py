"""TIFF of 16 bits or float32: a folder a map, and in each file what its numbers stand for.

The description is as ImageJ writes it, so that ImageJ and Fiji show values and not numbers, in the
window of the map; a line `dfsynth=…` of it is a JSON object for everybody else.
"""

import io
import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import tifffile

from dfsynth.exports.export import (
    SOFTWARE,
    Export,
    ExportImage,
    StoredNumbers,
    describe_map,
    store_numbers,
)
from dfsynth.exports.folder_format import FilesOfImages
from dfsynth.exports.maps import MapFacts
from dfsynth.exports.pixel_size import pixel_size_mm
from dfsynth.exports.png import map_folders
from dfsynth.exports.scale import LinearScale

_STRAIGHT_LINE: Final = 0
"""ImageJ's `ij.measure.Calibration.STRAIGHT_LINE`: value = c0 + c1 × stored."""


def encode_tiffs(export: Export, image: ExportImage) -> Iterator[bytes]:
    """The TIFF of each map of an image, uncompressed, so that files can be mapped to memory."""
    size_mm = pixel_size_mm(export, image)
    resolution: dict[str, Any] = {}
    if size_mm is not None:
        per_cm = tuple(10 / length for length in reversed(size_mm))
        resolution = {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
    for facts in export.maps:
        values = image.maps[facts.name]
        if export.dtype == "float32":
            stored = StoredNumbers(values.astype(np.float32), LinearScale(1.0, 0.0))
        else:
            stored = store_numbers(facts, values)
        stream = io.BytesIO()
        tifffile.imwrite(
            stream,
            stored.numbers,
            photometric="minisblack",
            description=_description(export, image, facts, stored),
            metadata=None,
            software=SOFTWARE,
            **resolution,
        )
        yield stream.getvalue()


def _description(export: Export, image: ExportImage, facts: MapFacts, stored: StoredNumbers) -> str:
    """Lines of `name=value`, ASCII, of which ImageJ takes those that it knows."""
    scale = stored.scale
    low, high = ((limit - scale.offset) / scale.scale for limit in facts.window)
    lines = [
        "ImageJ=1.54f",
        f"cf={_STRAIGHT_LINE}",
        f"c0={scale.offset}",
        f"c1={scale.scale}",
        f"vunit={facts.unit}",
        f"min={low:.6g}",
        f"max={high:.6g}",
    ]
    if stored.numbers.dtype != np.uint16:
        # Numbers that are values need no line, and ImageJ calibrates no floats.
        del lines[1:5]
    said = describe_map(export, image, facts)
    document = {**said, "scale": scale.scale, "offset": scale.offset}
    return "\n".join([*lines, f"dfsynth={json.dumps(document)}", ""])


TIFF: Final = FilesOfImages(
    name="tiff",
    dtypes=("uint16", "float32"),
    folders=map_folders,
    paths=lambda export, stem: tuple(f"{facts.name}/{stem}.tif" for facts in export.maps),
    encode=encode_tiffs,
)
