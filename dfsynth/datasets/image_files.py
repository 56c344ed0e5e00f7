"""Files of one pair → images of the grid: the model input, and the target as it is trained on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dfsynth.datasets.file_values import FileValues, PairValues
from dfsynth.datasets.protocol import PairImages
from dfsynth.decode import DecodeLimits, decode, decode_values
from dfsynth.decode.decoder import check_values
from dfsynth.decode.nifti import read_nifti, starts_like_nifti
from dfsynth.decode.numpy_file import is_numpy, read_numpy
from dfsynth.decode.sniff import Format, sniff
from dfsynth.decode.tiff import read_floating_tiff
from dfsynth.decode.values import image_of_values
from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.preprocess import Decoder, decoder_of, prepare, to_grid, to_unit_range
from dfsynth.records import (
    DecodedImage,
    Float32Map,
    Intensity,
    IntensityRange,
    IntensityWindow,
    ModelInput,
)
from dfsynth.source.reading import read_below
from dfsynth.tasks import DEFAULT_TASK, Task, task_named


@dataclass(frozen=True, slots=True)
class DecodedPair:
    """The files of one pair, decoded and found to be of one size."""

    source: ModelInput
    """The input, on the grid."""
    target: Float32Map | ModelInput
    """(y, x) of its file, in its unit; or on the grid, of grey values that are windowed as those
    of inputs."""
    given: NDArray[np.generic] | None
    """The input's values (y, x) of its file; None where these are grey values."""
    intensity: Intensity
    """How the input's values become the network's."""
    output: IntensityRange | None
    """The scale on which networks give the target; None for its own."""
    declared: tuple[float, float]
    """What the task says of the target's values, in its unit."""

    def images(self) -> PairImages:
        """Gives the maps of the grid."""
        geometry = self.source.geometry
        if isinstance(self.target, ModelInput):
            return PairImages(self.source.image, self.target.image, content=geometry.content)
        signal = to_grid(self.target, geometry)
        padded = np.zeros(self.source.image.shape, np.float32)
        padded[geometry.content] = (
            signal if self.output is None else to_unit_range(signal, self.output)
        )
        return PairImages(self.source.image, padded, content=geometry.content)

    def values(self) -> PairValues:
        """Gives what both files hold, beside what is declared of them."""
        given, held = None, self.intensity
        if self.given is not None:
            declared = (held.low, held.high) if isinstance(held, IntensityRange) else None
            given = FileValues.of(self.given, declared)
        if isinstance(self.target, ModelInput):
            return PairValues(given, None)
        return PairValues(given, FileValues.of(self.target, self.declared))


def decode_pair(
    attenuation: Path,
    dark_field: Path,
    grid: int,
    window: tuple[float, float],
    intensity: Intensity,
    output: IntensityRange | None = None,
    task: Task | None = None,
) -> DecodedPair:
    """Decodes PNG, JPEG, TIFF, DICOM or NumPy files of one pair for a grid of `grid` × `grid`.

    Values of targets are taken as they are where the file holds floating-point numbers, or the
    rescaling of a DICOM header makes some; integers from 0 to the full scale of their format stand
    for `window`. A window in a DICOM header is a way to look at them, and is not applied. But where
    the output is the input's quantity, both of grey values, targets are windowed as inputs are.
    Where the network takes values in a unit, its input is read as `dfsynth.decode.decode_absolute`
    does. With `output`, targets are what a network gives for its values. Messages use the words of
    the task, or those of dark-field radiography.

    Raises:
        UsageError: a file that is missing, damaged, constant or not finite, or two sizes; the
            message names the file.
    """
    task = task or task_named(DEFAULT_TASK)
    nouns = task.input_noun, task.output.noun
    limits = DecodeLimits()
    grey = isinstance(intensity, IntensityWindow)
    decoder = decode_pair_image if grey else decoder_of(intensity)
    with _failures_of(attenuation, nouns[0]):
        data = _read(attenuation, limits)
        decoded = decoder(data, limits)
        source = prepare(decoded, (grid, grid), intensity)
    with _failures_of(dark_field, nouns[1]):
        wanted = _read(dark_field, limits)
        as_input = _is_windowed(wanted, intensity, task)
        target = (
            decode_pair_image(wanted, limits)
            if as_input
            else decode_signal(wanted, limits, task.output.unit)
        )
    if decoded.pixels.shape != target.pixels.shape:
        found = " and ".join("×".join(map(str, x.pixels.shape)) for x in (decoded, target))
        raise UsageError(
            f"{nouns[0]} {attenuation.name} and {nouns[1]} {dark_field.name} have {found} pixels "
            f"(height × width); expected equal sizes; register the {nouns[1]} to the {nouns[0]}"
        )
    _require_contrast(f"{nouns[0]} {attenuation.name}", source, intensity)
    given = None if grey and _holds_grey(data, decoded) else decoded.pixels
    declared = task.output.intensity or window
    if as_input and _holds_grey(wanted, target):
        shown = prepare(target, (grid, grid), intensity)
        _require_contrast(f"{nouns[1]} {dark_field.name}", shown, intensity)
        return DecodedPair(source, shown, given, intensity, output, declared)
    return DecodedPair(source, _signal(target, window), given, intensity, output, declared)


def decode_pair_image(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes what radiographs come in, and NumPy arrays and TIFF of floating-point numbers (y, x).

    Raises:
        ImageError: whatever is wrong with the file.
    """
    return _decode_with(decode, data, limits)


def decode_signal(data: bytes, limits: DecodeLimits, unit: str = "1") -> DecodedImage:
    """Decodes the same formats for their values: windows of DICOM, a way to look, are left aside.

    So does it NIfTI of one slice, whose scaled values are taken to be in `unit`.

    Raises:
        ImageError: whatever is wrong with the file.
    """
    if starts_like_nifti(data):
        return read_nifti(data, limits, IntensityRange(0.0, 1.0, unit))
    return _decode_with(decode_values, data, limits)


def _decode_with(decoder: Decoder, data: bytes, limits: DecodeLimits) -> DecodedImage:
    if is_numpy(data):
        return _of_floats(read_numpy(data, limits))
    try:
        return decoder(data, limits)
    except ImageError as error:
        # Of radiographs there are none in floating-point numbers, of measured signals many.
        if error.code != ErrorCode.UNSUPPORTED_FORMAT or sniff(data) != Format.TIFF:
            raise
        floating = read_floating_tiff(data, limits)
        if floating is None:
            raise
        return _of_floats(floating)


def _read(path: Path, limits: DecodeLimits) -> bytes:
    return read_below(path.parent, path.name, limits.max_bytes)


@contextmanager
def _failures_of(path: Path, what: str) -> Iterator[None]:
    """Names the file in the message of what is wrong with it."""
    try:
        yield
    except ImageError as error:
        raise UsageError(f"{what} {path.name}: {error}") from error


def _is_windowed(data: bytes, intensity: Intensity, task: Task) -> bool:
    """Whether grey values in the file of a target become what they would as an input.

    So that one and the same image is the same at both ends of a network.
    """
    grey = isinstance(intensity, IntensityWindow)
    return grey and task.output.quantity == "input" and not starts_like_nifti(data)


def _require_contrast(what: str, image: ModelInput, intensity: Intensity) -> None:
    if isinstance(intensity, IntensityWindow) and not image.image.any():
        raise UsageError(
            f"{what} has no contrast between its percentiles {intensity.low_percentile:g} and "
            f"{intensity.high_percentile:g}; leave the pair out"
        )


def _holds_grey(data: bytes, image: DecodedImage) -> bool:
    """Whether a file holds whole numbers, which DICOM rescales to others at times."""
    if not np.issubdtype(image.pixels.dtype, np.floating):
        return True
    return not is_numpy(data) and sniff(data) == Format.DICOM


def _signal(target: DecodedImage, window: tuple[float, float]) -> Float32Map:
    if np.issubdtype(target.pixels.dtype, np.floating):
        return np.asarray(target.pixels, np.float32)
    low, high = window
    share = (target.pixels.astype(np.float32) - target.low) / (target.high - target.low)
    return np.asarray(low + (high - low) * share, np.float32)


def _of_floats(pixels: NDArray[np.floating]) -> DecodedImage:
    image = image_of_values(pixels)
    check_values(image)
    return image
