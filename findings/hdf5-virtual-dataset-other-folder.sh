#!/usr/bin/env bash
# HDF5: a virtual dataset whose source is not beside it is read from the folder that the program
# happens to run in: another study's images, without an error.
#
# Versions: h5py 3.16.0 (its wheel brings HDF5 2.0.0), numpy 2.4.6.
#
# Input: two folders, each with scan.h5, a virtual dataset over parts/0.h5 and parts/1.h5 by relative
# paths, fill value NaN, as detectors and pipelines write them. In monday/ both parts are there, full
# of 1. In tuesday/ part 0 is there, full of 2; part 1 is not, as while a scan is still being written.
#
# Expected: HDF5's guide says that the fill value is displayed where a source file is missing, and
# relative names lead from the file with the virtual dataset to its sources, so that both can be
# moved. So tuesday/scan.h5 is 2, then NaN, wherever it is read from.
#
# Seen: from any other folder it is. Read from within monday/ as ../tuesday/scan.h5, it is 2, then 1:
# what is not beside the file is looked for in the current folder too, and monday's part 1 has the
# name. Nothing is said.
#
# Output: as stated: tuesday/scan.h5 is [2, nan] when read from its parent folder and [2, 1] from
# monday/
#
# Why it matters: scans, series and runs are laid out alike, one folder each, so that relative names
# repeat. A half-written or half-copied one, opened from within another's folder, shows a mixture of
# two patients or two experiments, and looks finished. Names that no other file has are safe.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import os
import sys
from pathlib import Path

import h5py
import numpy as np

SHAPE = (1, 4, 4)


def make(folder, value, parts):
    Path(folder, "parts").mkdir(parents=True)
    for part in parts:
        with h5py.File(f"{folder}/parts/{part}.h5", "w") as file:
            file["scan"] = np.full(SHAPE, value, np.float32)
    layout = h5py.VirtualLayout((2, 4, 4), np.float32)
    for part in range(2):
        layout[part] = h5py.VirtualSource(f"parts/{part}.h5", "scan", SHAPE)[0]
    with h5py.File(f"{folder}/scan.h5", "w") as file:
        file.create_virtual_dataset("scan", layout, fillvalue=np.nan)


def seen(path):
    with h5py.File(path) as file:
        return file["scan"][:, 0, 0]


make("monday", 1, parts=(0, 1))
make("tuesday", 2, parts=(0,))
if not np.array_equal(seen("tuesday/scan.h5"), [2, np.nan], equal_nan=True):
    sys.exit("changed: from the parent folder, tuesday/scan.h5 is not 2, then NaN")
os.chdir("monday")
found = seen("../tuesday/scan.h5")
if not np.array_equal(found, [2, 1]):
    sys.exit(f"changed: from monday/, tuesday/scan.h5 is {found}")
print(
    "as stated: tuesday/scan.h5 is [2, nan] when read from its parent folder and [2, 1] from monday/"
)
PYTHON
