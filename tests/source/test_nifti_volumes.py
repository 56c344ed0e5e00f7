"""Slices of NIfTI volumes as inputs, where a checkpoint takes values in a unit."""

import errno
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from value_files import PER_METRE, slice_values, write_nifti

from dfsynth.decode import DecodeLimits, decode_absolute
from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.records import SourceItem
from dfsynth.source import Source, open_source

VOLUME = np.stack([slice_values(seed) for seed in range(5)])
MOST = 10_000_000
DIMS, OFFSET, SFORM = 40, 108, 280


def opened(spec: Path | str) -> Source:
    return open_source(str(spec), None, volumes=True)


def items(source: Source) -> list[SourceItem]:
    rows = source.listing().table.select(["image_id", "uri", "patient_id"]).to_pylist()
    return [SourceItem(row=n, shard=0, **row) for n, row in enumerate(rows)]


def values(source: Source, item: SourceItem) -> np.ndarray:
    return decode_absolute(source.read(item, MOST), DecodeLimits(), PER_METRE).pixels


def changed(path: Path, layout: str, offset: int, *entries: float) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{layout}", content, offset, *entries)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_each_slice_of_a_volume_is_an_image(tmp_path: Path, name: str) -> None:
    source = opened(write_nifti(tmp_path / name, VOLUME))
    found = items(source)
    assert source.name == f"nifti:{name}"
    assert [item.image_id for item in found] == [f"slice-000{n}" for n in range(5)]
    assert {item.patient_id for item in found} == {name}, "no split may part them"
    # Backwards, so that a packed volume is not read from its start to its end.
    for index in reversed(range(5)):
        np.testing.assert_array_equal(values(source, found[index]), VOLUME[index])


def test_slices_keep_the_scaling_the_byte_order_and_the_pitch_of_their_volume(
    tmp_path: Path,
) -> None:
    stored = np.arange(480, dtype=np.int16).reshape(2, 12, 20)
    path = changed(write_nifti(tmp_path / "a.nii", stored, 0.7), "2f", 112, 0.25, -3.0)
    source = opened(path)
    for item, expected in zip(items(source), stored * 0.25 - 3, strict=True):
        image = decode_absolute(source.read(item, MOST), DecodeLimits(), PER_METRE)
        np.testing.assert_array_equal(image.pixels, expected)
        assert image.pixel_mm == pytest.approx(0.7)


def test_values_behind_an_extended_header_are_found(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", VOLUME)
    content = bytearray(path.read_bytes())
    content[352:352] = bytes(48)
    path.write_bytes(content)
    source = opened(changed(path, "f", OFFSET, 400.0))
    np.testing.assert_array_equal(values(source, items(source)[3]), VOLUME[3])


def mixed_folder(root: Path) -> Path:
    (root / "b").mkdir(parents=True)
    write_nifti(root / "b" / "volume.nii.gz", VOLUME[:2])
    write_nifti(root / "c.nii", VOLUME[0])
    np.save(root / "a.npy", VOLUME[0])
    np.save(root / "d.npy", VOLUME[1])
    (root / "broken.nii").write_bytes(b"no volume")
    return root


def test_a_folder_lists_slices_among_its_files_in_their_order(tmp_path: Path) -> None:
    source = opened(mixed_folder(tmp_path / "x"))
    found = items(source)
    assert [item.image_id for item in found] == [
        "a.npy",
        "b/volume.nii.gz/slice-0000",
        "b/volume.nii.gz/slice-0001",
        "broken.nii",
        "c.nii",
        "d.npy",
    ]
    assert found[2].uri == "b/volume.nii.gz//slice-0001"
    assert [item.patient_id for item in found[:3]] == [None, *["b/volume.nii.gz"] * 2]
    np.testing.assert_array_equal(values(source, found[2]), VOLUME[1])
    np.testing.assert_array_equal(values(source, found[4]), VOLUME[0])


def test_a_pattern_finds_volumes(tmp_path: Path) -> None:
    root = mixed_folder(tmp_path / "x")
    found = items(opened(f"{root}/**.nii.gz"))
    assert [item.uri for item in found] == [f"b/volume.nii.gz//slice-000{n}" for n in (0, 1)]


def test_volumes_stay_files_where_they_are_not_asked_for(tmp_path: Path) -> None:
    root = mixed_folder(tmp_path / "x")
    listed = open_source(str(root), None).listing().table["uri"].to_pylist()
    assert listed == ["a.npy", "b/volume.nii.gz", "broken.nii", "c.nii", "d.npy"]
    with pytest.raises(UsageError, match="is no source"):
        open_source(str(root / "c.nii"), None)


def test_what_has_no_transverse_slices_stays_a_file(tmp_path: Path) -> None:
    """Decoding it says what is wrong."""
    along_x = (*(0, 0, 1, 0), *(0, 1, 0, 0), *(1, 0, 0, 0))
    changed(write_nifti(tmp_path / "sagittal.nii", VOLUME), "12f", SFORM, *along_x)
    changed(write_nifti(tmp_path / "colours.nii", VOLUME), "h", 70, 128)
    changed(write_nifti(tmp_path / "in-time.nii", VOLUME), "8h", DIMS, 4, 20, 24, 1, 5, 1, 1, 1)
    source = opened(tmp_path)
    messages = {}
    for item in items(source):
        with pytest.raises(ImageError) as caught:
            values(source, item)
        messages[item.uri] = str(caught.value)
    assert "third axis from the feet to the head" in messages["sagittal.nii"]
    assert "one transverse slice was expected" in messages["in-time.nii"]
    assert "one transverse slice was expected" in messages["colours.nii"]


def test_a_link_to_no_volume_fails_alone(tmp_path: Path) -> None:
    """As sets of data are whose large files are fetched one by one."""
    for name in ("a.nii", "b.nii.gz"):
        (tmp_path / name).symlink_to(tmp_path / "not-fetched")
    write_nifti(tmp_path / "c.nii", VOLUME[:2])
    source = opened(tmp_path)
    *lost, first, _ = items(source)
    assert [item.uri for item in lost] == ["a.nii", "b.nii.gz"]
    for item in lost:
        with pytest.raises(ImageError) as caught:
            source.read(item, MOST)
        assert caught.value.code is ErrorCode.MISSING
    np.testing.assert_array_equal(values(source, first), VOLUME[0])


def test_a_disk_that_fails_while_volumes_are_listed_makes_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    write_nifti(tmp_path / "a.nii", VOLUME)
    monkeypatch.setattr("dfsynth.source.nifti_volume.open_forward", refuse)
    with pytest.raises(DfsynthError, match="check the disk and its mount"):
        opened(tmp_path).listing()


def test_one_slice_as_a_source_is_told_to_come_in_a_folder(tmp_path: Path) -> None:
    for path in (write_nifti(tmp_path / "a.nii", VOLUME[0]), tmp_path / "b.nii.gz"):
        if not path.exists():
            path.write_bytes(gzip.compress(b"no volume"))
        with pytest.raises(UsageError, match="for one slice, give the folder that holds it"):
            opened(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_beyond_the_end_of_a_volume_fail_alone(tmp_path: Path, name: str) -> None:
    path = write_nifti(tmp_path / name, VOLUME)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    source = opened(path)
    found = items(source)
    np.testing.assert_array_equal(values(source, found[0]), VOLUME[0])
    with pytest.raises(ImageError) as caught:
        source.read(found[4], MOST)
    assert caught.value.code is ErrorCode.TRUNCATED


@pytest.mark.parametrize("uri", ["slice-0005", "slice-x", "", "slice--1"])
def test_a_slice_that_is_not_there_is_missing(tmp_path: Path, uri: str) -> None:
    source = opened(write_nifti(tmp_path / "a.nii", VOLUME))
    with pytest.raises(ImageError) as caught:
        source.read(SourceItem(0, 0, "x", uri), MOST)
    assert caught.value.code is ErrorCode.MISSING


def test_a_slice_above_the_limit_is_not_read(tmp_path: Path) -> None:
    source = opened(write_nifti(tmp_path / "a.nii", VOLUME))
    with pytest.raises(ImageError) as caught:
        source.read(items(source)[0], 1000)
    assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_volume_that_is_gone_ends_the_run(tmp_path: Path, is_listed: bool) -> None:
    path = write_nifti(tmp_path / "a.nii", VOLUME)
    source = opened(path)
    found = items(source)
    if not is_listed:
        source = opened(path)
    path.unlink()
    with pytest.raises(DfsynthError, match=r"cannot open .*a\.nii"):
        source.read(found[0], MOST)
