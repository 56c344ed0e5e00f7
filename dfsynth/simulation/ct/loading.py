"""Volumes → Hounsfield units in the patient's axes, or one sentence why not."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import ErrorCode
from dfsynth.simulation.ct.volume import CtLimits, CtVolume
from dfsynth.simulation.volumes import CT, VolumeCandidate, read_oriented, refusal

_PATIENT_AXES: Final = "LIA"
"""Columns grow to the left, rows to the feet, planes to the front."""
_HU_RANGE: Final = (-1024, 3071)


def read_volume(candidate: VolumeCandidate, limits: CtLimits) -> CtVolume:
    """Reads one volume and turns it into the patient's axes.

    Raises:
        ImageError: the file is damaged, too large, too coarse, tilted, or not in HU; its text
            names the volume and says why.
        UsageError: SimpleITK is not installed.
    """
    found = read_oriented(candidate, CT, limits, _PATIENT_AXES)
    _check_size(candidate.key, found.values.shape, found.spacing_mm, limits)
    return CtVolume(
        key=candidate.key,
        hu=to_hounsfield(candidate.key, found.values),
        spacing_mm=found.spacing_mm,
        sha256=found.sha256,
        license=candidate.license,
    )


def _check_size(
    key: str, shape: tuple[int, ...], spacing_mm: tuple[float, ...], limits: CtLimits
) -> None:
    rows, step_mm = shape[1], spacing_mm[1]
    if min(spacing_mm) < 0.1 or max(spacing_mm) > limits.thickest_slice_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its voxels measure {' x '.join(f'{s:.3g}' for s in spacing_mm)} mm; expected 0.1 "
            f"to {limits.thickest_slice_mm:g} mm (thick slices blur the lung away)",
        )
    if rows < limits.fewest_slices or rows * step_mm < limits.least_height_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"it covers {rows * step_mm:.0f} mm of the body's length in {counted(rows, 'slice')}; "
            f"at least {limits.least_height_mm:.0f} mm and {limits.fewest_slices} slices hold "
            "whole lungs",
        )


def to_hounsfield(key: str, values: NDArray[Any]) -> NDArray[np.int16]:
    """The values, of any shape, as HU, if they can be: air near −1000 and soft tissue near 0.

    Raises:
        ImageError: they are no HU, or not finite; its text names the volume and says why.
    """
    if not np.issubdtype(values.dtype, np.number):
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, f"its values are {values.dtype}")
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")
    lowest, highest = float(values.min()), float(values.max())
    # Padding outside the field of view may lie far below any HU: it is no air that was measured.
    seen = values[:: max(1, values.shape[0] // 64), ::2, ::2]
    air = float(((seen >= _HU_RANGE[0]) & (seen < -700)).mean())
    tissue = float(((seen > -200) & (seen < 200)).mean())
    clipped = np.clip(values, *_HU_RANGE)
    if lowest > -500 or air < 0.02 or tissue < 0.02:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values run from {lowest:g} to {highest:g} with {air:.0%} like air and "
            f"{tissue:.0%} like soft tissue, so they are not HU; store Hounsfield units (apply "
            "the rescale slope and intercept)",
        )
    return np.ascontiguousarray(np.rint(clipped) if clipped.dtype.kind == "f" else clipped).astype(
        np.int16
    )
