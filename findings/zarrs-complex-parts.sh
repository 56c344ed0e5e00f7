#!/usr/bin/env bash
# zarrs: complex numbers that are stored big-endian have real and imaginary part exchanged wherever
# a chunk is read in part.
#
# Versions: zarrs 0.2.3, zarr 3.1.6, tensorstore 0.1.86, numpy 2.4.6.
#
# Input: complex64 of 5 x 4, the number n + (100 + n)i at place n, in a Zarr array of version 3 with
# chunks of 4 x 4 and the standard codec "bytes" with endian "big". Read as a whole and in part: the
# last row, which lies in a chunk that reaches beyond the array, and one pixel of the full chunk.
#
# Expected: the specification of the codec says that a complex number is encoded as two consecutive
# big-endian floats. zarrs gives zarr-python a faster pipeline that is used as before, falls back to
# the pipeline of zarr-python for codecs that it does not have, and knows this codec: it reads full
# chunks rightly. zarr-python and tensorstore read all of it.
#
# Seen: where less than the whole chunk is asked for, the eight bytes of a number are turned round
# at once, not four and four: the real part becomes the imaginary one and the reverse. So z[0, 0] is
# not z[:][0, 0], and in z[:] the rows at the edge are exchanged and the others are not, unless the
# chunks divide the shape. complex128 and arrays with shards do the same; little-endian is right, as
# are big-endian floats. No error, also with codec_pipeline.strict.
#
# Output: as stated: zarrs reads 16+116j, in the last row, as 116+16j, and 0+100j as 0+100j with the
# whole array and as 100+0j alone; zarr and tensorstore read what was stored
#
# Why it matters: k-space and complex images of MRI, and complex wave fields of phase imaging, are
# read by slice or patch: that is what chunks are for. The magnitude of a + bi and of b + ai is the
# same, so no magnitude image shows it; the phase has the other sign and is off by a quarter turn,
# in some patches only, and with it field maps, flow, and the image that k-space is turned into.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    zarrs==0.2.3 zarr==3.1.6 tensorstore==0.1.86 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import tensorstore
import zarr
from zarr.codecs import BytesCodec

WITH_ZARRS = {"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True}
numbers = np.arange(20).reshape(5, 4)
field = numbers + 1j * (100 + numbers)
parts = {
    "whole": np.s_[:],
    "last row": np.s_[4],
    "first pixel": np.s_[:1, :1],
    "full chunk": np.s_[:4],
}


def write(path, values, endian, **options):
    options = {"chunks": (4, 4), "serializer": BytesCodec(endian=endian), **options}
    array = zarr.create_array(path, shape=values.shape, dtype=values.dtype, **options)
    array[:] = values


def by_zarr(path):
    array = zarr.open_array(path, mode="r")
    return {name: array[part] for name, part in parts.items()}


def by_zarrs(path):
    with zarr.config.set(WITH_ZARRS):
        return by_zarr(path)


def by_tensorstore(path):
    place = {"driver": "file", "path": str(Path(path).absolute())}
    array = tensorstore.open({"driver": "zarr3", "kvstore": place}).result()
    return {name: array[part].read().result() for name, part in parts.items()}


def check(who, seen, wanted):
    for name, values in seen.items():
        if not np.array_equal(values, wanted[parts[name]]):
            sys.exit(f"changed: {who} reads {values} as {name}")


exchanged = field.imag + 1j * field.real
mixed = np.vstack((field[:4], exchanged[4:]))
for kind in ("complex64", "complex128"):
    for name, options in (("plain", {}), ("shards", {"chunks": (2, 2), "shards": (4, 4)})):
        path = f"{kind}-{name}.zarr"
        write(path, field.astype(kind), "big", **options)
        check("zarr", by_zarr(path), field)
        check("tensorstore", by_tensorstore(path), field)
        seen = by_zarrs(path)
        for part in ("whole", "full chunk"):
            check(f"zarrs, {path}", {part: seen[part]}, mixed)
        for part in ("last row", "first pixel"):
            check(f"zarrs, {path}", {part: seen[part]}, exchanged)
write("little.zarr", field, "little")
check("zarrs, little-endian", by_zarrs("little.zarr"), field)
write("float.zarr", field.real, "big")
check("zarrs, floats", by_zarrs("float.zarr"), field.real)
write("even.zarr", field, "big", chunks=(5, 4))
check("zarrs, chunks that divide the shape", {"whole": by_zarrs("even.zarr")["whole"]}, field)


def words(number):
    return f"{number.real:.0f}+{number.imag:.0f}j"


seen = by_zarrs("complex64-plain.zarr")
print(
    f"as stated: zarrs reads {words(field[4, 0])}, in the last row, as "
    f"{words(seen['whole'][4, 0])}, and {words(field[0, 0])} as {words(seen['whole'][0, 0])} with "
    f"the whole array and as {words(seen['first pixel'][0, 0])} alone; zarr and tensorstore read "
    "what was stored"
)
PYTHON
