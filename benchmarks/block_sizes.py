"""Bytes, packing and unpacking of stored maps by the size of the blocks that blosc packs.

    dfsynth build --source RADIOGRAPHS --out STORE.zarr
    python benchmarks/block_sizes.py STORE.zarr [--images 8] [--repeat 9]

Every map of the first images, as the store holds them, packed as the store does but for the block
size; 0 is what blosc takes by itself. Milliseconds of processor a map in one thread: least of the
repeats of each map, mean over the maps. The largest is a block for the whole map.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np
from machine import describe_machine
from numpy.typing import NDArray

import dfsynth
from dfsynth.store import StoredMap
from dfsynth.store.zarr.chunk import pack

KIB: Final = (0, 32, 64, 128, 256, 512, 4096)


def main() -> None:
    """Measures and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=9)
    arguments = parser.parse_args()
    store = dfsynth.open_store(arguments.store)
    lines = store.manifest.select(["row", "status"]).to_pylist()
    rows = [line["row"] for line in lines if line["status"] == "ok"][: arguments.images]
    names = [spec.name for spec in store.record.arrays]
    maps = [store.read(name, row) for row in rows for name in names]
    found = {f"{kib} KiB": measure(maps, kib * 1024, arguments.repeat) for kib in KIB}
    print(json.dumps({**describe_machine(), **vars(arguments), "blocks": found}, default=str))


def measure(maps: list[StoredMap], block_bytes: int, repeat: int) -> dict[str, float]:
    """Of all maps (y, x) with one size of blocks."""
    size_bytes, packing, unpacking = 0, [], []
    for values in maps:
        packed = pack(values, block_bytes)
        size_bytes += len(packed)
        out = np.empty_like(values).reshape(-1).view(np.uint8)
        packing.append(least_ms(partial(pack, values, block_bytes), repeat))
        unpacking.append(least_ms(partial(unpack, packed, out), repeat))
        if not np.array_equal(out.view(values.dtype).reshape(values.shape), values):
            raise SystemExit("blosc gave other values back")
    return {
        "bytes a map": size_bytes / len(maps),
        "pack, ms": statistics.mean(packing),
        "unpack, ms": statistics.mean(unpacking),
    }


def unpack(packed: bytes, out: NDArray[np.uint8]) -> None:
    """As `decode_chunk`, into bytes that are there."""
    imagecodecs.blosc_decode(packed, numthreads=1, out=out.data)


def least_ms(work: Callable[[], object], repeat: int) -> float:
    """The least processor time of some repeats, in milliseconds."""
    times = []
    for _ in range(repeat):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
