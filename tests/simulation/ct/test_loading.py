"""Whatever way a volume is stored it comes out the same; what is no CT of lungs says why."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from ct_volumes import candidate_of, image_of, write_series
from dicom_slices import PIXEL_MM, SLICE_MM

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.simulation.ct import CtLimits, CtVolume, read_volume
from dfsynth.simulation.volumes import list_volumes

LIMITS = CtLimits()


def saved(image: Any, path: Path) -> CtVolume:
    SimpleITK.WriteImage(image, str(path), path.name.endswith("gz"))
    return read_volume(candidate_of(path), LIMITS)


def refused(image: Any, path: Path, limits: CtLimits = LIMITS) -> ImageError:
    SimpleITK.WriteImage(image, str(path))
    with pytest.raises(ImageError) as caught:
        read_volume(candidate_of(path), limits)
    assert path.name in str(caught.value)
    return caught.value


def read_folder(root: Path) -> CtVolume:
    (candidate,) = list_volumes(root).candidates
    return read_volume(candidate, LIMITS)


def test_axes_are_the_patients(hu: np.ndarray, tmp_path: Path) -> None:
    found = saved(image_of(hu), tmp_path / "a.nii.gz")
    # Stored up, back, left; read as front, down, left.
    np.testing.assert_array_equal(found.hu, np.moveaxis(hu, 0, 1)[::-1, ::-1])
    assert found.spacing_mm == pytest.approx((PIXEL_MM, SLICE_MM, PIXEL_MM))
    assert found.hu.dtype == np.int16


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("axes", ["LPS", "RAS", "RIP", "SPL", "AIR"])
def test_every_order_of_the_axes_gives_the_same_volume(
    hu: np.ndarray, tmp_path: Path, name: str, axes: str
) -> None:
    small = image_of(np.ascontiguousarray(hu[:, ::2, ::2]))
    small.SetSpacing((2 * PIXEL_MM, 2 * PIXEL_MM, SLICE_MM))
    expected = saved(small, tmp_path / "reference.nii")
    found = saved(SimpleITK.DICOMOrient(small, axes), tmp_path / name)
    np.testing.assert_array_equal(found.hu, expected.hu)
    assert found.spacing_mm == pytest.approx(expected.spacing_mm, abs=1e-4)


def test_a_dicom_series_gives_the_same_volume(hu: np.ndarray, tmp_path: Path) -> None:
    write_series(tmp_path / "dicom" / "s", hu)
    from_slices = read_folder(tmp_path / "dicom")
    from_file = saved(image_of(hu), tmp_path / "a.nii")
    np.testing.assert_array_equal(from_slices.hu, from_file.hu)
    assert from_slices.spacing_mm == pytest.approx(from_file.spacing_mm)
    assert from_slices.key == "s"
    assert "secret" not in f"{from_slices.key} {from_slices.license}".lower()


# SimpleITK 1636: read together, the sections get the type of the first, here of no sign.
@pytest.mark.parametrize("signed", [range(1, 84), range(83), [40], range(84)])
def test_each_slice_has_a_sign_of_its_own(hu: np.ndarray, tmp_path: Path, signed: Any) -> None:
    def store(dataset: pydicom.Dataset, index: int) -> None:
        # Each with a rescaling of its own, too.
        intercept = 0 if index in signed else -1024
        dataset.RescaleIntercept = intercept
        dataset.PixelRepresentation = int(index in signed)
        dataset.PixelData = (hu[index].astype(np.int32) - intercept).astype("<i2").tobytes()

    write_series(tmp_path / "s", hu, edit=store)
    np.testing.assert_array_equal(read_folder(tmp_path).hu, np.moveaxis(hu, 0, 1)[::-1, ::-1])


def test_a_series_stored_feet_first_and_prone_gives_the_same_volume(
    hu: np.ndarray, tmp_path: Path
) -> None:
    turned = np.ascontiguousarray(hu[::-1, ::-1, ::-1])
    write_series(
        tmp_path / "s",
        turned,
        positions=-np.arange(len(hu)) * SLICE_MM,
        ImageOrientationPatient=[-1, 0, 0, 0, -1, 0],
    )
    found = read_folder(tmp_path)
    np.testing.assert_array_equal(found.hu, np.moveaxis(hu, 0, 1)[::-1, ::-1])


def test_the_sum_is_of_the_bytes(hu: np.ndarray, tmp_path: Path) -> None:
    first = saved(image_of(hu), tmp_path / "a.nii")
    again = saved(image_of(hu), tmp_path / "b.nii")
    other = saved(image_of(hu + 1), tmp_path / "c.nii")
    assert first.sha256 == again.sha256 != other.sha256


def test_the_sum_is_of_detached_data_too(hu: np.ndarray, tmp_path: Path) -> None:
    sums = []
    for name, values in (("first", hu), ("again", hu), ("other", hu + 1)):
        (tmp_path / name).mkdir()
        sums.append(saved(image_of(values), tmp_path / name / "a.nhdr").sha256)
    assert sums[0] == sums[1] != sums[2]


def test_padding_below_air_is_air(hu: np.ndarray, tmp_path: Path) -> None:
    padded = hu.copy()
    padded[:, 0] = -3024
    assert saved(image_of(padded), tmp_path / "a.nii").hu.min() == -1024


def test_padding_is_not_taken_for_the_air_of_hounsfield_units(
    hu: np.ndarray, tmp_path: Path
) -> None:
    unscaled = hu + 1024
    unscaled[:, :20] = -2000
    assert "not HU" in str(refused(image_of(unscaled), tmp_path / "a.nii"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda hu: ((hu + 1000) / 8).clip(0, 255).astype(np.uint8), "not HU"),
        (lambda hu: (hu + 1024).astype(np.int16), "not HU"),
        (lambda hu: (hu / 1000).astype(np.float32), "not HU"),
        (lambda hu: np.full_like(hu, -1000), "not HU"),
        (lambda hu: np.where(hu > 400, np.nan, hu).astype(np.float32), "not finite"),
        (lambda hu: hu[:20], "20 slices"),
        (lambda hu: hu[:50], "150 mm"),
    ],
)
def test_values_and_sizes_that_are_no_ct_of_lungs(
    hu: np.ndarray, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], why: str
) -> None:
    assert why in str(refused(image_of(change(hu)), tmp_path / "bad.nii"))


def test_thick_slices_are_refused(hu: np.ndarray, tmp_path: Path) -> None:
    assert "6 mm" in str(refused(image_of(hu[::2][:40], slice_mm=7.5), tmp_path / "bad.nrrd"))


def test_a_sheared_volume_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "bad.nrrd"
    SimpleITK.WriteImage(image_of(hu), str(path))
    header, _, data = path.read_bytes().partition(b"\n\n")
    lean = f"({SLICE_MM * 0.2:g},0,{SLICE_MM:g})".encode()
    assert b"(0,0,3)" in header
    path.write_bytes(header.replace(b"(0,0,3)", lean) + b"\n\n" + data)
    with pytest.raises(ImageError, match=r"bad\.nrrd: its axes are not at right angles"):
        read_volume(candidate_of(path), LIMITS)


def test_an_oblique_volume_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    image = image_of(hu)
    half = np.sqrt(0.5)
    image.SetDirection((1, 0, 0, 0, half, -half, 0, half, half))
    assert "30 degrees" in str(refused(image, tmp_path / "bad.nii"))


def test_a_volume_in_colour_or_in_time_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    colour = SimpleITK.Compose([image_of(hu)] * 3)
    assert "3 values a voxel" in str(refused(colour, tmp_path / "colour.nii"))
    moving = SimpleITK.JoinSeries([image_of(hu[::4])] * 2)
    assert "three axes" in str(refused(moving, tmp_path / "moving.nii"))


def test_an_absurd_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.nrrd"
    path.write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
        b"sizes: 60000 60000 60000\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        b"kinds: domain domain domain\nendian: little\nencoding: raw\n\n"
    )
    with pytest.raises(ImageError, match="voxels") as caught:
        read_volume(candidate_of(path), LIMITS)
    assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("name", ["cut.nii", "cut.nii.gz", "cut.nrrd", "cut.mha"])
def test_a_file_cut_short_is_refused(hu: np.ndarray, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    SimpleITK.WriteImage(image_of(hu), str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match=name):
        read_volume(candidate_of(path), LIMITS)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 400, b"NRRD0004\n", gzip.compress(b"x" * 500, mtime=0)]
)
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.nrrd", "x.mha"])
def test_what_is_no_volume_at_all_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=name):
        read_volume(candidate_of(path), LIMITS)


# MONAI tutorials 1102: LUNA16 comes as .mhd with .raw or .zraw beside it.
@pytest.mark.parametrize("packed", [False, True])
def test_a_metaimage_header_beside_its_voxels(hu: np.ndarray, tmp_path: Path, packed: bool) -> None:
    SimpleITK.WriteImage(image_of(hu), str(tmp_path / "a.mhd"), packed)
    (candidate,) = list_volumes(tmp_path).candidates
    assert [f.name for f in candidate.files] == ["a.mhd", "a.zraw" if packed else "a.raw"]
    found = read_volume(candidate, LIMITS)
    np.testing.assert_array_equal(found.hu, np.moveaxis(hu, 0, 1)[::-1, ::-1])
    data = candidate.files[1]
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with pytest.raises(ImageError, match=r"a\.mhd: it is damaged or cut short"):
        read_volume(candidate, LIMITS)
    data.unlink()
    with pytest.raises(ImageError, match=f"its data file {data.name} is missing"):
        read_volume(candidate, LIMITS)


def test_a_header_does_not_lead_out_of_its_folder(hu: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    SimpleITK.WriteImage(image_of(hu), str(tmp_path / "in" / "a.nhdr"))
    header = (tmp_path / "in" / "a.nhdr").read_text()
    data = next((tmp_path / "in").glob("a.raw*"))
    data.rename(tmp_path / data.name)
    for name in (f"../{data.name}", str(tmp_path / data.name), "LIST"):
        (tmp_path / "in" / "a.nhdr").write_text(header.replace(f": {data.name}", f": {name}"))
        with pytest.raises(ImageError, match="outside its folder"):
            read_volume(candidate_of(tmp_path / "in" / "a.nhdr"), LIMITS)


def test_a_nifti_file_without_an_orientation_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    SimpleITK.WriteImage(image_of(hu), str(path))
    content = bytearray(path.read_bytes())
    content[252:256] = b"\0\0\0\0"  # qform_code and sform_code
    path.write_bytes(bytes(content))
    with pytest.raises(ImageError, match="no orientation"):
        read_volume(candidate_of(path), LIMITS)


def drop_rescale(dataset: pydicom.Dataset, index: int) -> None:
    del dataset.RescaleIntercept


def other_size(dataset: pydicom.Dataset, index: int) -> None:
    if index == 9:
        dataset.Rows -= 2


def other_orientation(dataset: pydicom.Dataset, index: int) -> None:
    if index == 9:
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]


def no_place(dataset: pydicom.Dataset, index: int) -> None:
    del dataset.ImagePositionPatient


def leaning(dataset: pydicom.Dataset, index: int) -> None:
    dataset.ImagePositionPatient = [-100, -100 + 0.3 * index, SLICE_MM * index]


def short_pixels(dataset: pydicom.Dataset, index: int) -> None:
    if index == 9:
        dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (drop_rescale, "rescale slope or intercept"),
        (other_size, "differ in size"),
        (other_orientation, "differ in orientation"),
        (no_place, "no place in space"),
        (leaning, "tilted by 5.7 degrees"),
        (short_pixels, "bytes of pixels"),
    ],
)
def test_slices_that_make_no_volume(
    hu: np.ndarray, tmp_path: Path, edit: Callable[[pydicom.Dataset, int], None], why: str
) -> None:
    write_series(tmp_path / "s", hu, edit=edit)
    with pytest.raises(ImageError, match=why) as caught:
        read_folder(tmp_path)
    assert str(caught.value).startswith("s: ")


def test_a_missing_slice_is_reported_with_its_place(hu: np.ndarray, tmp_path: Path) -> None:
    write_series(
        tmp_path / "s",
        np.delete(hu, 40, axis=0),
        positions=np.delete(np.arange(len(hu)), 40) * SLICE_MM,
    )
    with pytest.raises(ImageError, match=r"6\.00 mm between slices 40 and 41, 3\.00 mm"):
        read_folder(tmp_path)


def test_a_doubled_slice_is_refused(hu: np.ndarray, tmp_path: Path) -> None:
    positions = np.arange(len(hu)) * SLICE_MM
    positions[40] = positions[41]
    write_series(tmp_path / "s", hu, positions=positions)
    with pytest.raises(ImageError, match="at one place"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"GantryDetectorTilt": 12.5}, "tilted by 12.5 degrees"),
        ({"SliceThickness": 8}, "8 mm thick"),
    ],
)
def test_what_the_header_says_is_believed(
    hu: np.ndarray, tmp_path: Path, tags: dict[str, Any], why: str
) -> None:
    write_series(tmp_path / "s", hu, **tags)
    with pytest.raises(ImageError, match=why):
        read_folder(tmp_path)


def test_a_slice_cut_short_on_disk_is_named(hu: np.ndarray, tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", hu)
    victim = sorted(folder.iterdir())[5]
    victim.write_bytes(victim.read_bytes()[:-700])
    with pytest.raises(ImageError, match=victim.name):
        read_folder(tmp_path)
