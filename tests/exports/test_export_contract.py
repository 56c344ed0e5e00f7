"""What every format of files promises: all images, values, ids, a mark; and to go on."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exported_files import READERS, read_export
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyGenerator, ToyMaker
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.errors import ConflictError, StoreError, UsageError
from dfsynth.exports import FOLDER_FORMATS, file_stem
from dfsynth.files.durable import write_durably
from dfsynth.files.locks import RunLock
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.records import Generated, ModelInput
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.opened import open_store

FORMATS = tuple(known.name for known in FOLDER_FORMATS)
BAD_FILES = 4
each_format = pytest.mark.parametrize("to", FORMATS)


@pytest.fixture(scope="module")
def radiographs(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("source") / "radiographs", 7)
    write_bad_files(root)
    return root


@pytest.fixture
def store(radiographs, tmp_path) -> Path:
    """Eleven rows in shards of four, four of which failed."""
    maps = ("dark_field", "aleatoric", "epistemic", "attenuation")
    options = BuildOptions(
        source=str(radiographs), out=tmp_path / "x.zarr", shard_size=4, maps=maps, size=(64, 64)
    )
    run_build(options, ToyMaker(), Silent())
    return tmp_path / "x.zarr"


def files_of(out: Path) -> dict[str, bytes]:
    """The content of every file of an export, by its path."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".export" not in path.parts
    }


def test_every_format_is_read_back():
    assert set(FORMATS) == set(READERS)


@each_format
def test_every_finished_image_is_there_with_its_values_its_id_and_a_mark(store, tmp_path, to):
    report = dfsynth.export(store, tmp_path / "out", to=to)
    assert (report.images, report.ok, report.failed, report.left_out) == (7, 7, BAD_FILES, 0)
    assert (report.pending, report.resumed) == (0, False)
    opened, found = open_store(store), read_export(to, tmp_path / "out")
    lines = [line for line in opened.manifest.to_pylist() if line["status"] == "ok"]
    assert {row: image.image_id for row, image in found.items()} == {
        line["row"]: line["image_id"] for line in lines
    }
    for row, image in found.items():
        assert image.marked
        assert set(image.maps) == set(opened.maps)
        for name, values in image.maps.items():
            assert np.abs(values - opened.read(name, row)).max() <= image.steps[name]
    said = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (said["format"], said["complete"], said["images"]) == (to, True, 7)
    assert "not for diagnosis" in said["notice"]


@each_format
def test_maps_are_put_back_into_the_geometry_of_their_sources(store, tmp_path, to):
    dfsynth.export(store, tmp_path / "out", to=to, space="source")
    opened = open_store(store)
    for row, image in read_export(to, tmp_path / "out").items():
        for name, values in image.maps.items():
            expected = opened.to_source(row, name)
            assert values.shape == (24, 20)
            assert np.abs(values - expected).max() <= image.steps[name]


@each_format
def test_a_condition_keeps_what_the_filter_keeps(store, tmp_path, to):
    where = "row % 2 = 0 OR width > 1000"
    kept = dfsynth.filter_store(store, where=where, out=tmp_path / "kept.json")
    report = dfsynth.export(store, tmp_path / "out", to=to, where=where)
    assert (report.images, report.left_out) == (kept.kept, 7 - kept.kept)
    rows = json.loads((tmp_path / "kept.json").read_text())["rows"]
    assert sorted(read_export(to, tmp_path / "out")) == [row["row"] for row in rows]
    report = dfsynth.export(store, tmp_path / "all", to=to, where="true", include_no_lung=True)
    assert report.images == 7


@each_format
def test_the_same_command_takes_what_was_built_since(store, tmp_path, to):
    layout, out = StoreLayout(store), tmp_path / "out"
    kept = layout.part(1).read_bytes()
    layout.part(1).unlink()
    report = dfsynth.export(store, out, to=to)
    first = report.ok
    assert (report.pending, report.shards_done) == (1, 2)
    assert json.loads((out / "export.json").read_text())["complete"] is False
    write_durably(layout.part(1), kept, layout.scratch, "test")
    report = dfsynth.export(store, out, to=to)
    assert (report.ok, report.images, report.resumed) == (7 - first, 7, True)
    assert dfsynth.export(store, out, to=to).ok == 0
    dfsynth.export(store, tmp_path / "at-once", to=to)
    assert files_of(out) == files_of(tmp_path / "at-once")


KILLED = """
import sys
sys.path.insert(0, sys.argv[4])
from kill_switch import is_killed
from functools import partial
from pathlib import Path
import dfsynth, dfsynth.exports.dicom_template, dfsynth.jobs.export
store, folder, to, _, step = sys.argv[1:]
number, killed = 1, 0
while True:
    out = Path(folder, f"{number:05d}")
    export = partial(dfsynth.export, store, out, to=to)
    # The forked child has no threads yet: those that write start in it.
    if not is_killed(export, number, in_threads=True):
        break
    killed += 1
    export()
    number += int(step)
print(killed)
"""


@each_format
def test_killed_anywhere_then_run_again_it_is_the_same(store, tmp_path, start_child, to):
    support, step = Path(__file__).parents[1] / "support", 241 if to == "dicom" else 41
    child = start_child(KILLED, store, tmp_path / "killed", to, support, step)
    output, errors = child.communicate()
    assert output, errors
    assert int(output) > 2
    dfsynth.export(store, tmp_path / "undisturbed", to=to)
    expected = files_of(tmp_path / "undisturbed")
    for out in (tmp_path / "killed").iterdir():
        assert files_of(out) == expected
        assert list((out / ".export" / "tmp").iterdir()) == []


@each_format
def test_the_entry_of_every_file_is_flushed(store, tmp_path, monkeypatch, to):
    flushed: set[Path] = set()

    def watched(descriptor: int) -> None:
        flushed.add(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", watched)
    out = tmp_path / "out"
    dfsynth.export(store, out, to=to)
    written = [out / name for name in files_of(out)]
    assert {path.parent for path in written} <= flushed


FULL = """
import resource, sys
from pathlib import Path
import dfsynth
from dfsynth.errors import StoreError
store, out, to, limit = sys.argv[1:]
import dfsynth.jobs.export
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
try:
    dfsynth.export(store, out, to=to)
except StoreError as error:
    print(error)
"""


@each_format
def test_a_disk_that_takes_no_more_is_one_line_and_the_same_command_goes_on(
    store, tmp_path, start_child, to
):
    out, whole = tmp_path / "out", tmp_path / "undisturbed"
    dfsynth.export(store, whole, to=to)
    expected = files_of(whole)
    ours = {name: len(content) for name, content in expected.items() if "/" in name}
    limit = max(ours.values()) - 1
    output, errors = start_child(FULL, store, out, to, limit).communicate()
    (line,) = output.splitlines()
    assert "cannot write" in line, errors
    assert "run the same command again" in line
    for name, content in files_of(out).items():
        if "/" in name:
            assert content == expected[name]
    dfsynth.export(store, out, to=to)
    assert files_of(out) == expected


@each_format
def test_another_export_is_refused_and_removed_only_if_asked(store, tmp_path, to):
    out = tmp_path / "out"
    dfsynth.export(store, out, to=to)
    before = files_of(out)
    with pytest.raises(ConflictError, match=r"holds another export; space: .*--overwrite"):
        dfsynth.export(store, out, to=to, space="source")
    assert files_of(out) == before
    (out / "notes.txt").write_text("somebody's own")
    report = dfsynth.export(store, out, to=to, where="row < 5", overwrite=True)
    assert report.resumed is False
    assert sorted(read_export(to, out)) == [row for row in range(5) if row in read_rows(store)]
    assert (out / "notes.txt").read_text() == "somebody's own"


def read_rows(store: Path) -> set[int]:
    """Rows that finished."""
    lines = open_store(store).manifest.to_pylist()
    return {line["row"] for line in lines if line["status"] == "ok"}


@each_format
def test_damaged_values_are_not_passed_on(store, tmp_path, to):
    layout = StoreLayout(store)
    one, other = format_of(layout).shard_files(layout, ["aleatoric", "dark_field"], 1)
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    with pytest.raises(StoreError, match=r"image '.*' of .*--repair"):
        dfsynth.export(store, tmp_path / "out", to=to)


@each_format
def test_pairs_are_exported_too_but_have_no_source(tmp_path, to):
    options = SimulateOptions(out=tmp_path / "pairs.zarr", n=3, size=64, shard_size=2)
    run_simulation(options, ToyPairMaker(options), Silent())
    dfsynth.export(tmp_path / "pairs.zarr", tmp_path / "out", to=to)
    opened, found = open_store(tmp_path / "pairs.zarr"), read_export(to, tmp_path / "out")
    assert set(found) == read_rows(tmp_path / "pairs.zarr")
    assert len(found) > 1
    for row, image in found.items():
        assert image.marked
        for name, values in image.maps.items():
            assert np.abs(values - opened.read(name, row)).max() <= image.steps[name], name
    with pytest.raises(UsageError, match=r"--space source: .* holds pairs"):
        dfsynth.export(tmp_path / "pairs.zarr", tmp_path / "s", to=to, space="source")


def test_the_same_store_in_another_format_gives_the_same_files(store, tmp_path):
    dfsynth.export(store, tmp_path / "x.h5", to="hdf5")
    outs = [tmp_path / "of-zarr", tmp_path / "of-hdf5"]
    for source, out in zip((store, tmp_path / "x.h5"), outs, strict=True):
        dfsynth.export(source, out, to="png")
    one, other = map(files_of, outs)
    records = [json.loads(each.pop("export.json")) for each in (one, other)]
    assert one == other
    assert records[0]["store"] == records[1]["store"]


def test_what_is_not_an_export_of_ours_stays(store, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "a.txt").write_text("somebody's own")
    for overwrite in (False, True):
        with pytest.raises(ConflictError, match=r"holds 'a\.txt' and no export\.json"):
            dfsynth.export(store, theirs, to="png", overwrite=overwrite)
    assert files_of(theirs) == {"a.txt": b"somebody's own"}
    with pytest.raises(UsageError, match="is a file"):
        dfsynth.export(store, theirs / "a.txt", to="png")
    with pytest.raises(UsageError, match="lies in the store"):
        dfsynth.export(store, store / "pictures", to="png")
    out = tmp_path / "out"
    dfsynth.export(store, out, to="png")
    record = out / "export.json"
    record.write_text(record.read_text().replace('"dark_field"', '"../theirs"', 1))
    with pytest.raises(StoreError, match="was changed since"):
        dfsynth.export(store, out, to="png", overwrite=True)


def test_one_process_at_a_time(store, tmp_path):
    out = tmp_path / "out"
    dfsynth.export(store, out, to="png")
    with RunLock(out / ".export" / "lock") as lock:
        assert lock.try_whole()
        with pytest.raises(ConflictError, match="another process exports into"):
            dfsynth.export(store, out, to="png")


def test_what_cannot_be_meant_is_refused(store, tmp_path, run_cli):
    def refused(*arguments: str) -> str:
        status, _, errors = run_cli("export", store, "--out", tmp_path / "o", *arguments)
        assert status == 2
        (line,) = errors.splitlines()
        return line

    assert "--to pgn: did you mean png? expected zarr, hdf5, png" in refused("--to", "pgn")
    assert "expected grid, source" in refused("--to", "png", "--space", "pixels")
    assert "--to png writes uint16" in refused("--to", "png", "--dtype", "float32")
    assert "--include-no-lung goes with --where" in refused("--to", "png", "--include-no-lung")
    assert "no finished image that meets" in refused("--to", "png", "--where", "row < 0")
    hdf5 = ("--to", "hdf5", "--out", str(tmp_path / "o.h5"))
    assert "--where does not go with --to hdf5: a store keeps" in refused(*hdf5, "--where", "true")
    assert "--space source does not go" in refused(*hdf5, "--space", "source")
    assert "--dtype does not go" in refused(*hdf5, "--dtype", "float32")
    assert not list(tmp_path.glob("o*"))


def test_a_store_without_an_image_yet_says_so(store, tmp_path):
    layout = StoreLayout(store)
    for shard in layout.committed_shards():
        layout.part(shard).unlink()
    with pytest.raises(UsageError, match="holds no finished image yet"):
        dfsynth.export(store, tmp_path / "out", to="png")


def test_the_command_says_what_it_did(store, tmp_path, run_cli):
    command = ("export", store, "--to", "png", "--out", tmp_path / "out", "--where", "row < 5")
    status, out, _ = run_cli(*command)
    assert status == 0
    kept = len([row for row in read_rows(store) if row < 5])
    assert f"{kept} images as png" in out
    assert f"left out: 4 rows that failed in the store, {7 - kept} that --where" in out
    found = json.loads(run_cli(*command, "--json")[1])
    assert (found["ok"], found["images"], found["resumed"]) == (0, kept, True)


@pytest.mark.parametrize(
    ("more", "own"),
    [
        (("--to", "png"), 4),
        (("--to", "tiff"), 4),
        (("--to", "dicom"), 4),
        (("--to", "tiff", "--dtype", "float32"), 0),
        (("--to", "parquet"), 0),
    ],
)
def test_images_with_a_scale_of_their_own_are_counted(
    radiographs, tmp_path, monkeypatch, run_cli, more, own
):
    made = ToyGenerator.one

    def bright(self: ToyGenerator, source: ModelInput, image_id: str) -> Generated:
        found = made(self, source, image_id)
        return replace(found, mean=found.mean + 3 * image_id.startswith("part0"))

    monkeypatch.setattr(ToyGenerator, "one", bright)
    store = tmp_path / "x.zarr"
    run_build(BuildOptions(source=str(radiographs), out=store), ToyMaker(), Silent())
    command = ("export", store, "--out", tmp_path / "out", *more)
    assert (f"{own} of the written images" in run_cli(*command)[1]) is (own > 0)
    assert json.loads(run_cli(*command, "--json")[1])["own_scale"] == 0, "it wrote none"
    assert json.loads(run_cli(*command, "--overwrite", "--json")[1])["own_scale"] == own


def test_tiff_keeps_floats_as_they_are(store, tmp_path):
    dfsynth.export(store, tmp_path / "out", to="tiff", dtype="float32")
    opened = open_store(store)
    for row, image in read_export("tiff", tmp_path / "out").items():
        for name, values in image.maps.items():
            np.testing.assert_array_equal(values, opened.read(name, row))


def test_names_are_safe_unique_and_in_order():
    ids = (
        "a/b.png",
        "A/B.png",
        "../../etc/passwd",
        "con",
        "x" * 300,
        "肺.dcm",
        "...",
        "a:b*c?.nii.gz",
    )
    stems = [file_stem(row, image_id) for row, image_id in enumerate(ids)]
    assert stems == sorted(stems)
    assert len({stem.lower() for stem in stems}) == len(ids)
    for stem in stems:
        assert set(stem) <= set("-_0123456789") | set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        )
        assert len(stem) < 80
    assert stems[0] == "0000000-a_b"
    assert stems[5] == "0000005"
