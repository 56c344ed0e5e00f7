"""PET and CT of one session come into one grid, or are refused with what was found."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pet_sessions import VOXEL_MM, body_hu, body_suv, write_session, write_volume

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.simulation.pet_ct.sessions import list_sessions
from dfsynth.simulation.pet_ct.volume import PetCtVolume, read_session
from dfsynth.simulation.volumes import VolumeLimits


def read(root: Path, size: int = 64, *, measured: bool = True) -> PetCtVolume:
    (session,) = list_sessions(root).sessions
    return read_session(session, size, VolumeLimits(), measured=measured)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIR", "SLA"])
def test_equal_grids_stay_as_they_are_however_they_are_stored(tmp_path: Path, axes: str) -> None:
    volume = read(write_session(tmp_path, "a", axes=axes))
    hu = body_hu()
    assert volume.pet is not None
    np.testing.assert_array_equal(volume.hu, hu)
    np.testing.assert_allclose(volume.pet.suv, body_suv(hu), atol=1e-4)
    assert volume.pet.seen.all()
    assert volume.pet.corrected
    assert volume.pet.overlap > 0.95
    assert (volume.pixel_mm, volume.plane_mm) == (4.0, 5.0)


def test_a_pet_of_another_grid_is_brought_to_that_of_the_ct(tmp_path: Path) -> None:
    """Voxels of 5 mm that begin elsewhere, of a PET that is known everywhere."""
    hu = body_hu()
    path = write_volume(tmp_path / "a_ct.nii.gz", hu)
    same = SimpleITK.ReadImage(str(write_volume(tmp_path / "same.nii.gz", body_suv(hu))))
    (tmp_path / "same.nii.gz").unlink()
    grid = SimpleITK.Image([55, 48, 20], SimpleITK.sitkFloat32)
    grid.SetSpacing((5.0, 5.0, 4.0))
    grid.SetOrigin((-133.0, -108.0, -308.0))
    coarse = SimpleITK.Resample(same, grid, SimpleITK.Transform(), SimpleITK.sitkLinear, 0.0)
    SimpleITK.WriteImage(coarse, str(tmp_path / "a_pet.nii.gz"))
    volume = read(tmp_path)
    reference = SimpleITK.ReadImage(str(path))
    expected = SimpleITK.Resample(
        coarse, reference, SimpleITK.Transform(), SimpleITK.sitkLinear, 0.0
    )
    assert volume.pet is not None
    np.testing.assert_allclose(volume.pet.suv, SimpleITK.GetArrayFromImage(expected), atol=1e-4)


def test_slices_too_wide_get_coarser_pixels_and_both_stay_in_place(tmp_path: Path) -> None:
    volume = read(write_session(tmp_path, "a"), size=32)
    assert volume.pixel_mm == 4.0 * 60 / 32
    assert (volume.hu.shape, volume.shape) == ((12, 48, 60), (26, 32))
    assert volume.pet is not None
    assert volume.pet.overlap > 0.95
    hu, laid = volume.hu_at(5), volume.suv_at(5)
    assert hu.shape == laid.shape == (32, 32)
    assert hu[0].max() == -1000
    assert np.corrcoef(volume.body_at(5).ravel(), laid.ravel() > 0.2)[0, 1] > 0.85


def test_only_a_part_of_the_ct_may_be_seen_by_the_pet(tmp_path: Path) -> None:
    hu = body_hu()
    write_volume(tmp_path / "a_ct.nii.gz", hu)
    write_volume(tmp_path / "a_pet.nii.gz", body_suv(hu)[:8])
    volume = read(tmp_path)
    assert volume.pet is not None
    assert volume.pet.seen[:8].all()
    assert not volume.pet.seen[8:].any()
    assert volume.pet.suv[8:].max() == 0


def test_a_body_that_moved_is_refused_with_the_overlap(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a_ct.nii.gz: .* overlap by 0\.\d{3} \(Dice\)") as found:
        read(write_session(tmp_path, "a", shift=8))
    assert found.value.code == ErrorCode.MISALIGNED


def test_grids_apart_overlap_by_nothing(tmp_path: Path) -> None:
    write_session(tmp_path, "a")
    path = tmp_path / "a_pet.nii.gz"
    image = SimpleITK.ReadImage(str(path))
    image.SetOrigin((1000.0, 0.0, 0.0))
    SimpleITK.WriteImage(image, str(path))
    with pytest.raises(ImageError, match=r"overlap by 0\.000"):
        read(tmp_path)
    assert read(tmp_path, measured=False).pet is None


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [
        (np.full((12, 48, 60), 2, np.float32), ErrorCode.CONSTANT, "all of its values are 2"),
        (body_suv(body_hu()) * 5000, ErrorCode.WRONG_UNIT, "run from 0 to 40000"),
        (body_suv(body_hu()) - 1, ErrorCode.WRONG_UNIT, "below 0; expected SUV"),
    ],
)
def test_values_that_are_no_suv(
    tmp_path: Path, values: np.ndarray, code: ErrorCode, says: str
) -> None:
    write_session(tmp_path, "a")
    write_volume(tmp_path / "a_pet.nii.gz", values)
    with pytest.raises(ImageError, match=says) as found:
        read(tmp_path)
    assert found.value.code == code


def test_four_dimensions_and_thick_slices_are_refused(tmp_path: Path) -> None:
    write_session(tmp_path, "a")
    frames = SimpleITK.JoinSeries([SimpleITK.ReadImage(str(tmp_path / "a_pet.nii.gz"))] * 3)
    SimpleITK.WriteImage(frames, str(tmp_path / "a_pet.nii.gz"))
    with pytest.raises(ImageError, match=r"a_pet\.nii\.gz: it is 60 x 48 x 12 x 3"):
        read(tmp_path)
    write_volume(tmp_path / "a_ct.nii.gz", body_hu(), voxel_mm=(*VOXEL_MM[:2], 12.0))
    with pytest.raises(ImageError, match="its planes lie 12 mm apart"):
        read(tmp_path, measured=False)
