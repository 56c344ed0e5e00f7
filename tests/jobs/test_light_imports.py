"""A build loads nothing of training and evaluation, which are slow to load and may be missing."""

import subprocess
from collections.abc import Callable
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


def test_a_build_loads_nothing_of_training(
    tiny_checkpoint: Path, tmp_path: Path, start_child: Callable[..., "subprocess.Popen[str]"]
) -> None:
    source, _ = write_pair_folders(tmp_path, 2)
    child = start_child(BUILD, tiny_checkpoint, source, tmp_path / "x.zarr")
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    loaded = output.split()
    assert "dfsynth.inference" in loaded
    assert not [m for m in loaded if f"{m}.".startswith(tuple(f"{u}." for u in UNWANTED))]
