"""One build of a small store, and all that a disk may hold had the power been cut on the way.

    power_cuts.py PICTURES WHOLE FOLDER STRIDE [BREAK]

WHOLE is the same store, never interrupted. Before every operation that changes what may be on the
disk, the states that it may be in are kept; every STRIDE-th is made into files below FOLDER, then
checked and built to its end. BREAK names a mistake in the order of writing, of `broken_order`: it
is there in the build, and not afterwards.
Prints how many states were checked; ends with an error at the first that is not sound.
"""

import json
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from broken_order import BREAKS
from disk_watch import Operation, watch_disk
from power_cut import Disk, State, identify, write_state
from watched_builds import build_and_note, check_recovery, in_child, noted


@dataclass(slots=True)
class StatesOfBuild:
    """Collects the states before each operation, each once, and the shards committed by then."""

    disk: Disk
    notes: Path
    found: dict[tuple[str, frozenset[int]], tuple[State, frozenset[int]]] = field(
        default_factory=dict
    )

    def before(self, operation: Operation) -> None:
        """See `Watcher`."""
        if operation.name not in {"stat", "listdir", "scandir", "read", "pread", "lockf"}:
            self.collect()

    def written(self, size_bytes: int) -> int:
        """See `Watcher`."""
        return size_bytes

    def after(self, operation: Operation) -> None:
        """See `Watcher`."""
        self.disk.follow(operation)

    def collect(self) -> None:
        """Keeps the states of now."""
        committed = noted(self.notes)
        for state in self.disk.states():
            self.found.setdefault((identify(state), committed), (state, committed))


def record(pictures: str, name: str, folder: Path, stride: int, broken: str | None) -> None:
    """Builds while watched; makes the states into files, and a list of the shards of each."""
    root = folder / "disk"
    root.mkdir(parents=True)
    states = StatesOfBuild(Disk(root), folder / "committed")
    if broken is not None:
        BREAKS[broken]()
    watch_disk(root, states)
    build_and_note(pictures, root / name, states.notes)
    states.collect()
    # From the end: the last states hold the most that can be lost.
    chosen = list(states.found.values())[::-1][::stride]
    for number, (state, _) in enumerate(chosen):
        write_state(state, root_of(folder, number))
    shards = [sorted(committed) for _, committed in chosen]
    (folder / "shards.json").write_text(json.dumps(shards))


def root_of(folder: Path, number: int) -> Path:
    """The folder of one state."""
    return folder / f"cut{number:05d}"


def main() -> None:
    pictures, whole, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).resolve()
    stride, broken = int(sys.argv[4]), sys.argv[5] if len(sys.argv) > 5 else None
    if in_child(lambda: record(pictures, whole.name, folder, stride, broken)) != 0:
        raise RuntimeError("the watched build failed")
    states: list[list[int]] = json.loads((folder / "shards.json").read_bytes())
    for number, committed in enumerate(states):
        root = root_of(folder, number)
        check = partial(check_recovery, pictures, root / whole.name, whole, frozenset(committed))
        if in_child(check) != 0:
            raise RuntimeError(f"state {number} is not sound: see {root}")
    print(len(states))


if __name__ == "__main__":
    main()
