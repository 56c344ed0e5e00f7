"""MR volumes come in one orientation, over their own white, or are refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from ct_volumes import write_series
from dicom_slices import PIXEL_MM, SLICE_MM
from head_volumes import head, head_image, write_head

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.simulation.mri.usable_slices import find_usable_slices
from dfsynth.simulation.mri.volume import MrVolume, read_mr_volume
from dfsynth.simulation.volumes import MR, VolumeLimits, list_volumes

SIZE = 64


def read(path: Path, size: int = SIZE) -> MrVolume:
    [candidate] = list_volumes(path.parent, MR).candidates
    return read_mr_volume(candidate, size, VolumeLimits())


def refused(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIR", "ASL", "SRP", "LAI"])
def test_every_orientation_gives_the_same_slices(tmp_path: Path, axes: str) -> None:
    turned = SimpleITK.DICOMOrient(head_image(head()), axes)
    SimpleITK.WriteImage(turned, str(tmp_path / "a.nii.gz"))
    found = read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(found.values * found.white, head(), atol=1e-3)
    assert (found.pixel_mm, found.plane_mm) == pytest.approx((1.5, 3.0))


def test_the_white_of_the_foreground_becomes_1_and_nothing_is_clipped(tmp_path: Path) -> None:
    values = head()
    values[7, 22, 18] = 9000
    found = read(write_head(tmp_path / "a.nii.gz", values))
    assert 800 < found.white < 1000
    assert found.values.max() == pytest.approx(9000 / found.white)
    assert found.values.min() == 0
    scaled = read(write_head(tmp_path / "a.nii.gz", 3 * values))
    np.testing.assert_allclose(scaled.values, found.values, rtol=1e-5)


def test_a_slice_lies_in_the_middle_of_a_square_of_0(tmp_path: Path) -> None:
    found = read(write_head(tmp_path / "a.nii.gz", head()))
    square = found.slice_at(7)
    assert square.shape == (SIZE, SIZE)
    np.testing.assert_array_equal(square[10:54, 14:50], found.values[7])
    assert not square[:10].any()


def test_pixels_become_square_and_never_finer(tmp_path: Path) -> None:
    image = head_image(head())
    image.SetSpacing((1.0, 2.0, 3.0))
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii.gz"))
    found = read(tmp_path / "a.nii.gz")
    assert found.pixel_mm == 2.0
    assert found.values.shape == (14, 44, 18)
    small = read(tmp_path / "a.nii.gz", 32)
    assert small.pixel_mm == pytest.approx(2.75)
    assert small.values.shape == (14, 32, 13)
    middle = float(found.values[7].mean()) * 44 * 18 * 4
    assert float(small.values[7].mean()) * 32 * 13 * 2.75**2 == pytest.approx(middle, rel=0.05)


def test_a_series_of_dicom_slices_is_a_volume_and_one_of_ct_is_none(tmp_path: Path) -> None:
    mr = {"Modality": "MR", "SOPClassUID": MR.sop_class}

    def unscaled(dataset: Any, _: int) -> None:
        del dataset.RescaleSlope, dataset.RescaleIntercept

    write_series(tmp_path / "mr", head(), edit=unscaled, **mr)
    write_series(tmp_path / "ct", head())
    listing = list_volumes(tmp_path, MR)
    [candidate] = listing.candidates
    found = read_mr_volume(candidate, SIZE, VolumeLimits())
    assert candidate.key == "mr"
    assert {why for _, why in listing.excluded} == {"modality CT, not MR"}
    assert found.values.shape == (14, 44, 36)
    assert (found.pixel_mm, found.plane_mm) == pytest.approx((PIXEL_MM, SLICE_MM))


def test_a_series_with_a_gap_is_refused_and_says_where(tmp_path: Path) -> None:
    places = np.arange(14) * SLICE_MM
    places[9:] += SLICE_MM
    mr = {"Modality": "MR", "SOPClassUID": MR.sop_class, "positions": places}
    write_series(tmp_path / "mr" / "a", head(), **mr)
    assert "between slices 9 and 10" in refused(tmp_path / "mr" / "a")


def test_volumes_of_4_axes_are_refused(tmp_path: Path) -> None:
    image = SimpleITK.JoinSeries([head_image(head(n)) for n in range(3)])
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii.gz"))
    assert "it is 36 x 44 x 14 x 3 with 1 value a voxel; expected three axes" in refused(
        tmp_path / "a.nii.gz"
    )


def test_a_volume_of_one_plane_is_refused(tmp_path: Path) -> None:
    SimpleITK.WriteImage(head_image(head())[:, :, :1], str(tmp_path / "a.nii.gz"))
    assert (
        "it is 36 x 44 x 1 with 1 value a voxel; expected three axes, two planes or more along each"
    ) in refused(tmp_path / "a.nii.gz")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((14, 44, 36), 7, np.int16), "all of its values are 7"),
        ((head() - head().mean()) / head().std(), "below 0, so they are no magnitudes"),
    ],
)
def test_what_holds_no_magnitudes_is_refused(tmp_path: Path, values: np.ndarray, said: str) -> None:
    assert said in refused(write_head(tmp_path / "a.nii.gz", values))


def test_a_constant_volume_has_the_code_of_constant_images(tmp_path: Path) -> None:
    write_head(tmp_path / "a.nii.gz", np.full((14, 44, 36), 7, np.int16))
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.nii.gz")
    assert caught.value.code == ErrorCode.CONSTANT


@pytest.mark.filterwarnings("error")
def test_a_volume_as_narrow_as_a_colour_is_one_of_greys(tmp_path: Path) -> None:
    found = read(write_head(tmp_path / "a.nii.gz", head()[:, :, 16:20]))
    assert 0 < found.threshold < 1


def test_slices_without_contrast_and_with_little_in_them_are_counted(tmp_path: Path) -> None:
    found = find_usable_slices(read(write_head(tmp_path / "a.nii.gz", head())))
    assert found.excluded["constant_slice"] >= 2
    assert sum(found.excluded.values()) + len(found.indices) == 14
    assert found.indices == tuple(range(found.indices[0], found.indices[-1] + 1))
    assert {5, 6, 7, 8} < set(found.indices)
