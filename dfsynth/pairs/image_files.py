"""Files of one pair → images of the grid, as generators take them and as they are learned."""

from pathlib import Path

import imagecodecs
import numpy as np

from dfsynth.decode import DecodeLimits, decode
from dfsynth.decode.limits import CODEC_ERRORS
from dfsynth.decode.sniff import Format, sniff
from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.pairs.protocol import PairImages
from dfsynth.preprocess import letterbox, prepare, to_grid
from dfsynth.records import DecodedImage, Float32Map, IntensityWindow
from dfsynth.source.reading import read_below


def read_pair(
    attenuation: Path,
    dark_field: Path,
    grid: int,
    window: tuple[float, float],
    intensity: IntensityWindow,
) -> PairImages:
    """Reads PNG, JPEG, TIFF or DICOM files of one pair into a grid of `grid` × `grid`.

    Dark-field values are taken as they are where the file holds floating-point numbers; integers
    from 0 to the full scale of their format stand for `window`.

    Raises:
        UsageError: a file that is missing, damaged, constant or not finite, or two sizes; the
            message names the file.
    """
    radiograph, target = _read_picture(attenuation), _read_picture(dark_field)
    if radiograph.pixels.shape != target.pixels.shape:
        sizes = " and ".join("×".join(map(str, p.pixels.shape)) for p in (radiograph, target))
        raise UsageError(
            f"{attenuation.name} and {dark_field.name} have {sizes} pixels (height × width); "
            "expected equal sizes; register the dark-field image to the radiograph"
        )
    found = prepare(radiograph, (grid, grid), intensity)
    if not found.image.any():
        raise UsageError(
            f"{attenuation.name} has no contrast between its percentiles "
            f"{intensity.low_percentile:g} and {intensity.high_percentile:g}; leave the pair out"
        )
    geometry = letterbox((target.pixels.shape[0], target.pixels.shape[1]), (grid, grid))
    padded = np.zeros((grid, grid), np.float32)
    padded[geometry.content] = to_grid(_signal(target, window), geometry)
    return PairImages(found.image, padded, content=geometry.content)


def _signal(target: DecodedImage, window: tuple[float, float]) -> Float32Map:
    if np.issubdtype(target.pixels.dtype, np.floating):
        return np.asarray(target.pixels, np.float32)
    low, high = window
    share = (target.pixels.astype(np.float32) - target.low) / (target.high - target.low)
    return np.asarray(low + (high - low) * share, np.float32)


def _read_picture(path: Path) -> DecodedImage:
    limits = DecodeLimits()
    try:
        data = read_below(path.parent, path.name, limits.max_bytes)
        try:
            return decode(data, limits)
        except ImageError as error:
            # Of radiographs there are none in floating-point numbers, of measured signals many.
            if error.code != ErrorCode.UNSUPPORTED_FORMAT or sniff(data) != Format.TIFF:
                raise
            floating = _read_floating_tiff(data)
            if floating is None:
                raise
            return floating
    except ImageError as error:
        raise UsageError(f"{path.name}: {error}") from error


def _read_floating_tiff(data: bytes) -> DecodedImage | None:
    """None where the file holds no single grey picture of floating-point numbers."""
    try:
        pixels = imagecodecs.tiff_decode(data)
    except CODEC_ERRORS:
        return None
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    if pixels.ndim != 2 or not np.issubdtype(pixels.dtype, np.floating):
        return None
    with np.errstate(over="ignore"):
        values = pixels.astype(np.float32)
    if not np.isfinite(values).all():
        raise ImageError(
            ErrorCode.NON_FINITE,
            f"{np.count_nonzero(~np.isfinite(values))} pixels are not finite as float32; finite "
            "ones were expected; fill them, or leave the pair out",
        )
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise ImageError(
            ErrorCode.CONSTANT,
            f"every pixel has the same value, {low:g}; a picture with contrast was expected; "
            "leave the pair out",
        )
    bits = 8 * pixels.dtype.itemsize
    return DecodedImage(values, low, high, bits, "MONOCHROME2", None)
