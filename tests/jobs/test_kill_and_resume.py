"""A build killed anywhere and run again ends in a store equal to one never interrupted."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

KILLED_BUILD = Path(__file__).with_name("killed_build.py")
SUPPORT = Path(__file__).parents[1] / "support"

SLOW_BUILD = """
import sys, time
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from toy_generator import ToyGenerator, ToyMaker
from dfsynth.options import BuildOptions
from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.progress import Silent

class Slow(ToyGenerator):
    def generate(self, inputs, image_ids):
        time.sleep(0.02)
        return super().generate(inputs, image_ids)

class SlowMaker(ToyMaker):
    def make(self, precision, grid):
        return Slow(self.batch_size, self.seed)

print("ready", flush=True)
options = BuildOptions(source=sys.argv[1], out=Path(sys.argv[2]), shard_size=4, workers=1)
report = run_build(options, SlowMaker(), Silent())
print(report.ok, report.failed, report.elsewhere, flush=True)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("pictures"), 7)
    write_bad_files(root)
    return root


@pytest.fixture(scope="module")
def whole(pictures, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "x.zarr"
    run_build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    return out


@pytest.mark.slow
def test_killed_at_any_call_then_resumed_is_equal(pictures, whole, tmp_path):
    stride = 7
    ended = subprocess.run(
        [sys.executable, KILLED_BUILD, pictures, tmp_path, str(stride)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 40, "the kills must reach from planning to the last commit"
    stores = sorted(tmp_path.glob("*/x.zarr"))
    assert len(stores) >= int(ended.stdout)
    for store in stores:
        assert_equal_stores(store, whole)
        assert list((store / "run" / "tmp").iterdir()) == []


def start_slow_build(pictures: Path, out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, str(pictures), str(out), str(SUPPORT)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_random_moments_then_resumed_is_equal(pictures, whole, tmp_path):
    out = tmp_path / "x.zarr"
    for delay_s in (0.05, 0.1, 0.15):
        process = start_slow_build(pictures, out)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start_slow_build(pictures, out)
    process.communicate()
    assert process.returncode == 0
    assert_equal_stores(out, whole)


def test_two_processes_share_a_store_and_do_nothing_twice(pictures, whole, tmp_path):
    out = tmp_path / "x.zarr"
    processes = [start_slow_build(pictures, out) for _ in range(2)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    done = sum(int(n) for text in outputs for n in text.split()[:2])
    assert done == 11, "each row is written by exactly one of the two"
    assert_equal_stores(out, whole)


def test_resume_of_a_finished_store_lists_and_loads_nothing(pictures, whole, monkeypatch):
    monkeypatch.setattr("dfsynth.source.folder.FolderSource.listing", None)
    maker = ToyMaker()
    options = BuildOptions(source=str(pictures), out=whole, shard_size=4)
    report = run_build(options, maker, Silent())
    assert report.resumed
    assert (report.ok, report.failed, report.shards_done) == (0, 0, 3)
    assert maker.made == 0


def test_build_json_is_what_makes_a_store(whole):
    record = json.loads((whole / "run" / "build.json").read_text())
    assert record["rows"] == 11
    assert open_store(whole).manifest.num_rows == 11


def test_resuming_with_another_folder_is_refused_before_rows_are_lost(pictures, tmp_path):
    out, other = tmp_path / "x.zarr", tmp_path / pictures.name
    run_build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    (out / "manifest" / "part-0000001.parquet").unlink()
    other.mkdir()
    (other / "unrelated.png").write_bytes(b"")
    with pytest.raises(UsageError, match="read before are gone"):
        run_build(BuildOptions(source=str(other), out=out, shard_size=4), ToyMaker(), Silent())
    assert open_store(out).manifest.num_rows == 7
