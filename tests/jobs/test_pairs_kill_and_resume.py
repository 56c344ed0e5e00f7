"""A simulation killed anywhere and run again ends in a store equal to one never interrupted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_content import assert_equal_stores
from toy_simulator import ToyPairMaker

from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent

KILLED_RUN = Path(__file__).with_name("killed_build.py")
SUPPORT = Path(__file__).parents[1] / "support"

SLOW_RUN = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from toy_simulator import ToyPairMaker
from dfsynth.options import SimulateOptions
from dfsynth.jobs.simulate import run_simulation
from dfsynth.progress import Silent

class SlowMaker(ToyPairMaker):
    def make(self, item):
        time.sleep(0.02)
        return super().make(item)

print("ready", flush=True)
options = SimulateOptions(out=Path(sys.argv[1]), n=11, size=64, shard_size=4, workers=1)
report = run_simulation(options, SlowMaker(options), Silent())
print(report.ok, report.failed, report.elsewhere, flush=True)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "x.zarr"
    options = SimulateOptions(out=out, n=11, size=64, shard_size=4)
    run_simulation(options, ToyPairMaker(options), Silent())
    return out


@pytest.mark.slow
def test_killed_at_any_call_then_resumed_is_equal(whole, tmp_path):
    stride = 17
    ended = subprocess.run(
        [sys.executable, KILLED_RUN, "pairs", tmp_path, str(stride)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 15, "the kills must reach from planning to the last commit"
    stores = sorted(tmp_path.glob("*/x.zarr"))
    assert len(stores) >= int(ended.stdout)
    for store in stores:
        assert_equal_stores(store, whole)
        assert list((store / "run" / "tmp").iterdir()) == []


def start_slow_run(out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(out), str(SUPPORT)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_random_moments_then_resumed_is_equal(whole, tmp_path):
    out = tmp_path / "x.zarr"
    for delay_s in (0.05, 0.15):
        process = start_slow_run(out)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start_slow_run(out)
    process.communicate()
    assert process.returncode == 0
    assert_equal_stores(out, whole)


def test_two_processes_share_a_store_and_make_nothing_twice(whole, tmp_path):
    out = tmp_path / "x.zarr"
    processes = [start_slow_run(out) for _ in range(2)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    done = sum(int(n) for text in outputs for n in text.split()[:2])
    assert done == 11, "each row is written by exactly one of the two"
    assert_equal_stores(out, whole)


def test_resume_of_a_finished_store_lists_and_opens_nothing(whole):
    options = SimulateOptions(out=whole, n=11, size=64, shard_size=4)
    maker = ToyPairMaker(options)
    report = run_simulation(options, maker, Silent())
    assert report.resumed
    assert (report.ok, report.failed, report.shards_done) == (0, 0, 3)
    assert (maker.listed, maker.opened) == (0, 0)
