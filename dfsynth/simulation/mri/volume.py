"""One MR volume as pairs are made of it: transverse slices, square pixels, values near [0, 1]."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from dfsynth.errors import ErrorCode
from dfsynth.records import Float32Map
from dfsynth.simulation.volumes import MR, VolumeCandidate, VolumeLimits, read_oriented, refusal

_TRANSVERSE: Final = "LPS"
"""Columns grow to the left, rows to the back, planes to the head: as radiologists look at them."""
_WHITE_PERCENTILE: Final = 99.5
_MOST_NEGATIVE: Final = 0.01
"""Share of negative voxels that interpolation may have left in magnitudes. [assumed]"""


@dataclass(frozen=True, slots=True, eq=False)
class MrVolume:
    """Magnitudes over the volume's own white, in the patient's axes."""

    values: NDArray[np.float32]
    """(planes, rows, columns): planes from the feet up, rows from front to back, columns from the
    patient's right to the left; 0 and more, the white of the foreground being 1."""
    pixel_mm: float
    """Of rows and columns."""
    plane_mm: float
    """Between planes."""
    size: int
    """Side in pixels of the square in which slices are laid."""
    white: float
    """The value of the file that became 1."""
    threshold: float
    """What tells foreground from background, in the same unit as `values`."""
    sha256: str

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the square where a slice begins."""
        _, rows, columns = self.values.shape
        return (self.size - rows) // 2, (self.size - columns) // 2

    def slice_at(self, index: int) -> Float32Map:
        """Slice `index` in the middle of a square (size, size) of 0."""
        content = self.values[index]
        top, left = self.corner
        square = np.zeros((self.size, self.size), np.float32)
        square[top : top + content.shape[0], left : left + content.shape[1]] = content
        return square


def read_mr_volume(candidate: VolumeCandidate, size: int, limits: VolumeLimits) -> MrVolume:
    """Reads one volume for slices in squares of `size` × `size` pixels.

    Values are divided by the 99.5th percentile of the foreground, which Otsu's threshold (1979)
    of the whole volume tells from the background; nothing is clipped above. Pixels become square,
    as coarse as the coarser of their sides, or as coarse as it takes for a slice to fit: they
    never get finer, since the outer k-space of an image that was enlarged is empty.

    Raises:
        ImageError: the file is damaged, of another shape than a volume, or holds no magnitudes;
            its text names the volume and says why.
        UsageError: SimpleITK is not installed.
    """
    found = read_oriented(candidate, MR, limits, _TRANSVERSE)
    values = _magnitudes(candidate.key, found.values)
    # In one row: columns that are 3 or 4 look like colours, and are warned of.
    threshold = float(threshold_otsu(values.reshape(-1)))  # type: ignore[no-untyped-call]
    foreground = values[values > threshold]
    white = float(np.percentile(foreground, _WHITE_PERCENTILE))
    plane_mm, row_mm, column_mm = found.spacing_mm
    rows, columns = values.shape[1:]
    pixel_mm = max(row_mm, column_mm, rows * row_mm / size, columns * column_mm / size)
    shape = (
        min(round(rows * row_mm / pixel_mm), size),
        min(round(columns * column_mm / pixel_mm), size),
    )
    return MrVolume(
        values=_in_square_pixels(values / np.float32(white), shape),
        pixel_mm=pixel_mm,
        plane_mm=plane_mm,
        size=size,
        white=white,
        threshold=threshold / white,
        sha256=found.sha256,
    )


def _magnitudes(key: str, values: NDArray[np.generic]) -> NDArray[np.float32]:
    """The values as float32 and at least 0, if they can be magnitudes."""
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values are {values.dtype}; expected magnitudes; complex values are not simulated",
        )
    found = values.astype(np.float32)
    if not np.isfinite(found).all():
        raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")
    low, high = float(found.min()), float(found.max())
    if low == high:
        raise refusal(ErrorCode.CONSTANT, key, f"all of its values are {low:g}")
    if (found < 0).mean() > _MOST_NEGATIVE or high <= 0:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values run from {low:g} to {high:g} with {(found < 0).mean():.0%} below 0, so "
            "they are no magnitudes; give images before standardising, and no phases",
        )
    return np.maximum(found, 0)


def _in_square_pixels(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Every plane (rows, columns) averaged over the pixels of `shape`."""
    if values.shape[1:] == shape:
        return values
    resized = [cv2.resize(v, shape[::-1], interpolation=cv2.INTER_AREA) for v in values]
    return np.stack(resized).astype(np.float32, copy=False)
