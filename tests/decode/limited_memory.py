"""Decodes the files named as arguments under address-space limits from none spare to enough.

Prints one JSON line a file: the outcomes, in the order of the limits.
"""

import json
import os
import resource
import sys
from pathlib import Path

from dfsynth.decode import decode
from dfsynth.errors import ImageError
from dfsynth.preprocess import letterbox, to_grid

MEGABYTES = (*range(0, 24, 3), 400)


def used_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def outcome_of(data: bytes) -> str:
    try:
        image = decode(data)
        to_grid(image.pixels, letterbox(image.pixels.shape, (64, 64)))
    except MemoryError:
        return "memory"
    except ImageError as error:
        return str(error.code)
    except Exception as error:  # noqa: BLE001 - to be told apart in the line that is printed
        return type(error).__name__
    return "image"


def decode_limited(path: Path) -> None:
    data, outcomes = path.read_bytes(), []
    for spare in MEGABYTES:
        resource.setrlimit(resource.RLIMIT_AS, (used_bytes() + (spare << 20), -1))
        outcomes.append(outcome_of(data))
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    print(json.dumps({"file": path.stem, "outcomes": outcomes}), flush=True)


def main() -> None:
    for name in sys.argv[1:]:
        # Memory that one file's decoding has given back would serve the next.
        child = os.fork()
        if child == 0:
            decode_limited(Path(name))
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
