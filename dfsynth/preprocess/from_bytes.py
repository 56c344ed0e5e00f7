"""The bytes of an image file → a model input: the one place where decoding and geometry meet."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dfsynth.decode import DecodeLimits, decode
from dfsynth.preprocess.model_input import prepare
from dfsynth.records import DecodedImage, ImageFacts, IntensityWindow, ModelInput


@dataclass(frozen=True, slots=True)
class ModelInputReader:
    """Decodes image files into one grid; safe to share between threads."""

    grid: tuple[int, int]
    """(height, width) of the model's input."""
    window: IntensityWindow
    """Percentiles of the grey values that become 0 and 1."""
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    """Largest file and largest image that are decoded."""
    decode: Callable[[bytes, DecodeLimits], DecodedImage] = decode
    """What decodes a file; pairs for training may have formats that no archive has."""

    def __call__(
        self,
        data: bytes,
        field_mm: tuple[float, float] | None = None,
        pixel_mm: float | None = None,
    ) -> tuple[ImageFacts, ModelInput]:
        """Decodes one file and letterboxes it into the grid.

        Args:
            data: the whole file: PNG, JPEG, TIFF or DICOM.
            field_mm: (height, width) of the whole image at the detector, where the corpus tells;
                used for the pixel pitch where the file itself does not say it.
            pixel_mm: the pixel pitch, where the corpus tells; it goes before the field.

        Returns:
            What the file says of its image, and the image (y, x) float32 in [0, 1] of the grid,
            dense bright, padding 0.

        Raises:
            ImageError: whatever is wrong with the file.
        """
        return self.fit(self.decode(data, self.limits), field_mm, pixel_mm)

    def fit(
        self,
        decoded: DecodedImage,
        field_mm: tuple[float, float] | None = None,
        pixel_mm: float | None = None,
    ) -> tuple[ImageFacts, ModelInput]:
        """Letterboxes pixels (y, x) that are decoded already into the grid; see the call."""
        facts = _facts_of(decoded, field_mm, pixel_mm)
        return facts, prepare(replace(decoded, pixel_mm=facts.pixel_mm), self.grid, self.window)


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
