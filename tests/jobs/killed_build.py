"""Whole runs in forked processes, the n-th of which kills itself at its n-th change of the disk.

    killed_build.py PICTURES FOLDER STRIDE NAME
    killed_build.py pairs FOLDER STRIDE NAME

Each process builds FOLDER/<n>/NAME, or simulates it. After each kill the same run is made again,
to its end. Prints the number of kills.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kill_switch import kill_at_call
from small_runs import run


def in_child(pictures: str, out: Path, kill_at: int | None) -> bool:
    """Whether the child was killed.

    Raises:
        RuntimeError: it ended in another way than done or killed.
    """
    process = os.fork()
    if process == 0:
        if kill_at is not None:
            kill_at_call(kill_at)
        status = 1
        try:
            run(pictures, out)
            status = 0
        finally:
            sys.setprofile(None)
            os._exit(status)
    status = os.waitpid(process, 0)[1]
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"the build at kill point {kill_at} ended with {status}")
    return status == signal.SIGKILL


def main() -> None:
    pictures, folder, stride, name = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    number, killed = 1, True
    kills = 0
    while killed:
        out = folder / f"{number:05d}" / name
        killed = in_child(pictures, out, number)
        if killed:
            kills += 1
            in_child(pictures, out, None)
        number += stride
    print(kills)


if __name__ == "__main__":
    main()
