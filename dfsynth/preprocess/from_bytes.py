"""The bytes of an image file → a model input: the one place where decoding and geometry meet."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from dfsynth.decode import DecodeLimits, decode, decode_absolute
from dfsynth.preprocess.model_input import prepare
from dfsynth.records import DecodedImage, ImageFacts, Intensity, IntensityRange, ModelInput

Decoder: TypeAlias = Callable[[bytes, DecodeLimits], DecodedImage]


def decoder_of(intensity: Intensity) -> Decoder:
    """What decodes the files of a convention: grey values, or values in its unit."""
    if isinstance(intensity, IntensityRange):
        return partial(decode_absolute, expected=intensity)
    return decode


@dataclass(frozen=True, slots=True)
class ModelInputReader:
    """Decodes image files into one grid; safe to share between threads."""

    grid: tuple[int, int]
    """(height, width) of the model's input."""
    intensity: Intensity
    """How values become the model's."""
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    """Largest file and largest image that are decoded."""
    decode: Decoder | None = None
    """What decodes a file, where that is not `decoder_of` the convention: pairs for training may
    have formats that no archive has."""

    def __call__(
        self,
        data: bytes,
        field_mm: tuple[float, float] | None = None,
        pixel_mm: float | None = None,
    ) -> tuple[ImageFacts, ModelInput]:
        """Decodes one file and letterboxes it into the grid.

        Args:
            data: the whole file: PNG, JPEG, TIFF or DICOM; of values in a unit, float TIFF,
                NumPy, NIfTI or DICOM.
            field_mm: (height, width) of the whole image at the detector, where the corpus tells;
                used for the pixel pitch where the file itself does not say it.
            pixel_mm: the pixel pitch, where the corpus tells; it goes before the field.

        Returns:
            What the file says of its image, and the model input; see `ModelInput`.

        Raises:
            ImageError: whatever is wrong with the file.
        """
        decoder = self.decode or decoder_of(self.intensity)
        return self.fit(decoder(data, self.limits), field_mm, pixel_mm)

    def fit(
        self,
        decoded: DecodedImage,
        field_mm: tuple[float, float] | None = None,
        pixel_mm: float | None = None,
    ) -> tuple[ImageFacts, ModelInput]:
        """Letterboxes pixels (y, x) that are decoded already into the grid; see the call."""
        facts = _facts_of(decoded, field_mm, pixel_mm)
        return facts, prepare(replace(decoded, pixel_mm=facts.pixel_mm), self.grid, self.intensity)


def _facts_of(
    image: DecodedImage, field_mm: tuple[float, float] | None, pitch_mm: float | None
) -> ImageFacts:
    """The pixel pitch comes from the file, else from the pitch or field that the corpus tells."""
    height, width = image.pixels.shape
    pixel_mm = pitch_mm if image.pixel_mm is None else image.pixel_mm
    if pixel_mm is None and field_mm is not None:
        # Some archives stretch images to a square: the geometric mean keeps areas true.
        pixel_mm = ((field_mm[1] / width) * (field_mm[0] / height)) ** 0.5
    return ImageFacts(width, height, image.bits, image.photometric, pixel_mm)
