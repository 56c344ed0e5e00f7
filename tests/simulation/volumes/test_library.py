"""Volumes are listed once, kept, and made again when they come back."""

from pathlib import Path

import pytest

from dfsynth.errors import DfsynthError
from dfsynth.simulation.volumes import MR, VolumeCandidate, VolumeListing, list_volumes
from dfsynth.simulation.volumes.library import VolumeLibrary


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.nii", "b.nii", "c.nii"):
        (tmp_path / name).write_bytes(b"never read")
    return tmp_path


def test_a_folder_is_listed_once_however_often_its_volumes_come_back(root: Path) -> None:
    listed: list[VolumeListing] = []
    built: list[str] = []

    def listing() -> VolumeListing:
        listed.append(list_volumes(root, MR))
        return listed[-1]

    def build(candidate: VolumeCandidate) -> str:
        built.append(candidate.key)
        return candidate.key.upper()

    library = VolumeLibrary(root, MR, build, kept=1, listing=listing)
    library.fingerprint()
    assert [c.key for c in library.find_usable().candidates] == ["a.nii", "b.nii", "c.nii"]
    assert [library.get(key) for key in ("c.nii", "a.nii", "b.nii")] == ["C.NII", "A.NII", "B.NII"]
    assert built == ["a.nii", "b.nii", "c.nii", "a.nii", "b.nii"]
    assert len(listed) == 1


@pytest.mark.parametrize("key", ["a.nii", "z.nii"])
def test_a_volume_that_is_gone_ends_the_run(root: Path, key: str) -> None:
    library = VolumeLibrary(root, MR, lambda candidate: candidate.key)
    library.fingerprint()
    (root / "a.nii").unlink()
    with pytest.raises(
        DfsynthError, match=f"{key}: the volume was usable .* is not now .it is not there"
    ):
        library.get(key)
