"""One session as pairs are made of it: transverse slices of CT and PET in one grid."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from dfsynth.errors import ErrorCode
from dfsynth.records import Float32Map
from dfsynth.simulation.ct.loading import to_hounsfield
from dfsynth.simulation.ct.morphology import Mask
from dfsynth.simulation.pet_ct.body import body_overlap, find_body
from dfsynth.simulation.pet_ct.sessions import Session
from dfsynth.simulation.volumes import (
    CT,
    OrientedVolume,
    VolumeCandidate,
    VolumeLimits,
    read_oriented,
    refusal,
)

LEAST_OVERLAP: Final = 0.9
"""Of the bodies in PET and CT: below it one has moved against the other."""
_TRANSVERSE: Final = "LPS"
"""Columns grow to the left, rows to the back, planes to the head: as radiologists look at them."""
_AIR_HU: Final = -1000
_COARSEST_MM: Final = 4.0
"""Pixels in which bodies are compared: in coarser ones a chest's walls are lost."""
_MOST_NEGATIVE: Final = 0.01
"""Share of voxels below 0 that interpolation may have left in a PET. [assumed]"""
_MOST_SUV: Final = 500.0
"""No tissue reaches it; becquerels a millilitre do. [assumed]"""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPet:
    """A PET in the grid of its CT."""

    suv: NDArray[np.float32]
    """(planes, rows, columns), at least 0; 0 where it was not measured."""
    seen: Mask
    """(planes, rows, columns): where it was."""
    corrected: bool
    """Whether for attenuation."""
    overlap: float
    """Dice's, of its body with the CT's."""


@dataclass(frozen=True, slots=True, eq=False)
class PetCtVolume:
    """CT and, where there is one, PET of a session, in the patient's axes and square pixels."""

    hu: NDArray[np.float32]
    """(planes, rows, columns): planes from the feet up, rows from front to back, columns from the
    patient's right to the left."""
    body: Mask
    """(planes, rows, columns): the body in the CT, what it encloses included."""
    pet: MeasuredPet | None
    shape: tuple[int, int]
    """Rows and columns of the slices that are made of it, at most those that it has."""
    pixel_mm: float
    """Of those rows and columns."""
    plane_mm: float
    """Between planes."""
    size: int
    """Side in pixels of the square in which slices are laid."""
    sha256: str
    """Of the CT; with a PET, of both sums."""

    def hu_at(self, index: int) -> Float32Map:
        """HU of slice `index` (size, size), air around it."""
        return self._laid(self.hu[index], _AIR_HU)

    def suv_at(self, index: int) -> Float32Map:
        """SUV of slice `index` (size, size), 0 around it and where nothing was measured."""
        if self.pet is None:
            raise ValueError("the session has no PET")
        return self._laid(self.pet.suv[index], 0)

    def body_at(self, index: int) -> Mask:
        """The body in slice `index` (size, size)."""
        return self._laid(self.body[index].astype(np.float32), 0) > 0.5

    def _laid(self, plane: NDArray[np.float32], outside: float) -> Float32Map:
        """A plane averaged over the pixels of slices, in the middle of a square of `outside`."""
        rows, columns = self.shape
        top, left = (self.size - rows) // 2, (self.size - columns) // 2
        square = np.full((self.size, self.size), outside, np.float32)
        square[top : top + rows, left : left + columns] = _averaged(plane, self.shape)
        return square


def read_session(
    session: Session, size: int, limits: VolumeLimits, *, measured: bool
) -> PetCtVolume:
    """Reads one session for slices in squares of `size` × `size` pixels.

    Slices are the CT's. Their pixels become square, as coarse as the coarser of their sides, or as
    coarse as it takes for a slice to fit, and never finer; HU are averaged over them. The PET, if
    `measured` says that it is wanted, is interpolated between its voxels at their middles.

    Raises:
        ImageError: a file is damaged, of another shape than a volume, or in another unit; or PET
            and CT do not show the body in one place. Its text names the file and says why.
        UsageError: SimpleITK is not installed.
    """
    found = read_oriented(session.ct, CT, limits, _TRANSVERSE)
    hu = to_hounsfield(session.ct.key, found.values)
    plane_mm, row_mm, column_mm = found.spacing_mm
    _check_planes(session.ct.key, plane_mm, limits)
    extent_mm = (hu.shape[1] * row_mm, hu.shape[2] * column_mm)
    finest_mm = max(row_mm, column_mm)
    pixel_mm = max(finest_mm, *(side / size for side in extent_mm))
    grid_mm = max(finest_mm, min(pixel_mm, _COARSEST_MM))
    pixels = (round(extent_mm[0] / grid_mm), round(extent_mm[1] / grid_mm))
    coarse = np.stack([_averaged(plane.astype(np.float32), pixels) for plane in hu])
    body = find_body(coarse, grid_mm)
    if not body.any():
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, session.ct.key, "it shows no body")
    pet, sha256 = None, found.sha256
    if measured and session.pet is not None:
        volume = read_oriented(session.pet, CT, limits, _TRANSVERSE)
        grid = _coarser(found.to_patient_mm, hu.shape, pixels)
        pet = _in_grid(session, volume, grid, body)
        both = bytes.fromhex(found.sha256) + bytes.fromhex(volume.sha256)
        sha256 = hashlib.sha256(both).hexdigest()
    return PetCtVolume(
        hu=coarse,
        body=body,
        pet=pet,
        shape=(
            min(round(extent_mm[0] / pixel_mm), size, pixels[0]),
            min(round(extent_mm[1] / pixel_mm), size, pixels[1]),
        ),
        pixel_mm=pixel_mm,
        plane_mm=plane_mm,
        size=size,
        sha256=sha256,
    )


def _check_planes(key: str, plane_mm: float, limits: VolumeLimits) -> None:
    if plane_mm > limits.thickest_slice_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its planes lie {plane_mm:g} mm apart; at most {limits.thickest_slice_mm:g} mm",
        )


def _averaged(plane: NDArray[np.float32], pixels: tuple[int, int]) -> NDArray[np.float32]:
    """A plane (rows, columns) averaged over as many pixels."""
    if plane.shape == pixels:
        return plane
    return np.asarray(cv2.resize(plane, pixels[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _coarser(
    to_patient_mm: NDArray[np.float64], shape: tuple[int, ...], pixels: tuple[int, int]
) -> NDArray[np.float64]:
    """The same (3, 4) for planes (rows, columns) that are averaged to `pixels`."""
    step = np.array([1.0, shape[1] / pixels[0], shape[2] / pixels[1]])
    matrix = to_patient_mm.copy()
    matrix[:, 3] += to_patient_mm[:, :3] @ ((step - 1) / 2)
    matrix[:, :3] *= step
    return matrix


def _in_grid(
    session: Session, pet: OrientedVolume, grid: NDArray[np.float64], body: Mask
) -> MeasuredPet:
    """The PET in the grid `grid` (3, 4) of the mask `body` (planes, rows, columns).

    Raises:
        ImageError: it is no SUV, or shows the body elsewhere.
    """
    assert session.pet is not None
    values = _to_suv(session.pet, pet.values)
    inverse = np.linalg.inv(pet.to_patient_mm[:, :3])
    matrix = inverse @ grid[:, :3]
    offset = inverse @ (grid[:, 3] - pet.to_patient_mm[:, 3])
    seen = _inside(matrix, offset, values.shape, body.shape)
    suv = affine_transform(values, matrix, offset, body.shape, order=1, mode="nearest")
    suv = np.where(seen, suv, np.float32(0))
    overlap = body_overlap(suv, body, seen)
    if overlap < LEAST_OVERLAP:
        raise refusal(
            ErrorCode.MISALIGNED,
            session.ct.key,
            f"its body and that of {session.pet.key} overlap by {overlap:.3f} (Dice); expected at "
            f"least {LEAST_OVERLAP:g}; register them, or leave the session out",
        )
    return MeasuredPet(suv, seen, session.corrected, overlap)


def _inside(
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, ...],
    grid: tuple[int, ...],
) -> Mask:
    """Which places of a grid (planes, rows, columns) lie within voxels of a volume of `shape`."""
    planes, rows, columns = np.ogrid[: grid[0], : grid[1], : grid[2]]
    inside = np.ones(grid, np.bool_)
    for steps, start, count in zip(matrix, offset, shape, strict=True):
        place = planes * steps[0] + rows * steps[1] + columns * steps[2] + (start + 0.5)
        inside &= (place > -1e-6) & (place < count + 1e-6)
    return inside


def _to_suv(candidate: VolumeCandidate, values: NDArray[Any]) -> NDArray[np.float32]:
    """The values, of any shape, as SUV of at least 0, if they can be."""
    key = candidate.key
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, f"its values are {values.dtype}")
    found = values.astype(np.float32)
    if not np.isfinite(found).all():
        raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")
    low, high = float(found.min()), float(found.max())
    negative = float((found < 0).mean())
    if low == high:
        raise refusal(ErrorCode.CONSTANT, key, f"all of its values are {low:g}")
    if negative > _MOST_NEGATIVE or high > _MOST_SUV:
        raise refusal(
            ErrorCode.WRONG_UNIT,
            key,
            f"its values run from {low:g} to {high:g} with {negative:.0%} below 0; expected SUV, "
            f"0 to at most {_MOST_SUV:g}: divide becquerels a millilitre by the dose a gram",
        )
    return np.maximum(found, 0)
