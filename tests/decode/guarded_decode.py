"""Decodes the files named on stdin, one a line, with memory and processor time limited.

Prints one JSON line a file: its outcome, its sentence, and by how much the peak memory grew.
"""

import json
import resource
import sys
import warnings
from pathlib import Path

import imagecodecs

from dfsynth.decode import decode
from dfsynth.errors import ImageError


def main() -> None:
    for codec in ("png", "jpeg8", "tiff", "jpeg2k", "jpegls", "dicomrle"):
        getattr(imagecodecs, f"{codec}_version", lambda: None)()
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module="pydicom")
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        data = path.read_bytes()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            decode(data)
            outcome, sentence = "ok", ""
        except ImageError as error:
            outcome, sentence = str(error.code), str(error)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        row = {"file": str(path), "outcome": outcome, "sentence": sentence, "grown_kb": grown}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
