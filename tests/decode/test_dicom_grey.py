"""DICOM: stored values become what a display shows, dense bright, as by pydicom's formulas."""

import dataclasses
import io
import struct
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from dfsynth.decode import decode
from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.dicom_file import parse_data_set
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage

IDENTITY = "Doe^Jane of Nowhere"
NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
]


def shown_by_pydicom(data: bytes) -> tuple[NDArray[np.float64], float, float]:
    """The image by pydicom's own transformations, and its natural range."""
    data_set = pydicom.dcmread(io.BytesIO(data))
    values = apply_modality_lut(data_set.pixel_array, data_set)
    low, high = 0.0, float(2**data_set.BitsStored - 1)
    return apply_voi_lut(values, data_set).astype(float), low, high


def lut_sequence(first: int, bits: int, entries: NDArray[np.uint16]) -> list[Dataset]:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries) % 65536, first, bits])
    item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return [item]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
@pytest.mark.parametrize(("center", "width"), [(1500, 1200), (2048, 4096), (900.5, 300)])
def test_windows_agree_with_pydicom(
    dicom_file: Callable[..., bytes],
    crop12: NDArray[np.uint16],
    function: str | None,
    center: float,
    width: float,
) -> None:
    extra = {"VOILUTFunction": function} if function else {}
    data = dicom_file(crop12, bits=12, WindowCenter=[center, 7], WindowWidth=[width, 9], **extra)
    shown, low, high = shown_by_pydicom(data)
    image = decode(data)
    assert (image.low, image.high, image.pixels.dtype.name) == (0, 1, "float32")
    np.testing.assert_allclose(image.pixels, (shown - low) / (high - low), atol=2e-6)


def test_rescaling_agrees_with_pydicom(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    for slope, intercept in ((2, -1024), (-0.5, 3), (1, -1)):
        data = dicom_file(crop12, bits=12, RescaleSlope=slope, RescaleIntercept=intercept)
        shown, _, _ = shown_by_pydicom(data)
        image = decode(data)
        np.testing.assert_allclose(image.pixels, shown, rtol=1e-6)
        ends = sorted((intercept, 4095 * slope + intercept))
        assert [image.low, image.high] == ends


def test_tables_agree_with_pydicom(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    curve = (np.linspace(0, 1, 3000) ** 0.6 * 1023).astype(np.uint16)
    data = dicom_file(
        crop12,
        bits=12,
        VOILUTSequence=lut_sequence(400, 10, curve),
        WindowCenter=9,
        WindowWidth=5,
    )
    shown, _, _ = shown_by_pydicom(data)
    image = decode(data)
    assert (image.low, image.high) == (0, 1)
    np.testing.assert_allclose(image.pixels, shown / 1023, atol=1e-6)
    data = dicom_file(crop12, bits=12, ModalityLUTSequence=lut_sequence(400, 16, curve))
    shown, _, _ = shown_by_pydicom(data)
    image = decode(data)
    assert (image.low, image.high) == (0, 1023)
    np.testing.assert_array_equal(image.pixels, shown)


def test_a_table_of_65536_entries(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    curve = np.arange(65535, -1, -1).astype(np.uint16)
    image = decode(dicom_file(crop12, VOILUTSequence=lut_sequence(0, 16, curve)))
    np.testing.assert_allclose(image.pixels, 1 - crop12 / 65535, atol=1e-6)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_a_table_that_begins_below_zero(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16], syntax: str
) -> None:
    curve = np.arange(4096).astype("<u2")
    item = Dataset()
    item.add_new(0x00283002, "SS", [4096, -1000, 12])
    item.add_new(0x00283006, "OW", curve.tobytes())
    elements = {"RescaleSlope": 1, "RescaleIntercept": -1000, "VOILUTSequence": [item]}
    image = decode(dicom_file(crop12, bits=12, syntax=syntax, **elements))
    np.testing.assert_allclose(image.pixels, crop12 / 4095, atol=1e-6)


def test_windows_that_say_nothing_are_passed_over(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    for center, width in ((2000, 0), (2000, -5), (60_000, 10)):
        image = decode(dicom_file(crop12, bits=12, WindowCenter=center, WindowWidth=width))
        np.testing.assert_array_equal(image.pixels, crop12)
        assert (image.low, image.high) == (0, 4095)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_dense_is_bright(
    dicom_file: Callable[..., bytes],
    crop12: NDArray[np.uint16],
    photometric: str,
    shape: str | None,
    inverted: bool,
) -> None:
    elements: dict[str, object] = {"PhotometricInterpretation": photometric}
    if shape:
        elements["PresentationLUTShape"] = shape
    stored = 4095 - crop12 if inverted else crop12
    plain = decode(dicom_file(stored, bits=12, **elements))
    np.testing.assert_array_equal(plain.pixels, crop12)
    assert (plain.pixels.dtype.name, plain.photometric) == ("uint16", photometric)
    windowed = decode(dicom_file(stored, bits=12, WindowCenter=2048, WindowWidth=4096, **elements))
    np.testing.assert_allclose(windowed.pixels, crop12 / 4095, atol=1e-6)
    rescaled = decode(
        dicom_file(stored, bits=12, RescaleSlope=2, RescaleIntercept=-100, **elements)
    )
    np.testing.assert_allclose(rescaled.pixels, crop12 * 2.0 - 100)


def test_the_relationship_sign_does_not_turn_the_image(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    data = dicom_file(crop12, bits=12, PixelIntensityRelationshipSign=1)
    np.testing.assert_array_equal(decode(data).pixels, crop12)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16], photometric: str
) -> None:
    stored = np.clip(crop12, 10, 4000)
    stored[:20], stored[20:30] = 4095, 4093
    elements: dict[str, object] = {"PhotometricInterpretation": photometric}
    elements |= {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4090}
    for window in ({}, {"WindowCenter": 2048, "WindowWidth": 4096}):
        image = decode(dicom_file(stored, bits=12, **elements, **window))
        assert (image.pixels[:30] == image.low).all()
        assert (image.pixels[30:] > image.low).all()


def test_negative_padding(dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]) -> None:
    stored = crop12.astype(np.int16)
    stored[:9] = -2000
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"):
        image = decode(dicom_file(stored, syntax=syntax, PixelPaddingValue=-2000))
        assert (image.pixels[:9] == -32768).all()
        np.testing.assert_array_equal(image.pixels[9:], stored[9:])


def test_a_header_that_leaves_the_sign_out(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    syntax = uid.ImplicitVRLittleEndian
    data = dicom_file(crop12, syntax=syntax, PixelPaddingValue=60_000, PixelRepresentation=0)
    sign = struct.pack("<HHIH", 0x0028, 0x0103, 2, 0)
    assert data.count(sign) == 1
    np.testing.assert_array_equal(decode(data.replace(sign, b"")).pixels, crop12)


def test_palette(dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    table = (np.arange(256) * 257).astype("<u2").tobytes()
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = table
    image = decode(dicom_file(crop, **elements))
    np.testing.assert_array_equal(image.pixels, crop.astype(np.uint16) * 257)
    assert (image.photometric, image.high) == ("PALETTE COLOR", 65535)
    del elements["BluePaletteColorLookupTableData"]
    with pytest.raises(ImageError) as caught:
        decode(dicom_file(crop, **elements))
    assert caught.value.code == ErrorCode.CORRUPT


@pytest.mark.parametrize(
    ("elements", "pitch"),
    [
        ({}, None),
        ({"PixelSpacing": ["0.2", "0.2"]}, 0.2),
        ({"PixelSpacing": ["0.1", "0.4"]}, 0.2),
        ({"ImagerPixelSpacing": ["0.3", "0.3"], "PixelSpacing": ["0.2", "0.2"]}, 0.3),
        (
            {
                "PixelSpacing": ["0.2", "0.2"],
                "PixelSpacingCalibrationType": "GEOMETRY",
                "EstimatedRadiographicMagnificationFactor": "1.1",
            },
            0.22,
        ),
        (
            {"PixelSpacing": ["0.2", "0.2"], "EstimatedRadiographicMagnificationFactor": "1.1"},
            0.2,
        ),
        ({"NominalScannedPixelSpacing": ["0.15", "0.15"]}, 0.15),
        ({"PixelSpacing": ["0", "0"]}, None),
        ({"PixelSpacing": "0.2"}, None),
    ],
)
def test_pixel_pitch_lies_at_the_detector(
    dicom_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    elements: dict[str, object],
    pitch: float | None,
) -> None:
    found = decode(dicom_file(crop, **elements)).pixel_mm
    assert found == (pitch if pitch is None else pytest.approx(pitch))


def test_numbers_that_give_nothing(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    data = dicom_file(crop, RescaleSlope="1.25", RescaleIntercept="0")
    for text, code in (
        (b"nan ", ErrorCode.NON_FINITE),
        (b"9e99", ErrorCode.NON_FINITE),
        (b"0.00", ErrorCode.CONSTANT),
        (b"one ", ErrorCode.CORRUPT),
    ):
        with pytest.raises(ImageError) as caught:
            decode(data.replace(b"1.25", text))
        assert caught.value.code == code


def test_no_identity_comes_out(dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    image = decode(dicom_file(crop, StudyDescription="Doe", InstitutionName="Nowhere"))
    assert {field.name for field in dataclasses.fields(image)} == {
        *("pixels", "low", "high", "bits", "photometric", "pixel_mm")
    }
    data = dicom_file(crop, PhotometricInterpretation="DOE JANE")
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert "DOE" not in str(caught.value)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_no_identity_is_decoded(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], syntax: str
) -> None:
    person = Dataset()
    person.PatientName = IDENTITY
    inner = pydicom.Sequence([person])
    inner.is_undefined_length = True
    elements = {"ReferencedPatientSequence": inner, "SpecificCharacterSet": "ISO_IR 192"}
    data = dicom_file(crop, syntax=syntax, **elements)
    assert data.count(IDENTITY.encode()) == 3
    found = parse_data_set(data, len(data))
    read = {*found.values, *found.arrays, *found.first_items}
    assert read <= tags.VALUES | tags.ARRAYS | tags.SEQUENCES
    assert tags.IMAGE_ROWS in read
    assert not any(word in repr(found) for word in IDENTITY.split("^"))


def test_identity_in_the_place_of_a_number_is_not_quoted(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    data = dicom_file(crop, RescaleSlope="1.25", RescaleIntercept="0")
    with pytest.raises(ImageError) as caught:
        decode(data.replace(b"1.25", b"Doe "))
    assert "Doe" not in str(caught.value)


def test_threads_agree_and_leave_warnings_alone(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    files = [
        dicom_file(
            np.roll(crop12, shift, axis=0),
            bits=12,
            syntax=NATIVE[shift % len(NATIVE)],
            WindowCenter=1000 + 20 * shift,
            WindowWidth="1200",
            PixelSpacing=[f"0.{1 + shift}", f"0.{1 + shift}"],
        )
        for shift in range(40)
    ]
    expected = [decode(data) for data in files]
    filters = list(warnings.filters)
    barrier = threading.Barrier(4)

    def work(_: int) -> list[DecodedImage]:
        barrier.wait()
        return [decode(data) for data in files]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    for images in results:
        for image, alone in zip(images, expected, strict=True):
            np.testing.assert_array_equal(image.pixels, alone.pixels)
            assert image.pixel_mm == alone.pixel_mm
    assert warnings.filters == filters
