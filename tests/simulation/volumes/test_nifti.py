"""NIfTI headers are not trusted, and values are what the standard says, not what SimpleITK says."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from ct_volumes import candidate_of, image_of

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.simulation.ct import CtLimits, CtVolume, read_volume
from dfsynth.simulation.volumes.nifti import read_nifti_header, read_nifti_values

LIMITS = CtLimits()


def read(path: Path) -> CtVolume:
    return read_volume(candidate_of(path), LIMITS)


def write(path: Path, hu: np.ndarray, *changes: tuple[str, int, tuple[Any, ...]]) -> Path:
    """A NIfTI-1 file of SimpleITK whose header is changed: layout, offset, values of each."""
    plain = path.with_name("plain.nii")
    SimpleITK.WriteImage(image_of(hu), str(plain))
    content = bytearray(plain.read_bytes())
    for layout, offset, values in changes:
        struct.pack_into(f"<{layout}", content, offset, *values)
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def turned(hu: np.ndarray) -> np.ndarray:
    """Stored up, back, left; read as front, down, left."""
    return np.moveaxis(hu, 0, 1)[::-1, ::-1]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_of_zero_scales_nothing(
    hu: np.ndarray, tmp_path: Path, name: str, slope: float
) -> None:
    """SimpleITK would add the intercept all the same."""
    path = write(tmp_path / name, hu, ("2f", 112, (slope, -77.0)))
    np.testing.assert_array_equal(read(path).hu, turned(hu))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (0.5, 0.0), (2.0, -1000.0)])
def test_any_other_slope_scales(
    hu: np.ndarray, tmp_path: Path, slope: float, intercept: float
) -> None:
    stored = np.rint((hu - intercept) / slope).astype(np.int16)
    path = write(tmp_path / "a.nii", stored, ("2f", 112, (slope, intercept)))
    expected = np.clip(np.rint(stored * slope + intercept), -1024, 3071)
    np.testing.assert_array_equal(read(path).hu, turned(expected))


def test_a_slope_without_an_intercept_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", hu, ("2f", 112, (1.0, np.nan)))
    with pytest.raises(ImageError, match="a slope without an intercept"):
        read(path)


def test_the_other_byte_order_is_read(hu: np.ndarray, tmp_path: Path) -> None:
    header = bytearray(352)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 3, *hu.shape[::-1], 1, 1, 1, 1)
    struct.pack_into(">2h", header, 70, 4, 16)
    struct.pack_into(">8f", header, 76, 1, 3, 3, 3, 0, 0, 0, 0)
    struct.pack_into(">3fhbB", header, 108, 352, 0.0, 55.0, 0, 0, 2)
    struct.pack_into(">2h", header, 252, 0, 1)
    struct.pack_into(">12f", header, 280, -3, 0, 0, 0, 0, -3, 0, 0, 0, 0, 3, 0)
    struct.pack_into(">4s", header, 344, b"n+1")
    (tmp_path / "a.nii").write_bytes(bytes(header) + hu.astype(">i2").tobytes())
    np.testing.assert_array_equal(read(tmp_path / "a.nii").hu, turned(hu))


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_2_is_called_what_it_is(tmp_path: Path, order: str) -> None:
    (tmp_path / "a.nii").write_bytes(
        struct.pack(f"{order}i8s", 540, b"n+2\0\r\n\x1a\n") + bytes(532)
    )
    with pytest.raises(ImageError, match="it is a NIfTI-2 file"):
        read(tmp_path / "a.nii")


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.uint16, np.int32, np.uint32, np.float32, np.float64]
)
def test_every_type_is_read_as_it_is(tmp_path: Path, dtype: type[np.generic]) -> None:
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(dtype)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / "a.nii"))
    header = read_nifti_header("a", tmp_path / "a.nii")
    found = read_nifti_values("a", tmp_path / "a.nii", header)
    np.testing.assert_array_equal(found, values)
    assert found.dtype == dtype


def test_other_types_are_refused(hu: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", hu, ("2h", 70, (1536, 128)))
    with pytest.raises(ImageError, match=r"a\.nii: "):
        read(path)


# ANTs 1141 and 500; ITK PR 1868.
@pytest.mark.parametrize(
    ("code", "mirror"), [(1, (-1, 1, 1)), (2, (-1, 1, 1)), (2, (1, -1, 1)), (4, (1, 1, 0))]
)
def test_forms_that_contradict_each_other_are_refused(
    hu: np.ndarray, tmp_path: Path, code: int, mirror: tuple[int, int, int]
) -> None:
    rows = np.hstack([np.diag([-3.0, -3.0, 3.0]) * mirror, np.zeros((3, 1))])
    changes = [("2h", 252, (1, code)), ("12f", 280, tuple(rows.ravel()))]
    path = write(tmp_path / "a.nii.gz", hu, *changes)
    with pytest.raises(ImageError, match="contradict each other") as caught:
        read(path)
    assert caught.value.code is ErrorCode.UNSUPPORTED_FORMAT
    assert "qform (code 1) LPS and sform" in str(caught.value)
    assert f"(code {code})" in str(caught.value)
    # Where one of both has no code, the other counts.
    changes[0] = ("2h", 252, (1, 0))
    np.testing.assert_array_equal(read(write(tmp_path / "b.nii.gz", hu, *changes)).hu, turned(hu))


def test_forms_that_differ_by_a_few_degrees_agree(hu: np.ndarray, tmp_path: Path) -> None:
    """As a template's does, which a volume was registered to."""
    angle = np.radians(5)
    turn = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    rows = np.hstack([np.array(turn) @ np.diag([-2.8, -3.1, 3.0]), np.full((3, 1), 7.0)])
    changes = (("2h", 252, (1, 4)), ("12f", 280, tuple(rows.ravel())))
    assert read(write(tmp_path / "a.nii", hu, *changes)).hu.shape == turned(hu).shape


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("offset", [np.nan, np.inf, -np.inf, -352.0, 1e10, 3e38])
def test_an_offset_that_makes_no_sense_is_refused(
    hu: np.ndarray, tmp_path: Path, name: str, offset: float
) -> None:
    path = write(tmp_path / name, hu[:4], ("f", 108, (offset,)))
    with pytest.raises(ImageError, match="its values begin at byte") as caught:
        read(path)
    assert caught.value.code is ErrorCode.CORRUPT


def test_an_offset_of_zero_is_behind_the_header(hu: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", hu, ("f", 108, (0.0,)))
    np.testing.assert_array_equal(read(path).hu, turned(hu))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_memory_is_not_reserved_for_what_a_small_file_claims(
    hu: np.ndarray, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / name, hu[:4], ("8h", 40, (3, 1200, 1200, 1400, 1, 1, 1, 1)))
    header = read_nifti_header("a", path)

    def reserve(*_: object) -> None:
        raise AssertionError("memory was reserved")

    monkeypatch.setattr("dfsynth.simulation.volumes.nifti.np.empty", reserve)
    with pytest.raises(ImageError, match="bytes of voxels are missing") as caught:
        read_nifti_values("a", path, header)
    assert caught.value.code is ErrorCode.TRUNCATED


@pytest.mark.parametrize("magic", [b"ni1\0", b"\0\0\0\0", b"n+3\0"])
def test_a_header_of_another_kind_is_refused(hu: np.ndarray, tmp_path: Path, magic: bytes) -> None:
    path = write(tmp_path / "a.nii", hu[:4], ("4s", 344, (magic,)))
    with pytest.raises(ImageError, match="in another file" if magic[:2] == b"ni" else "no NIfTI"):
        read(path)
