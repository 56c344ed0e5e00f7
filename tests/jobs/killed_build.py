"""Whole runs in forked processes, the n-th of which kills itself at its n-th change of the disk.

    killed_build.py PICTURES FOLDER STRIDE NAME
    killed_build.py pairs FOLDER STRIDE NAME

Each process builds FOLDER/<n>/NAME, or simulates it. After each kill the same run is made again,
to its end. Prints the number of kills.
"""

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from kill_switch import is_killed
from small_runs import run


def main() -> None:
    pictures, folder, stride, name = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    number, killed = 1, True
    kills = 0
    while killed:
        out = folder / f"{number:05d}" / name
        build = partial(run, pictures, out)
        killed = is_killed(build, number)
        if killed:
            kills += 1
            is_killed(build, None)
        number += stride
    print(kills)


if __name__ == "__main__":
    main()
