"""How many bytes the maps of a store take in each type that could hold them, and what they lose.

    dfsynth build --source RADIOGRAPHS --out exact.zarr --dtype float32 --maps ...
    python benchmarks/stored_bytes.py exact.zarr [--images 100] [--json]

The store has to hold float32 as it was computed. Each map is rounded and packed as a build does it
(blosc-zstd-1-bitshuffle, crc32c), in every type, in one run; `ratio` is to the bytes of float16.
`error` is the largest difference from the computed value, as a share of the largest value of its
map: rounding keeps the relative error of each value below 2^-(bits + 1). `ms` is the time of
rounding, packing and checksum of one map in one thread.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

import dfsynth
from dfsynth.store import ArraySpec, StoredMap, StoredType
from dfsynth.store.opened import Store
from dfsynth.store.rows import cast_map
from dfsynth.store.zarr.chunk import encode_chunk

Figures = dict[str, float]
TYPES: Final[dict[str, tuple[StoredType, int]]] = {
    "float16": ("float16", 10),
    "float32, 9 bits": ("float32", 9),
    "float32, 10 bits": ("float32", 10),
    "float32, 12 bits": ("float32", 12),
    "float32": ("float32", 23),
}
"""Name → stored type and kept mantissa bits."""


def measure(store: Store, name: str, rows: Sequence[int]) -> dict[str, Figures]:
    """Bytes an image, their ratio to float16 and the largest error, of one map in each type."""
    images = [store.read(name, row) for row in rows]
    found = {kind: pack(images, *stored) for kind, stored in TYPES.items()}
    half = found["float16"]["bytes"]
    return {kind: {**figures, "ratio": figures["bytes"] / half} for kind, figures in found.items()}


def pack(images: Sequence[StoredMap], dtype: StoredType, keepbits: int) -> Figures:
    """The images (y, x) as one type stores them."""
    height, width = images[0].shape
    spec = ArraySpec("map", dtype, len(images), height, width, len(images), keepbits)
    size_bytes, error, seconds = 0, 0.0, 0.0
    for values in images:
        started = time.perf_counter()
        stored = cast_map(spec, values)
        size_bytes += len(encode_chunk(stored))
        seconds += time.perf_counter() - started
        away = np.abs(stored.astype(np.float64) - values).max()
        error = max(error, float(away / np.abs(values).max()))
    count = len(images)
    return {"bytes": size_bytes / count, "error": error, "ms": seconds / count * 1000}


def main() -> None:
    """Prints a line for each map and type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--images", type=int, default=100, help="the first so many good ones")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    store = dfsynth.open_store(arguments.store)
    bits = {spec.name: spec.keepbits for spec in store.record.arrays}
    if set(bits.values()) != {23}:
        raise SystemExit(f"{arguments.store} holds rounded values: build it with --dtype float32")
    lines = store.manifest.select(["row", "status"]).to_pylist()
    rows = [line["row"] for line in lines if line["status"] == "ok"][: arguments.images]
    found = {name: measure(store, name, rows) for name in store.maps}
    if arguments.json:
        print(json.dumps({"images": len(rows), "maps": found}, indent=2))
        return
    print(f"{len(rows)} images")
    for name, kinds in found.items():
        for kind, figures in kinds.items():
            print(
                f"{name:12} {kind:17} {figures['bytes']:10,.0f} bytes an image",
                f"ratio {figures['ratio']:.3f}  error {figures['error']:.1e}",
                f"{figures['ms']:.2f} ms",
                sep="  ",
            )


if __name__ == "__main__":
    main()
