"""Every file below a folder, in byte order, without opening one."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from dfsynth.errors import UsageError
from dfsynth.source import exclusion
from dfsynth.source.left_out import FILE_PARTS, STORE_FOLDERS, LeftOut
from dfsynth.source.order import NameSorter
from dfsynth.source.reading import require_no_machine_failure

_Identity: TypeAlias = tuple[int, int]
_Event: TypeAlias = list[str] | str
"""A run of file names, or the name of a folder to enter now."""


class FolderWalk(LeftOut):
    """Walks a folder once; what it gathers is complete when `blocks` is exhausted.

    Links to files and to folders are followed, for data sets are often linked into place; a
    link to a folder that holds the link is left out (link_loop), and so is a link to a folder that
    was walked before (linked_twice): links of links would else double the inputs at every level,
    and no walk would end. Stores of dfsynth (folders with zarr.json, *.zarr, *.h5.parts and
    *.hdf5.parts with the file beside them) are left out whole, and so are hidden folders: each
    counts once.
    """

    def __init__(self, root: Path, may_enter: Callable[[str], bool] | None = None) -> None:
        """Walks `root`, and of the folders below it those that `may_enter` takes, all by default.

        Args:
            root: the folder to begin with.
            may_enter: asked with each folder's path below the root, its last `/` included.
        """
        super().__init__()
        self._root = root
        self._may_enter = may_enter
        self._walked: set[_Identity] = set()

    def blocks(self) -> Iterator[list[str]]:
        """Paths below the root with `/`, in byte order, in lists of any length.

        Raises:
            UsageError: the root cannot be read.
            DfsynthError: a failure of the machine, for which a folder would be left out.
        """
        try:
            identity = _identity(self._root)
            stack = [("", identity, self._folder("", self._root))]
            self._walked.add(identity)
        except OSError:
            raise UsageError(
                f"cannot read the folder {self._root}: expected a folder that this user may list; "
                "check the path and its permissions"
            ) from None
        while stack:
            prefix, _, events = stack[-1]
            event = next(events, None)
            if event is None:
                stack.pop()
            elif isinstance(event, str):
                self._enter(f"{prefix}{event}/", stack)
            else:
                yield [prefix + name for name in event] if prefix else event

    def _enter(self, prefix: str, stack: list[tuple[str, _Identity, Iterator[_Event]]]) -> None:
        if self._may_enter is not None and not self._may_enter(prefix):
            return
        path = self._root / prefix
        try:
            identity = _identity(path)
            if any(identity == above for _, above, _ in stack):
                self.excluded[exclusion.LINK_LOOP] += 1
                return
            if identity in self._walked and path.is_symlink():
                self.excluded[exclusion.LINKED_TWICE] += 1
                return
            self._walked.add(identity)
            stack.append((prefix, identity, self._folder(prefix, path)))
        except OSError as error:
            require_no_machine_failure(error)
            self.excluded[exclusion.UNREADABLE_FOLDER] += 1

    def _folder(self, prefix: str, path: Path) -> Iterator[_Event]:
        """Reads one folder now; the events come from what it held then."""
        files = NameSorter()
        folders: list[str] = []
        if (path / "zarr.json").exists():
            self.excluded[exclusion.STORE] += 1
            return iter(())
        with os.scandir(path) as entries:
            for entry in entries:
                if _is_folder(entry):
                    folders.append(entry.name)
                elif reason := _reason(entry):
                    self.leave_out(reason, prefix + entry.name)
                else:
                    files.append(entry.name)
        return self._events(files, sorted(folders, key=lambda name: name + "/"))

    def _events(self, files: NameSorter, folders: list[str]) -> Iterator[_Event]:
        """Names and folders, interleaved so that whole paths come in byte order."""
        stores = {name.removesuffix(".parts") for name in folders if name.endswith(FILE_PARTS)}
        waiting = [name for name in folders if self._is_entered(name)]
        waiting.reverse()
        for block in files.blocks():
            names = self._without(stores, block) if stores else block
            start = 0
            while waiting and names and waiting[-1] + "/" < names[-1]:
                stop = bisect_left(names, waiting[-1] + "/", start)
                if stop > start:
                    yield names[start:stop]
                yield waiting.pop()
                start = stop
            yield names[start:]
        yield from reversed(waiting)

    def _without(self, stores: set[str], names: list[str]) -> list[str]:
        kept = [name for name in names if name not in stores]
        self.excluded[exclusion.STORE] += len(names) - len(kept)
        return kept

    def _is_entered(self, name: str) -> bool:
        if name.endswith(STORE_FOLDERS):
            self.excluded[exclusion.STORE] += 1
        elif name.startswith("."):
            self.excluded[exclusion.HIDDEN_FOLDER] += 1
        elif not exclusion.is_decodable(name):
            self.excluded[exclusion.UNDECODABLE] += 1
        else:
            return True
        return False


def _identity(path: Path) -> _Identity:
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _reason(entry: os.DirEntry[str]) -> str | None:
    reason = exclusion.reason_to_exclude(entry.name)
    # A link stays an input, broken or not: what is wrong with it shows when it is read.
    if reason is None and not entry.is_symlink() and not entry.is_file():
        return exclusion.NOT_A_FILE
    return reason
