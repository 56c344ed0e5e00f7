"""Whole radiographs of real archives; needs the collection of real files."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from dfsynth.decode import decode
from dfsynth.records import DecodedImage

pytestmark = pytest.mark.slow


def read(folder: Path, name: str) -> DecodedImage:
    return decode((folder / "cxr-dicom" / f"{name}.dcm").read_bytes())


def test_six_encodings_of_one_radiograph_agree(shared_data: Path) -> None:
    reference = read(shared_data, "wg04_RG2_hip_RLE").pixels
    for name in ("J2KR", "JLSL", "JPLL"):
        np.testing.assert_array_equal(read(shared_data, f"wg04_RG2_hip_{name}").pixels, reference)
    for name, mean, largest in (
        ("JLSN", 3e-3, 6e-3),
        ("JPLY_12bit_jpeg_extended", 1e-2, 0.12),
    ):
        apart = np.abs(read(shared_data, f"wg04_RG2_hip_{name}").pixels - reference)
        assert apart.mean() < mean
        assert apart.max() < largest


@pytest.mark.parametrize(
    "name",
    ["gdcm_CR-MONO1-10-chest", "nih_DX_chest_implicit_le", "pylibjpeg_966_fixed_DX_chest_J2K"],
)
def test_the_spine_is_brighter_than_the_lungs(shared_data: Path, name: str) -> None:
    image = read(shared_data, name)
    height, width = image.pixels.shape
    band = image.pixels[height // 4 : height // 2]
    spine = band[:, int(0.47 * width) : int(0.53 * width)].mean()
    assert spine > band[:, int(0.2 * width) : int(0.35 * width)].mean()


def test_a_wrong_declaration_is_taken_at_its_word(shared_data: Path) -> None:
    """Stored inverted, declared MONOCHROME2: it comes out inverted, in its natural range."""
    image = read(shared_data, "pylibjpeg_DX_J2KLossless_16bit")
    assert (image.low, image.high, image.pixel_mm) == (0, 65535, 0.4)
    assert image.pixels.min() == 32744


def test_png_radiographs_equal_a_plain_decode(shared_data: Path) -> None:
    paths = sorted((shared_data / "cxr").glob("*.png"))[::20]
    assert len(paths) > 10
    for path in paths:
        data = path.read_bytes()
        plain = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(decode(data).pixels, plain)
