"""Builds from archives, shards, patterns and lists: each image once, resumed without a listing."""

import hashlib
import io
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.engine import RunReport
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import container_source, folder, pattern_source
from dfsynth.store.opened import open_store

Files = Mapping[str, bytes]
BAD = 4


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    """Nine images and a file of each kind that gives none."""
    root = write_folder(tmp_path_factory.mktemp("pictures"), 9)
    assert len(write_bad_files(root)) == BAD
    paths = sorted(root.rglob("*.png"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def write_tar(path: Path, files: Files, mode: Literal["w", "w:gz"]) -> None:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def tar(root: Path, files: Files) -> str:
    write_tar(root / "x.tar", files, "w")
    return str(root / "x.tar")


def tar_gz(root: Path, files: Files) -> str:
    write_tar(root / "x.tar.gz", files, "w:gz")
    return str(root / "x.tar.gz")


def zips(root: Path, files: Files) -> str:
    for number in range(3):
        with zipfile.ZipFile(root / f"{number}.zip", "w") as archive:
            for name in [*files][number::3]:
                archive.writestr(name, files[name])
    return str(root)


def shards(root: Path, files: Files) -> str:
    for number in range(2):
        rows = [{"bytes": files[name], "path": name} for name in [*files][number::2]]
        table = pa.table({"image": rows})
        pq.write_table(table, root / f"train-{number}.parquet", row_group_size=3)
    return str(root / "train-{0..1}.parquet")


def studies(root: Path, files: Files) -> str:
    for name, content in files.items():
        path = (root / "study" / name).with_suffix(".dcm")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return f"{root}/**.dcm"


def build(spec: str, out: Path, root: Path | None = None) -> RunReport:
    options = BuildOptions(
        source=spec, out=out, root=root, checkpoint="toy", shard_size=4, mc_samples=2, workers=3
    )
    return run_build(options, ToyMaker(), Silent())


def assert_holds(out: Path, files: Files) -> None:
    manifest = open_store(out).manifest
    digests = [digest for digest in manifest["source_sha256"].to_pylist() if digest is not None]
    expected = [hashlib.sha256(content).hexdigest() for content in files.values() if content]
    assert sorted(digests) == sorted(expected)
    assert len(set(manifest["image_id"].to_pylist())) == len(files)


@pytest.mark.parametrize("write", [tar, tar_gz, zips, shards, studies])
def test_each_image_once_and_again_after_a_loss(tmp_path, files, write, monkeypatch) -> None:
    (tmp_path / "source").mkdir()
    spec = write(tmp_path / "source", files)
    whole, out = tmp_path / "whole.zarr", tmp_path / "out.zarr"
    report = build(spec, whole)
    assert (report.ok, report.failed) == (len(files) - BAD, BAD)
    assert_holds(whole, files)
    shutil.copytree(whole, out)
    (out / "manifest" / "part-0000001.parquet").unlink()
    (out / "dark_field" / "c.1.0.0").unlink()
    for module, name in (
        (container_source, "ContainerSource"),
        (folder, "FolderSource"),
        (pattern_source, "PatternSource"),
    ):
        monkeypatch.setattr(getattr(module, name), "listing", None)
    report = build(spec, out)
    assert (report.resumed, report.ok + report.failed) == (True, 4)
    assert_equal_stores(out, whole)


def test_a_list_is_needed_once(tmp_path, files, monkeypatch) -> None:
    for name, content in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(content)
    stdin = io.TextIOWrapper(io.BytesIO("\0".join(files).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    whole, out = tmp_path / "whole.zarr", tmp_path / "out.zarr"
    build("-", whole, tmp_path / "root")
    assert_holds(whole, files)
    assert open_store(whole).manifest["image_id"].to_pylist() == [*files]
    shutil.copytree(whole, out)
    (out / "manifest" / "part-0000000.parquet").unlink()
    assert build("-", out, tmp_path / "root").resumed
    assert_equal_stores(out, whole)
