"""What a map shrinks to, and how fast, by each library that packs as HDF5's gzip filter does.

    dfsynth build --source RADIOGRAPHS --out exact.zarr --dtype float32
    python benchmarks/gzip_libraries.py exact.zarr

One map, rounded to 10 mantissa bits and byte-shuffled, in one thread; milliseconds of processor
are the median of `--repeat` times. What each library makes is unpacked by Python's zlib and
compared. ISA-L takes part where the package `isal` is installed.
"""

import argparse
import importlib
import importlib.util
import statistics
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

import dfsynth
from dfsynth.store.rounding import round_mantissa


def packers() -> dict[str, Callable[[Any], bytes | bytearray]]:
    """Library and level → what packs."""
    found: dict[str, Callable[[Any], bytes | bytearray]] = {
        "libdeflate 1": partial(imagecodecs.deflate_encode, level=1),
        "zlib 1": partial(zlib.compress, level=1),
        "zlib-ng 1": partial(imagecodecs.zlibng_encode, level=1),
        "zlib-ng 2": partial(imagecodecs.zlibng_encode, level=2),
    }
    if importlib.util.find_spec("isal"):
        isal = importlib.import_module("isal.isal_zlib")
        found["ISA-L 2"] = partial(isal.compress, level=2)
    return found


def main() -> None:
    """Prints a line for each library."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--repeat", type=int, default=15)
    arguments = parser.parse_args()
    values = np.array(dfsynth.open_store(arguments.store).read("dark_field", 0), np.float32)
    round_mantissa(values, 10)
    shuffled = np.ascontiguousarray(values.reshape(-1).view(np.uint8).reshape(-1, 4).T)
    for name, pack in packers().items():
        times = []
        for _ in range(arguments.repeat):
            started = time.process_time()
            packed = pack(shuffled)
            times.append(time.process_time() - started)
        if zlib.decompress(packed) != shuffled.tobytes():
            raise SystemExit(f"{name} lost something")
        print(f"{name:14} {statistics.median(times) * 1000:8.2f} ms  {len(packed):10,} bytes")


if __name__ == "__main__":
    main()
