"""Builds on a real Ray cluster of two workers on this machine."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dying_worker import MARK, DyingActor
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores

from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.engine import RunReport
from dfsynth.options import BuildOptions
from dfsynth.progress import Told
from dfsynth.store.opened import open_store

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow
SUPPORT = Path(__file__).parents[2] / "support"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def deaths(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("deaths")


@pytest.fixture(scope="module")
def cluster(deaths) -> Iterator[None]:
    """Two cores, one for each worker; its processes find this package and what tests share."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(ROOT), str(SUPPORT), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv(MARK, str(deaths))
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("images"), 17)
    write_bad_files(root)
    return root


@pytest.fixture
def options(images, tmp_path, tiny_checkpoint) -> BuildOptions:
    return BuildOptions(
        source=str(images),
        out=tmp_path / "x.zarr",
        checkpoint=str(tiny_checkpoint),
        mc_samples=2,
        shard_size=3,
        engine="ray",
        ray_cores=1,
    )


def build(options: BuildOptions, told: Told | None = None) -> RunReport:
    return run_build(options, CheckpointMaker(options), told or Told())


def test_a_worker_killed_in_mid_shard_costs_nothing(
    cluster, deaths, options, tmp_path, monkeypatch
):
    here = replace(options, engine="local", ray_cores=None, out=tmp_path / "one.zarr")
    alone = build(here)
    monkeypatch.setattr("dfsynth.jobs.workers.ray_workers.RayActor", DyingActor)
    told = Told()
    spread = build(options, told)
    assert [path.name for path in deaths.iterdir()] == ["0"], "one worker was killed"
    (death,) = [line for line in told.messages if " died " in line]
    assert "it is started anew" in death
    assert len(told.messages) < 5, "what both workers say is said once"
    assert_equal_stores(options.out, here.out)
    assert (spread.ok, spread.failed, spread.failures) == (alone.ok, alone.failed, alone.failures)
    assert (spread.shards_done, spread.elsewhere) == (alone.shards, 0)


def test_precision_and_shard_size_are_those_of_the_workers(cluster, options):
    build(replace(options, shard_size=None))
    record = open_store(options.out).provenance
    assert record["precision"] in ("fp32", "bf16")


def test_a_worker_with_other_code_is_refused(cluster, options, monkeypatch):
    monkeypatch.setattr("dfsynth.jobs.workers.ray_workers.code_digest", lambda: "0" * 16)
    with pytest.raises(UsageError, match=r"worker 0 .* has another dfsynth: .* code 0{16}"):
        build(options)
    assert not options.out.exists()


def test_a_cluster_without_a_gpu_says_so(cluster, options):
    with pytest.raises(UsageError, match="found no GPU on the 1 machines of the Ray cluster"):
        build(replace(options, device="cuda"))


def test_an_address_where_nobody_listens_is_one_line(options, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Ray cluster at {address}; start one"):
            build(replace(options, ray_address=address))


def test_an_address_for_clients_is_refused(options, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UsageError, match="must run on a machine of the cluster"):
        build(replace(options, ray_address="ray://head:10001"))
