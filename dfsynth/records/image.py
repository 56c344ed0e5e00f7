"""One radiograph on its way to a generator: SourceItem → DecodedImage → ModelInput."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.records.maps import Float32Map


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One input as the plan names it: where it lies, and what its corpus says of it."""

    row: int
    shard: int
    image_id: str
    uri: str
    """Relative to the source's root, with `/`; inside an archive, the member's name.

    Of archives or Parquet shards below a root: the container's path, `//`, and the member there.
    """
    offset: int | None = None
    """First byte inside a tar, of what a gzip inflates to; null elsewhere."""
    size_bytes: int | None = None
    """Length inside a tar; null elsewhere."""
    patient_id: str | None = None
    view: str | None = None
    sex: str | None = None
    age: float | None = None
    findings: tuple[str, ...] | None = None
    """What the image has, as its corpus says."""
    findings_negative: tuple[str, ...] | None = None
    """What it has not."""
    findings_uncertain: tuple[str, ...] | None = None
    """What it may have."""
    split: str | None = None
    width_mm: float | None = None
    """Width of the whole image at the detector, if the corpus says so."""
    height_mm: float | None = None
    pixel_mm: float | None = None
    """Pixel pitch, if the corpus says so."""


@dataclass(frozen=True, slots=True)
class RawLayout:
    """How a file of bare pixels is to be read, which holds no word on it."""

    width: int
    """In pixels, as is the next."""
    height: int
    bits: int
    """Bits in use, 1 to 16; 8 and fewer take one byte a pixel, more take two."""
    big_endian: bool
    inverted: bool
    """Whether the lowest value is white (MONOCHROME1)."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Pixels of one image: of a radiograph grey and dense-is-bright, else values in their unit."""

    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    """(y, x), finite; of radiographs, dense tissue bright."""
    low: float
    """The value that the format's range starts with (black)."""
    high: float
    """The value that the format's range ends with (white)."""
    bits: int
    """Bits stored per sample in the file."""
    photometric: str
    """MONOCHROME1, MONOCHROME2, RGB, RGBA, PALETTE, …: as the file says."""
    pixel_mm: float | None
    """Pixel pitch, geometric mean of both axes; null where the file does not say."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a file says of its image; the pixels are gone by then."""

    width: int
    height: int
    bits: int
    """Bits stored per sample."""
    photometric: str
    pixel_mm: float | None
    """Pixel pitch; null where neither file nor corpus tells."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where an image lies in the model's grid: grid = source × scale + offset, pixel edges."""

    source_height: int
    source_width: int
    grid_height: int
    grid_width: int
    top: int
    left: int
    height: int
    """Rows of the grid that hold the image; the rest is padding."""
    width: int

    @property
    def scale_y(self) -> float:
        return self.height / self.source_height

    @property
    def scale_x(self) -> float:
        return self.width / self.source_width

    @property
    def content(self) -> tuple[slice, slice]:
        """The image inside the grid, as (y, x) slices."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One image in the model's grid."""

    image: Float32Map
    """(y, x) of the grid; padding is 0. Of an `IntensityWindow` in [0, 1], dense is bright; of an
    `IntensityRange` any finite values."""
    geometry: Geometry
    pixel_mm: float | None
    """Pitch of the source's pixels."""
    flags: tuple[str, ...]
    """Remarks on the grey values, of `IMAGE_FLAGS`."""
