"""Values in a unit come through every format as they are, and grey values are refused."""

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from value_files import (
    HOUNSFIELD,
    PER_METRE,
    ct_bytes,
    numpy_bytes,
    slice_values,
    tiff_bytes,
    write_nifti,
)

from dfsynth.decode import DecodeLimits, decode_absolute
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage, IntensityRange

LIMITS = DecodeLimits()


def read(data: bytes, expected: IntensityRange = PER_METRE) -> DecodedImage:
    return decode_absolute(data, LIMITS, expected)


def refusal(
    data: bytes, expected: IntensityRange = PER_METRE, limits: DecodeLimits = LIMITS
) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode_absolute(data, limits, expected)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_floating_tiff_is_taken_as_it_is(
    dtype: type[np.floating[Any]], options: dict[str, object]
) -> None:
    values: np.ndarray = slice_values().astype(dtype)
    assert values.min() < 0
    image = read(tiff_bytes(values, photometric="minisblack", **options))
    np.testing.assert_array_equal(image.pixels, values.astype(np.float32))
    assert image.pixels.dtype == np.float32
    assert (image.low, image.high) == (values.min(), values.max())
    assert image.bits == 8 * values.itemsize


def test_floating_tiff_is_never_turned() -> None:
    values = slice_values()
    image = read(tiff_bytes(values, photometric="miniswhite"))
    np.testing.assert_array_equal(image.pixels, values)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4"])
@pytest.mark.parametrize("shape", [(24, 20), (1, 24, 20), (24, 20, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_files_are_taken_as_they_are(
    dtype: str, shape: tuple[int, ...], order: Literal["C", "F"]
) -> None:
    values = slice_values()
    stored = values.reshape(shape).astype(dtype, order=order)
    image = read(numpy_bytes(stored))
    np.testing.assert_array_equal(image.pixels, values)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("values", [slice_values(), slice_values()[None]])
def test_a_nifti_file_of_one_slice_is_one_image(
    tmp_path: Path, name: str, values: np.ndarray
) -> None:
    image = read(write_nifti(tmp_path / name, values).read_bytes())
    np.testing.assert_array_equal(image.pixels, values.reshape(24, 20))
    assert image.pixel_mm == pytest.approx(1.5)


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_values_are_scaled_as_the_header_says(tmp_path: Path, order: str) -> None:
    stored = np.arange(480, dtype=np.int16).reshape(24, 20)
    content = bytearray(write_nifti(tmp_path / "a.nii", stored).read_bytes())
    struct.pack_into("<2f", content, 112, 0.5, -100.0)
    if order == ">":
        content = swapped(content)
    np.testing.assert_array_equal(read(bytes(content)).pixels, stored * 0.5 - 100)


def swapped(content: bytearray) -> bytearray:
    """The same NIfTI file of int16 in the other byte order, as far as it is read."""
    for layout, offset in (
        ("i", 0),
        ("8h", 40),
        ("2h", 70),
        ("11f", 76),
        ("2h", 252),
        ("18f", 256),
    ):
        struct.pack_into(
            f">{layout}", content, offset, *struct.unpack_from(f"<{layout}", content, offset)
        )
    content[352:] = np.frombuffer(bytes(content[352:]), "<i2").astype(">i2").tobytes()
    return content


def test_whole_hounsfield_units_of_nifti_need_no_scaling(tmp_path: Path) -> None:
    stored = np.array([[-1024, 0], [40, 3071]], np.int16)
    found = read(write_nifti(tmp_path / "a.nii", stored).read_bytes(), HOUNSFIELD)
    np.testing.assert_array_equal(found.pixels, stored)


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"WindowCenter": 40, "WindowWidth": 400},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"RescaleType": "HU"},
    ],
)
def test_dicom_ct_gives_hounsfield_units_whatever_its_display(
    elements: dict[str, object],
) -> None:
    hu = np.linspace(-1024, 3000, 480).reshape(24, 20).astype(np.int16)
    image = read(ct_bytes(hu, **elements), HOUNSFIELD)
    np.testing.assert_array_equal(image.pixels, hu)
    assert image.pixel_mm == pytest.approx(3.0)


def test_dicom_padding_becomes_what_the_networks_own_padding_stands_for() -> None:
    hu = np.full((4, 4), 40, np.int16)
    hu[0, 0], hu[3, 3] = -1024, 100
    image = read(ct_bytes(hu, PixelPaddingValue=0), HOUNSFIELD)
    assert image.pixels[0, 0] == HOUNSFIELD.low
    np.testing.assert_array_equal(image.pixels.ravel()[1:], hu.ravel()[1:])


@pytest.mark.parametrize("kind", ["1/m", "m-1", "US"])
def test_dicom_in_the_units_of_the_checkpoint_is_taken(kind: str) -> None:
    section = np.arange(16, dtype=np.int16).reshape(4, 4)
    data = ct_bytes(section, RescaleType=kind, RescaleSlope=0.5, RescaleIntercept=-1)
    np.testing.assert_array_equal(read(data).pixels, (section + 1024) * 0.5 - 1)


@pytest.mark.parametrize("elements", [{}, {"RescaleType": "HU"}, {"RescaleType": "Z_EFF"}])
def test_dicom_in_other_units_is_refused(elements: dict[str, object]) -> None:
    error = refusal(ct_bytes(np.arange(16, dtype=np.int16).reshape(4, 4), **elements))
    assert error.code is ErrorCode.WRONG_UNIT
    assert f"values in {elements.get('RescaleType', 'HU')}" in str(error)
    assert "expected values in 1/m" in str(error)


def test_free_text_of_a_header_enters_no_message() -> None:
    section = np.arange(16, dtype=np.int16).reshape(4, 4)
    error = refusal(ct_bytes(section, RescaleType="Doe^Jane"))
    assert "values in another unit" in str(error)
    assert "Doe" not in str(error)


def grey_files() -> dict[str, bytes]:
    grey = np.arange(480, dtype=np.uint8).reshape(24, 20)
    deep = grey.astype(np.uint16) * 100
    sections = grey.astype(np.int16)
    return {
        "8-bit png": cv2.imencode(".png", grey)[1].tobytes(),
        "16-bit png": cv2.imencode(".png", deep)[1].tobytes(),
        "jpeg": cv2.imencode(".jpg", grey)[1].tobytes(),
        "8-bit tiff": tiff_bytes(grey),
        "16-bit tiff": tiff_bytes(deep),
        "signed tiff": tiff_bytes(sections),
        "dicom without a slope": ct_bytes(sections, RescaleSlope=None),
        "dicom without an intercept": ct_bytes(sections, RescaleIntercept=None),
    }


@pytest.mark.parametrize("name", list(grey_files()))
def test_a_radiograph_is_told_what_is_wanted_instead(name: str) -> None:
    error = refusal(grey_files()[name])
    assert error.code is ErrorCode.WRONG_UNIT
    assert "expected values in 1/m; give float TIFF, NumPy, NIfTI or DICOM with a" in str(error)


def test_a_mask_in_nifti_is_no_image(tmp_path: Path) -> None:
    mask = np.eye(6, dtype=np.uint8)
    error = refusal(write_nifti(tmp_path / "mask.nii.gz", mask).read_bytes())
    assert error.code is ErrorCode.WRONG_UNIT


def test_other_formats_are_told_those_that_hold_values() -> None:
    for data in (b"GIF89a", b"no image at all"):
        assert "float TIFF, NumPy, NIfTI or DICOM with a rescaling was expected" in str(
            refusal(data)
        )


def test_a_slice_of_one_value_is_an_image() -> None:
    image = read(numpy_bytes(np.zeros((4, 4), np.float32)))
    assert not image.pixels.any()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, odd: float) -> None:
    values = slice_values()
    values[3, 4] = odd
    files = (
        numpy_bytes(values),
        tiff_bytes(values),
        write_nifti(tmp_path / "a.nii.gz", values).read_bytes(),
    )
    for data in files:
        error = refusal(data)
        assert error.code is ErrorCode.NON_FINITE
        assert "1 pixels are not finite" in str(error)


def test_values_above_float32_are_refused() -> None:
    assert refusal(numpy_bytes(np.array([[1e300, 0.0]]))).code is ErrorCode.NON_FINITE


class Explosive:
    """Leaves a mark where it is unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[object, ...]:
        return (setattr, (Explosive, "exploded", True))


def test_nothing_is_ever_unpickled() -> None:
    objects = np.empty((2, 2), object)
    objects[:] = Explosive()
    for data in (numpy_bytes(objects, allow_pickle=True), pickle.dumps(Explosive())):
        assert refusal(data).code in (ErrorCode.UNSUPPORTED_FORMAT, ErrorCode.NOT_AN_IMAGE)
    assert not Explosive.exploded


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((4, 4), np.complex64),
        np.zeros((4, 4), [("a", "f4"), ("b", "f4")]),
        np.zeros((4, 4), np.int16),
        np.zeros((4, 4), np.bool_),
        np.zeros((4, 4), "U3"),
        np.zeros((3, 4, 4), np.float32),
        np.zeros(4, np.float32),
        np.float32(1.0),
    ],
    ids=lambda values: f"{values.dtype.kind}{np.ndim(values)}",
)
def test_arrays_that_are_no_image_are_refused(values: np.ndarray) -> None:
    error = refusal(numpy_bytes(values))
    assert error.code is ErrorCode.UNSUPPORTED_FORMAT
    assert "floating-point numbers (y, x) were expected" in str(error)


@pytest.mark.parametrize("side", [(0, 4), (4, 0)])
def test_arrays_without_values_are_refused(side: tuple[int, int]) -> None:
    assert refusal(numpy_bytes(np.zeros(side, np.float32))).code is ErrorCode.CORRUPT


def test_files_that_end_early_are_truncated(tmp_path: Path) -> None:
    plain = write_nifti(tmp_path / "a.nii", slice_values()).read_bytes()
    packed = gzip.compress(plain)
    for whole in (numpy_bytes(slice_values()), plain, packed, tiff_bytes(slice_values())):
        assert refusal(whole[:-9]).code is ErrorCode.TRUNCATED
    damaged = bytearray(packed)
    damaged[-5] ^= 0xFF
    assert refusal(bytes(damaged)).code is ErrorCode.CORRUPT


def test_a_volume_is_told_how_to_be_given(tmp_path: Path) -> None:
    volume = np.stack([slice_values(seed) for seed in range(3)])
    error = refusal(write_nifti(tmp_path / "a.nii", volume).read_bytes())
    assert error.code is ErrorCode.MULTI_FRAME
    assert "20 × 24 × 3 voxels; one transverse slice was expected; give the volume" in str(error)


def test_sizes_are_limited_before_anything_is_reserved(tmp_path: Path) -> None:
    content = bytearray(write_nifti(tmp_path / "a.nii", slice_values()).read_bytes())
    struct.pack_into("<3h", content, 40, 2, 32767, 32767)
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999), }".ljust(117)
        + b"\n"
    )
    for data in (bytes(content), header, gzip.compress(bytes(content))):
        assert refusal(data).code is ErrorCode.TOO_LARGE
    bomb = gzip.compress(bytes(content) + bytes(2_000_000))
    assert len(bomb) < 50_000
    small = DecodeLimits(max_bytes=1_000_000)
    assert refusal(bomb, limits=small).code is ErrorCode.TOO_LARGE
    assert refusal(bytes(1_000_001), limits=small).code is ErrorCode.TOO_LARGE


def test_a_mutated_nifti_file_raises_nothing_else(tmp_path: Path) -> None:
    whole = write_nifti(tmp_path / "a.nii", slice_values()).read_bytes()
    rng = np.random.default_rng(3)
    small = DecodeLimits(max_pixels=1_000_000, max_bytes=4_000_000)
    refused = 0
    for _ in range(400):
        mutated = bytearray(whole)
        for place in rng.integers(0, 352, rng.integers(1, 6)):
            mutated[place] = rng.integers(0, 256)
        for data in (bytes(mutated), gzip.compress(bytes(mutated), 1)):
            try:
                assert np.isfinite(decode_absolute(data, small, PER_METRE).pixels).all()
            except ImageError:
                refused += 1
    assert 0 < refused < 800
