#!/usr/bin/env bash
# kerchunk and VirtualiZarr: an HDF5 dataset whose values lie in other files is an array of zeros.
#
# Versions: kerchunk 0.2.10, VirtualiZarr 2.5.1, zarr 3.1.6, h5py 3.16.0 (HDF5 2.0.0), fsspec
# 2026.9.0, obstore 0.12.1, obspec-utils 0.9.0, xarray 2026.9.0, numpy 2.4.6.
#
# Input: a master file as detectors write them, with the same four projections of 1 to 64 counts
# three times: stored in it, as a virtual dataset over two files of two projections beside it, and
# as a dataset with external storage, in a raw file. h5py reads all three.
#
# Expected: both libraries describe an HDF5 file as Zarr without a copy, by the places of its
# chunks, and raise errors for filters that they do not know. The other files have places too; where
# these are out of reach, an error.
#
# Seen: both take the lack of an offset in this file for "no data ever written": an array with the
# right shape, type and attributes, without a chunk. Zarr fills it with the fill value, and every
# count is 0. kerchunk does so with error="raise" as well. The dataset stored in the file is right.
#
# Output: as stated: of 4 projections of 1 to 64 counts, kerchunk and VirtualiZarr see 64 zeros if
# they are a virtual dataset or stored externally, and all counts if they lie in the file
#
# Why it matters: master files with virtual datasets are what detectors of synchrotrons and
# microscopes write, and the index of a large archive is made once, of thousands of files. Zeros are
# counts that an X-ray image can have: a scan without light, or an empty slot of a series.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check kerchunk==0.2.10 \
    virtualizarr==2.5.1 zarr==3.1.6 h5py==3.16.0 fsspec==2026.9.0 obstore==0.12.1 \
    obspec-utils==0.9.0 xarray==2026.9.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
import warnings
from pathlib import Path

import fsspec
import h5py
import numpy as np
import zarr
from kerchunk.hdf import SingleHdf5ToZarr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr.parsers import HDFParser

warnings.simplefilter("ignore")  # Zarr's, that stores of references are new.
counts = np.arange(1, 65, dtype="<u2").reshape(4, 4, 4)
layout = h5py.VirtualLayout(counts.shape, counts.dtype)
for part in range(2):
    with h5py.File(f"part{part}.h5", "w") as file:
        file["counts"] = counts[2 * part : 2 * part + 2]
        layout[2 * part : 2 * part + 2] = h5py.VirtualSource(file["counts"])
counts.tofile("counts.raw")
with h5py.File("master.h5", "w") as file:
    file["inside"] = counts
    file.create_virtual_dataset("virtual", layout)
    outside = [("counts.raw", 0, counts.nbytes)]
    file.create_dataset("external", counts.shape, counts.dtype, external=outside)
names = ("inside", "virtual", "external")
with h5py.File("master.h5") as file:
    for name in names:
        if not np.array_equal(file[name][:], counts):
            sys.exit(f"changed: h5py reads {file[name][:]} of {name}")

references = SingleHdf5ToZarr("master.h5", error="raise").translate()
files = fsspec.filesystem("reference", fo=references, asynchronous=True)
store = zarr.storage.FsspecStore(files, read_only=True, path="")
by_kerchunk = zarr.open_group(store, mode="r", zarr_format=2)

registry = ObjectStoreRegistry({"file://": LocalStore()})
manifest = HDFParser()(url=Path("master.h5").absolute().as_uri(), registry=registry)
by_virtualizarr = zarr.open_group(manifest, mode="r", zarr_format=3)

for library, group in (("kerchunk", by_kerchunk), ("VirtualiZarr", by_virtualizarr)):
    for name in names:
        wanted = counts if name == "inside" else np.zeros_like(counts)
        if not np.array_equal(group[name][:], wanted):
            sys.exit(f"changed: {library} reads {group[name][:]} of {name}")
print(
    f"as stated: of 4 projections of 1 to 64 counts, kerchunk and VirtualiZarr see {counts.size} "
    "zeros if they are a virtual dataset or stored externally, and all counts if they lie in the "
    "file"
)
PYTHON
