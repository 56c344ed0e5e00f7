"""Where slices come from: subjects, patients, and objects drawn of them."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from ct_volumes import image_of, thorax_hu

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.records import PairItem, Subject
from dfsynth.simulation.ct import CtThorax
from dfsynth.simulation.dark_field_ct.objects import (
    CtVolumeObjects,
    ObjectOptions,
    ProceduralObjects,
)

CPU = torch.device("cpu")
OPTIONS = ObjectOptions(size=64)


def item_of(subject: Subject, seed: int) -> PairItem:
    return PairItem(
        0,
        0,
        "pair-0",
        subject.patient_id,
        "train",
        subject.origin,
        subject.source,
        subject.license,
        seed,
    )


@pytest.fixture
def volumes(tmp_path: Path, thorax: CtThorax, monkeypatch: pytest.MonkeyPatch) -> CtVolumeObjects:
    """One volume on disk, which is read; its segmentation is that of all tests here."""
    SimpleITK.WriteImage(image_of(thorax_hu()), str(tmp_path / "chest.nii.gz"))
    (tmp_path / "broken.nrrd").write_bytes(b"NRRD0004\n\n\0\0")
    monkeypatch.setattr("dfsynth.simulation.origins.thorax_library.build_thorax", lambda *_: thorax)
    return CtVolumeObjects(OPTIONS, tmp_path, CPU)


def test_every_procedural_slice_is_a_patient_of_its_own() -> None:
    origin = ProceduralObjects(OPTIONS, 5, CPU)
    lines = origin.list_subjects(4).lines
    assert len({line.patient_id for line in lines}) == 4
    assert list(lines[:2]) == list(origin.list_subjects(2).lines)
    assert origin.fingerprint() == ""


def test_a_procedural_slice_follows_from_its_item() -> None:
    origin = ProceduralObjects(OPTIONS, 5, CPU)
    item = item_of(origin.list_subjects(1).lines[0], 21)
    first, again = origin.draw(item), origin.draw(item)
    assert first.source_sha256 is None
    assert first.slice_object.size == 64
    assert np.array_equal(first.slice_object.mu_per_m, again.slice_object.mu_per_m)


def test_slices_of_a_volume_share_its_patient(volumes: CtVolumeObjects, thorax: CtThorax) -> None:
    found = volumes.list_subjects(3)
    assert {line.patient_id for line in found.lines} == {"ct:chest.nii.gz"}
    assert sum(found.excluded.values()) == 1
    assert any("broken.nrrd" in warning for warning in found.warnings)
    first, second = (volumes.draw(item_of(found.lines[0], seed)) for seed in (1, 2))
    assert first.source_sha256 == thorax.sha256
    assert not np.array_equal(first.slice_object.mu_per_m, second.slice_object.mu_per_m)


def test_a_volume_that_is_gone_ends_the_run(volumes: CtVolumeObjects, tmp_path: Path) -> None:
    item = item_of(volumes.list_subjects(1).lines[0], 1)
    before = volumes.fingerprint()
    (tmp_path / "chest.nii.gz").unlink()
    assert volumes.fingerprint() != before
    fresh = CtVolumeObjects(OPTIONS, tmp_path, CPU)
    with pytest.raises(DfsynthError, match="bring it back"):
        fresh.draw(item)


def test_a_folder_without_volumes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no CT volume"):
        CtVolumeObjects(OPTIONS, tmp_path, CPU).list_subjects(1)
