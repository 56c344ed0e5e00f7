"""A build loads nothing of training and evaluation, which are slow to load and may be missing."""

import os
import subprocess
import sys
from pathlib import Path

from pair_files import write_pair_folders

BUILD = """
import sys
import dfsynth
checkpoint, source, out = sys.argv[1:]
report = dfsynth.build(
    source, out, checkpoint=checkpoint, size=32, mc_samples=2, precision="fp32", workers=1
)
assert report.ok == 2, report
print(*sorted(sys.modules))
"""
UNWANTED = ("dfsynth.train", "dfsynth.evaluate", "dfsynth.simulation", "matplotlib", "torchmetrics")


def test_a_build_loads_nothing_of_training(tiny_checkpoint: Path, tmp_path: Path) -> None:
    source, _ = write_pair_folders(tmp_path, 2)
    arguments = [str(tiny_checkpoint), str(source), str(tmp_path / "x.zarr")]
    done = subprocess.run(
        [sys.executable, "-c", BUILD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "dfsynth.inference" in loaded
    assert not [m for m in loaded if f"{m}.".startswith(tuple(f"{u}." for u in UNWANTED))]
