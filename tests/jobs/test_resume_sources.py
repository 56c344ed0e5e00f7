"""A store is only continued from the source that it was planned from, wherever that lies now."""

import shutil
import tarfile

import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.errors import ConflictError, DfsynthError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent


def run(source, out):
    options = BuildOptions(
        source=str(source), out=out, checkpoint="toy", shard_size=2, mc_samples=2, device="cpu"
    )
    return run_build(options, ToyMaker(), Silent())


def test_another_folder_is_refused_and_a_moved_one_is_not(tmp_path):
    write_folder(tmp_path / "chests", 4)
    write_folder(tmp_path / "wrists", 4)
    run(tmp_path / "chests", tmp_path / "x.zarr")
    with pytest.raises(ConflictError, match=r"folder:chests.*folder:wrists"):
        run(tmp_path / "wrists", tmp_path / "x.zarr")
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "chests", tmp_path / "moved" / "chests")
    run(tmp_path / "moved" / "chests", tmp_path / "x.zarr")


def test_a_tar_written_anew_ends_the_run_and_fails_no_image(tmp_path):
    write_folder(tmp_path / "chests", 4)
    files = sorted((tmp_path / "chests").rglob("*.png"))
    for file in files:
        # PNG readers stop at the end mark, so that all can be made equally long.
        file.write_bytes(file.read_bytes().ljust(1 << 16, b"\0"))
    out = tmp_path / "x.zarr"
    archive = tmp_path / "t.tar"

    def pack(order):
        with tarfile.open(archive, "w") as tar:
            for file in order:
                tar.add(file, file.relative_to(tmp_path))

    pack(files)
    run(archive, out)
    shutil.rmtree(out / "manifest")
    (out / "manifest").mkdir()
    pack(reversed(files))
    with pytest.raises(DfsynthError, match=r"t\.tar is not the one that was planned"):
        run(archive, out)
    assert not list((out / "manifest").iterdir())
