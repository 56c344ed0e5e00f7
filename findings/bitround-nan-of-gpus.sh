#!/usr/bin/env bash
# numcodecs: BitRound, and with it Zarr, stores a missing value as 0 if an NVIDIA GPU computed it.
#
# Versions: numcodecs 0.16.6, zarr 3.1.6, numpy 2.4.6. Beside them: netCDF4 1.7.5.1.post1, and
# nvidia-cuda-runtime 13.5.37 for one line of a header of CUDA.
#
# Input: a float32 map with two values that are missing. One is NaN as numpy writes it, 0x7FC00000;
# the other NaN as NVIDIA's GPUs write it, 0x7FFFFFFF, which is the CUDART_NAN_F of CUDA's header
# math_constants.h. numpy.isnan is true of both. Stored with 10 bits of the mantissa, and read.
#
# Expected: NaN. The codec is documented to drop bits of the mantissa. What is not a number remains
# so whatever its bits; the BitRound of netCDF keeps it.
#
# Seen: the codec adds half of the last kept bit to the bits as an integer. From 0x7FFFFFFF this
# carries through the exponent into the sign: the value is read as -0.0, an ordinary number. With
# the sign set it becomes 0.0; half precision does the same, and NaN of 0x7F800001 becomes infinity.
# numpy's own NaN survives, so that a test made with numpy.nan sees nothing.
#
# Output: as stated: NaN of 0x7fffffff is read as -0.0 from Zarr with BitRound, and as nan from
# netCDF with BitRound; NaN of 0x7fc00000 as nan from both
#
# Why it matters: maps of a network or a reconstruction that ran on a GPU are NaN where nothing is
# known: outside of the field of view, or where a logarithm had no light. Copied to the CPU, they
# keep their bits. Stored so, the places are 0, which is a valid phase, HU or dark field: water and
# air in their place, means that are pulled to 0, and no mask.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check numcodecs==0.16.6 zarr==3.1.6 \
    numpy==2.4.6 netCDF4==1.7.5.1.post1 nvidia-cuda-runtime==13.5.37
venv/bin/python - <<'PYTHON'
import re
import sys
import warnings
from pathlib import Path

import netCDF4
import numcodecs
import numpy as np
import zarr
import zarr.codecs.numcodecs

warnings.simplefilter("ignore")  # Zarr's, that this codec is not part of its version 3.
header = next(Path(sys.prefix).rglob("math_constants.h")).read_text(encoding="utf-8")
gpu = int(re.search(r"CUDART_NAN_F\s+__int_as_float\(0x([0-9a-f]+)", header)[1], 16)
if gpu != 0x7FFFFFFF:
    sys.exit(f"changed: CUDA's NaN is {gpu:#x}")
values = np.array([gpu, 0x7FC00000, 0x3FC00000], np.uint32).view(np.float32)  # NaN, NaN, 1.5
if not np.array_equal(np.isnan(values), [True, True, False]):
    sys.exit(f"changed: numpy takes the values for {values}")

options = {"shape": values.shape, "chunks": values.shape, "dtype": "float32"}
rounding = zarr.codecs.numcodecs.BitRound(keepbits=10)
zarr.create_array("map.zarr", filters=[rounding], fill_value=np.nan, **options)[:] = values
by_zarr = zarr.open_array("map.zarr", mode="r")[:]

with netCDF4.Dataset("map.nc", "w") as file:
    file.createDimension("pixel", values.size)
    quantized = {"significant_digits": 10, "quantize_mode": "BitRound"}
    file.createVariable("map", "f4", ("pixel",), zlib=True, **quantized)[:] = values
with netCDF4.Dataset("map.nc") as file:
    by_netcdf = np.ma.getdata(file["map"][:])

if not np.array_equal(by_netcdf, [np.nan, np.nan, 1.5], equal_nan=True):
    sys.exit(f"changed: netCDF reads {by_netcdf}")
if not np.array_equal(by_zarr, [0, np.nan, 1.5], equal_nan=True) or not np.signbit(by_zarr[0]):
    sys.exit(f"changed: Zarr reads {by_zarr}")


def rounded(bits, of, kind, keepbits):
    codec = numcodecs.BitRound(keepbits=keepbits)
    return codec.decode(codec.encode(np.array([bits], of).view(kind)))[0]


others = [
    rounded(0xFFFFFFFF, np.uint32, np.float32, 10),
    rounded(0x7FFF, np.uint16, np.float16, 4),
    rounded(0x7F800001, np.uint32, np.float32, 10),
]
if others != [0, 0, np.inf]:
    sys.exit(f"changed: other NaN are read as {others}")
print(
    f"as stated: NaN of {gpu:#x} is read as {by_zarr[0]} from Zarr with BitRound, and as "
    f"{by_netcdf[0]} from netCDF with BitRound; NaN of 0x7fc00000 as {by_zarr[1]} from both"
)
PYTHON
