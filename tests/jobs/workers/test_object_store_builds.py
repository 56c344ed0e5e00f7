"""Builds by several workers whose store, and whose images, lie in an object store."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from dying_worker import MARK, DyingActor
from object_server import Bucket, environment, serving
from radiograph_files import write_bad_files, write_folder

from dfsynth.errors import ConflictError
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.build_remote import build_anywhere
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.remote_shards import working_folder
from dfsynth.jobs.verify import verify_store
from dfsynth.jobs.workers import processes
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.store.opened import open_store

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deaths")


@pytest.fixture(scope="module")
def bucket(deaths: Path) -> Iterator[Bucket]:
    """Known to this process and to those that it starts, which find what tests share."""
    paths = [str(ROOT), str(SUPPORT), os.environ.get("PYTHONPATH", "")]
    with serving() as url, pytest.MonkeyPatch.context() as patch:
        named = {
            **environment(url),
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "RAY_USAGE_STATS_ENABLED": "0",
            MARK: str(deaths),
        }
        for name, value in named.items():
            patch.setenv(name, value)
        yield Bucket("workers")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, bucket: Bucket) -> Path:
    """On the disk, and the same in the bucket."""
    root = write_folder(tmp_path_factory.mktemp("parent") / "images", 9)
    write_bad_files(root)
    for path in filter(Path.is_file, root.rglob("*")):
        bucket.put(f"images/{path.relative_to(root).as_posix()}", path.read_bytes())
    return root


@pytest.fixture
def options(
    images: Path,
    bucket: Bucket,
    tmp_path: Path,
    tiny_checkpoint: Path,
    request: pytest.FixtureRequest,
) -> BuildOptions:
    return BuildOptions(
        source=f"{bucket.url}/images",
        out=ObjectPath(bucket.name, f"{request.node.name}.zarr"),
        checkpoint=str(tiny_checkpoint),
        mc_samples=2,
        shard_size=3,
        precision="fp32",
    )


def build(options: BuildOptions, told: Told | None = None) -> RunReport:
    return build_anywhere(options, CheckpointMaker(replace(options, device="cpu")), told or Told())


def require_equal(spread: RunReport, options: BuildOptions, images: Path, here: Path) -> None:
    """The store, and what is said of the run, are those of one process and a disk."""
    alone = build(
        replace(options, source=str(images), out=here, device="cpu", engine="local", ray_cores=None)
    )
    ours, theirs = open_store(str(options.out)), open_store(here)
    assert ours.manifest.drop(["seconds"]).equals(theirs.manifest.drop(["seconds"]))
    for name in theirs.maps:
        np.testing.assert_array_equal(
            np.asarray(ours.arrays[name]), np.asarray(theirs.arrays[name])
        )
    assert verify_store(str(options.out), False, Silent()).damage == ()
    counts = (spread.ok, spread.failed, spread.failures, spread.shards_done, spread.elsewhere)
    assert counts == (alone.ok, alone.failed, alone.failures, alone.shards, 0)
    assert spread.store == str(options.out)


def require_whole(bucket: Bucket, options: BuildOptions, here: Path) -> None:
    """Every object of the store, and none beside them; the card is that of a finished one."""
    assert isinstance(options.out, ObjectPath)
    content = bucket.contents(options.out.prefix)
    files = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    assert {key.removeprefix(options.out.prefix) for key in content} == files - {"run/lock"}
    assert content[f"{options.out.prefix}README.md"] == (here / "README.md").read_bytes()


@pytest.mark.slow
def test_processes_put_their_shards_themselves(
    options: BuildOptions,
    images: Path,
    bucket: Bucket,
    deaths: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dfsynth.jobs.workers.driver.gpus_here", lambda _: ("cpu", "cpu"))
    kill = "from dying_worker import die_in_mid_shard; die_in_mid_shard(2, 1)"
    program = processes._PROGRAM.replace("; main()", f"; {kill}; main()")
    monkeypatch.setattr(processes, "_PROGRAM", program)
    there, told = replace(options, device="cuda:all"), Told()
    spread = build(there, told)
    assert [line for line in told.messages if "(killed by SIGKILL); it is started anew" in line]
    require_equal(spread, there, images, tmp_path / "one.zarr")
    require_whole(bucket, there, tmp_path / "one.zarr")
    again = build(there)
    assert (again.ok, again.failed, again.resumed) == (0, 0, True)


@pytest.fixture
def ray(bucket: Bucket) -> Iterator[ModuleType]:
    """Connected to two cores, one for each worker, whose environment names the bucket's store."""
    found = pytest.importorskip("ray")
    found.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield found
    found.shutdown()


@pytest.mark.slow
def test_workers_of_ray_put_their_shards_themselves(
    ray: ModuleType,
    options: BuildOptions,
    images: Path,
    bucket: Bucket,
    deaths: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ray.is_initialized()
    for path in deaths.iterdir():
        path.unlink()
    monkeypatch.setattr("dfsynth.jobs.workers.ray_workers.RayActor", DyingActor)
    there, told = replace(options, engine="ray", ray_cores=1), Told()
    spread = build(there, told)
    assert [path.name for path in deaths.iterdir()] == ["0"], "one worker was killed"
    assert [line for line in told.messages if "it is started anew" in line]
    require_equal(spread, there, images, tmp_path / "one.zarr")
    require_whole(bucket, there, tmp_path / "one.zarr")


def test_a_worker_that_finds_no_store_says_what_its_environment_lacks(bucket: Bucket) -> None:
    with (
        pytest.raises(ConflictError, match=r"found no store at s3://workers/x\.zarr.*environment"),
        working_folder(ObjectPath(bucket.name, "x.zarr")),
    ):
        pass
