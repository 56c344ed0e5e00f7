"""Of the files that a store lives by, no changed bit goes unnoticed, or it changes nothing."""

import json
import shutil
from pathlib import Path

import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.errors import DfsynthError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

FILES = ("manifest/part-0000001.parquet", "run/plan.pq", "run/build.json", "zarr.json")
ARRAY_FILES = ("dark_field/zarr.json", "epistemic/zarr.json")
VERSION_0_1 = Path(__file__).parents[1] / "data" / "v0_1"
FLIPS = 60
"""Of each file, spread over all of it."""


@pytest.fixture(scope="module")
def radiographs(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("radiographs"), 5)
    write_bad_files(root)
    return root


@pytest.fixture(scope="module")
def whole(radiographs, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "x.zarr"
    run_build(BuildOptions(source=str(radiographs), out=out, shard_size=4), ToyMaker(), Silent())
    return out


@pytest.fixture
def store(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "x.zarr"))


def is_found(store: Path) -> bool:
    """Whether verifying says that something is wrong; any other error is a failure."""
    try:
        return bool(verify_store(store, False, Silent()).damage)
    except DfsynthError:
        return True


@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("images.zarr/manifest/part-0000000.parquet", 28223),
        ("images.zarr/run/plan.parquet", 10248),
        ("images.zarr/run/plan.parquet", 10431),
        ("pairs.zarr/run/build.json", 3213),
    ],
)
def test_a_changed_bit_in_a_store_of_version_0_1_is_named(tmp_path, name, bit):
    """Each falls on a name, of a column or of an array, and no checksum stands for it."""
    stores = Path(shutil.copytree(VERSION_0_1, tmp_path / "v0_1"))
    data = bytearray((stores / name).read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    (stores / name).write_bytes(data)
    assert is_found(stores / Path(name).parts[0])


def same_document(one: Path, other: Path) -> bool:
    return json.loads(one.read_bytes()) == json.loads(other.read_bytes())


@pytest.mark.parametrize("name", [*FILES, *ARRAY_FILES])
def test_a_changed_bit_is_found_or_changes_nothing(store, whole, name):
    path, data = store / name, (whole / name).read_bytes()
    stride = max(len(data) * 8 // FLIPS, 1) | 1  # odd: each bit of a byte has its turn
    found = 0
    for bit in range(0, len(data) * 8, stride):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        if is_found(store):
            found += 1
        elif name.endswith(".json"):
            assert same_document(path, whole / name), bit
        else:
            assert_equal_stores(store, whole)
    assert found > FLIPS // 2


def test_a_changed_part_is_queued_again(store, whole, radiographs):
    part = store / FILES[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    assert verify_store(store, True, Silent()).requeued == (1,)
    run_build(BuildOptions(source=str(radiographs), out=store, shard_size=4), ToyMaker(), Silent())
    assert_equal_stores(store, whole)


@pytest.mark.parametrize("name", ["zarr.json", *ARRAY_FILES])
def test_a_document_that_is_gone_or_changed_is_written_anew(store, whole, name):
    for damage in (Path.unlink, lambda path: path.write_text('{"zarr_format": 3}')):
        damage(store / name)
        (found,) = verify_store(store, True, Silent()).damage
        assert found.shard is None
        assert name in found.what
        assert (store / name).read_bytes() == (whole / name).read_bytes()
