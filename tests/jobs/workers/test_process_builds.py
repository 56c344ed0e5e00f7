"""Builds by several processes of one machine, and what the engines refuse before they start."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from dying_worker import MARK
from error_lines import one_line
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.build import run_build
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.workers import processes
from dfsynth.jobs.workers.messages import decode_options, encode_options
from dfsynth.jobs.workers.ray_cluster import Places, places_of
from dfsynth.options import BuildOptions
from dfsynth.progress import Told

CPU_NODE = {"CPU": 16.0, "memory": 1e9}
GPU_NODE = {"CPU": 32.0, "GPU": 4.0}


@pytest.fixture
def images(tmp_path) -> Path:
    root = write_folder(tmp_path / "images", 9)
    write_bad_files(root)
    return root


@pytest.fixture
def options(images, tmp_path, tiny_checkpoint, monkeypatch) -> BuildOptions:
    """Of a build by two processes, both on the CPU."""
    monkeypatch.setattr("dfsynth.jobs.workers.driver.gpus_here", lambda _: ("cpu", "cpu"))
    return BuildOptions(
        source=str(images),
        out=tmp_path / "x.zarr",
        checkpoint=str(tiny_checkpoint),
        mc_samples=2,
        shard_size=3,
        precision="fp32",
        device="cuda:all",
    )


def build(options: BuildOptions, told: Told | None = None) -> RunReport:
    return run_build(options, CheckpointMaker(replace(options, device="cpu")), told or Told())


def dying(monkeypatch, folder: Path, times: int) -> None:
    """Workers from here on are killed at their second row, so many of them."""
    folder.mkdir()
    monkeypatch.setenv(MARK, str(folder))
    kill = f"from dying_worker import die_in_mid_shard; die_in_mid_shard(2, {times})"
    monkeypatch.setattr(
        processes, "_PROGRAM", processes._PROGRAM.replace("; main()", f"; {kill}; main()")
    )


@pytest.mark.slow
def test_a_process_killed_in_mid_shard_costs_nothing(options, tmp_path, monkeypatch):
    here = replace(options, device="cpu", out=tmp_path / "one.zarr")
    alone = build(here)
    dying(monkeypatch, tmp_path / "deaths", 1)
    told = Told()
    spread = build(options, told)
    (death,) = [line for line in told.messages if " died " in line]
    assert "(killed by SIGKILL); it is started anew" in death
    assert_equal_stores(options.out, here.out)
    assert (spread.ok, spread.failed, spread.failures) == (alone.ok, alone.failed, alone.failures)


@pytest.mark.slow
def test_processes_that_die_at_one_shard_end_the_run(options, tmp_path, monkeypatch):
    dying(monkeypatch, tmp_path / "deaths", 10)
    with pytest.raises(DfsynthError, match=r"died at shard \d+, as 2 before it did: killed by"):
        build(options)


@pytest.mark.slow
def test_the_first_error_of_a_process_ends_the_run(options, tmp_path, monkeypatch):
    class Planned(Told):
        """The source goes away as soon as the store is planned."""

        def start(self, images: int) -> None:  # noqa: ARG002
            Path(options.source).rename(tmp_path / "elsewhere")

    with pytest.raises(UsageError, match=r"^worker \d \(cpu\): unknown source"):
        build(options, Planned())


def test_no_gpu_for_a_process_on_each_is_one_line(
    run_cli, images, tmp_path, tiny_checkpoint, monkeypatch
):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    given = ("--source", images, "--out", tmp_path / "x.zarr", "--checkpoint", tiny_checkpoint)
    status, _, errors = run_cli("build", *given, "--device", "cuda:all")
    assert status == 2
    assert "'cuda:all' is not there: this machine shows 0 CUDA devices" in one_line(errors)
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_ray_that_is_not_installed_is_one_line(
    run_cli, images, tmp_path, tiny_checkpoint, monkeypatch, dry
):
    monkeypatch.setitem(sys.modules, "ray", None)
    given = ("--source", images, "--out", tmp_path / "x.zarr", "--checkpoint", tiny_checkpoint)
    status, _, errors = run_cli("build", *given, "--engine", "ray", *dry)
    assert status == 2
    assert "install dfsynth with its extra: dfsynth[ray]" in one_line(errors)
    assert not (tmp_path / "x.zarr").exists()


def test_options_come_through_to_a_worker():
    given = BuildOptions(
        source="a", out=Path("x.zarr"), size=(64, 32), partition=(1, 3), retry_failed=("timeout",)
    )
    assert decode_options(encode_options(given)) == given
    remote = replace(given, root=ObjectPath("b", "images"), out=ObjectPath("b", "x.zarr"))
    assert decode_options(encode_options(remote)) == remote


@pytest.mark.parametrize(
    ("nodes", "device", "workers", "cores", "expected"),
    [
        ([CPU_NODE], "auto", None, None, Places(4, 4, 0)),
        ([CPU_NODE, {"CPU": 3.0}], "auto", None, 1, Places(19, 1, 0)),
        ([{"CPU": 2.0}], "cpu", None, None, Places(1, 2, 0)),
        ([CPU_NODE], "auto", 2, None, Places(2, 4, 0)),
        ([CPU_NODE, GPU_NODE], "auto", None, None, Places(4, 8, 1)),
        ([CPU_NODE, GPU_NODE], "cpu", None, 8, Places(6, 8, 0)),
        ([GPU_NODE, {"CPU": 4.0, "GPU": 2.0}], "cuda", None, None, Places(6, 2, 1)),
        ([CPU_NODE], "cuda", 8, None, Places(8, 4, 1)),
    ],
)
def test_one_worker_a_gpu_or_a_group_of_cores(nodes, device, workers, cores, expected):
    assert places_of(nodes, device, workers, cores) == expected


def test_cores_that_no_machine_has_are_refused():
    with pytest.raises(UsageError, match="found 16 CPUs on its largest machine, expected 64"):
        places_of([CPU_NODE], "cpu", None, 64)
