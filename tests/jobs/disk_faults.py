"""Builds of one small store, of each of which the n-th file operation fails, in forked processes.

    disk_faults.py PICTURES WHOLE FOLDER FIRST STRIDE FAULT...

WHOLE is the same store, never interrupted; its name is that of all others. n goes from FIRST on, by
STRIDE, until a build ends before its n-th operation. After each fault the build is run again.
Prints, as JSON, for each fault how many builds met it.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from disk_watch import Operation, watch_disk
from watched_builds import (
    ENDED_WITH_A_LINE,
    build_and_note,
    check_recovery,
    in_child,
    noted,
)

_NEED_SPACE: Final = frozenset({"write", "fsync", "mkdir"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the n-th operation."""

    error: int | None = None
    """Its errno; None where it does not fail."""
    stays: bool = False
    """Whether all later ones that need space fail as well."""
    takes: float | None = None
    """Of a write, the share of its bytes that it takes; other operations then do not count."""
    dies: bool = False
    """Whether the process is killed there."""


FAULTS: Final[Mapping[str, Fault]] = {
    "EIO": Fault(errno.EIO),
    "EACCES": Fault(errno.EACCES),
    "ENOSPC": Fault(errno.ENOSPC, stays=True),
    "short": Fault(takes=0.5),
    "torn": Fault(errno.ENOSPC, takes=0.5),
    "killed": Fault(dies=True),
    "killed in a write": Fault(takes=0.5, dies=True),
}


@dataclass(slots=True)
class FaultyDisk:
    """Does a fault to the n-th operation; notes in a file that it did."""

    fault: Fault
    number: int
    met: Path
    count: int = 0

    def before(self, operation: Operation) -> None:
        """See `Watcher`."""
        if self.fault.takes is not None:
            return
        self.count += 1
        if self.count == self.number:
            self._meet()
        if self.count > self.number and self._is_full_for(operation):
            self._fail()

    def written(self, size_bytes: int) -> int:
        """See `Watcher`; the rest of a write that is torn fails when it is tried."""
        if self.fault.takes is None or size_bytes < 2:
            return size_bytes
        self.count += 1
        if self.count == self.number:
            return int(size_bytes * self.fault.takes)
        return size_bytes

    def after(self, _operation: Operation) -> None:
        """See `Watcher`."""
        if self.fault.takes is not None and self.count == self.number and not self.met.exists():
            self._meet()

    def _meet(self) -> None:
        self.met.touch()
        if self.fault.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        self._fail()

    def _fail(self) -> None:
        if self.fault.error is not None:
            raise OSError(self.fault.error, os.strerror(self.fault.error))

    def _is_full_for(self, operation: Operation) -> bool:
        return self.fault.stays and (operation.creates or operation.name in _NEED_SPACE)


def meets(fault: Fault, number: int, pictures: str, whole: Path, folder: Path) -> bool:
    """Whether a build met the fault; it is checked, run again, and checked.

    Raises:
        RuntimeError: something is wrong then; stderr says what.
    """
    root = folder / "disk"
    root.mkdir(parents=True)
    out, met, notes = root / whole.name, folder / "met", folder / "committed"

    def build() -> None:
        watch_disk(root, FaultyDisk(fault, number, met))
        build_and_note(pictures, out, notes)

    status = os.waitstatus_to_exitcode(in_child(build))
    if not met.exists():
        return False
    allowed = {-signal.SIGKILL} if fault.dies else {0, ENDED_WITH_A_LINE}
    if fault == FAULTS["short"]:
        allowed = {0}
    if status not in allowed:
        raise RuntimeError(f"the build ended with {status}, which is none of {allowed}")
    if in_child(lambda: check_recovery(pictures, out, whole, noted(notes))) != 0:
        raise RuntimeError("what the build left is not sound")
    return True


def main() -> None:
    pictures, whole, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).resolve()
    first, stride = int(sys.argv[4]), int(sys.argv[5])
    counts, wrong = {}, []
    for name in sys.argv[6:] or FAULTS:
        number, counts[name], met = first, 0, True
        while met:
            place = folder / f"{name.replace(' ', '-')}-{number:05d}"
            try:
                met = meets(FAULTS[name], number, pictures, whole, place)
            except RuntimeError as error:
                wrong.append(f"{name} at operation {number}: {error}")
            counts[name] += met
            number += stride
    print(json.dumps(counts))
    if wrong:
        raise RuntimeError("\n".join(wrong))


if __name__ == "__main__":
    main()
