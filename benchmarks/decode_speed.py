"""Milliseconds of processor time to decode a radiograph, and to make it a model input.

    python benchmarks/decode_speed.py DIR [--size 256] [--repeat 5] [--files 48]

The files of a folder, one after the other in one thread: `decode` with all that is checked before a
library sees a file, `prepared` with the resampling and windowing behind it. Beside them the same
PNG and JPEG files by their library alone, which checks nothing. Least of the repeats of each file,
mean over the files.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import imagecodecs
from machine import describe_machine

from dfsynth.decode import DecodeLimits, decode
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import IntensityWindow

_LIBRARIES: Final[dict[str, Callable[[bytes], Any]]] = {
    ".png": imagecodecs.png_decode,
    ".jpg": imagecodecs.jpeg8_decode,
    ".jpeg": imagecodecs.jpeg8_decode,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--files", type=int, default=48)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    limits = DecodeLimits()
    reader = ModelInputReader((given.size, given.size), IntensityWindow(), limits)
    found: dict[str, dict[str, float]] = {}
    files = sorted(path for path in given.folder.iterdir() if path.is_file())[: given.files]
    for suffix in sorted({path.suffix.lower() for path in files}):
        contents = [path.read_bytes() for path in files if path.suffix.lower() == suffix]
        ways: dict[str, Callable[[bytes], Any]] = {
            "decode": lambda data: decode(data, limits),
            "prepared": reader,
        }
        if suffix in _LIBRARIES:
            ways["library"] = _LIBRARIES[suffix]
        found[suffix] = {"files": len(contents)} | {
            name: _mean_ms(way, contents, given.repeat) for name, way in ways.items()
        }
    print(json.dumps({**describe_machine(), "size": given.size, "ms": found}))


def _mean_ms(way: Callable[[bytes], Any], contents: list[bytes], repeat: int) -> float:
    return round(statistics.mean(_least_ms(way, data, repeat) for data in contents), 3)


def _least_ms(way: Callable[[bytes], Any], data: bytes, repeat: int) -> float:
    times = []
    for _ in range(repeat):
        began = time.thread_time()
        way(data)
        times.append(time.thread_time() - began)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
