"""A whole run that halts before its n-th picture or pair; see `halt`.

    halted_run.py PICTURES OUT NUMBER
    halted_run.py pairs OUT NUMBER

Prints how many rows it wrote.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from halt import halt_before
from small_runs import run
from toy_generator import ToyGenerator
from toy_simulator import ToyPairMaker


def main() -> None:
    pictures, out, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    halt_before(ToyGenerator, "generate", number)
    halt_before(ToyPairMaker, "make", number)
    report = run(pictures, out)
    print(report.ok + report.failed)


if __name__ == "__main__":
    main()
