"""What a disk may hold after the power was cut: the worst that a file system allows.

Data are on the disk once the file was flushed, names once their folder was; whatever was not may
be there or not (T. S. Pillai et al., "All File Systems Are Not Created Equal: On the Complexity of
Crafting Crash-Consistent Applications", OSDI 2014). A process that is killed shows nothing of this:
the system writes its files all the same.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from disk_watch import Operation

Content: TypeAlias = bytes | None
"""Of a file, its bytes; None is a folder."""
State: TypeAlias = dict[Path, Content]
_LOSSES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda _: b"",
    lambda data: data[: len(data) // 2],
    lambda data: data,
)
"""What may be left of data that were never flushed."""


@dataclass(eq=False, slots=True)
class Node:
    """A file, or a folder, whatever its name."""

    folder: bool
    flushed: bytes | None = None
    """What of it is sure to be on the disk; None before the first flush."""


@dataclass(slots=True)
class Disk:
    """Follows operations below a folder, which does not exist at the start."""

    root: Path
    _now: dict[Path, Node] = field(default_factory=dict)
    _flushed: dict[Path, Node] = field(default_factory=dict)
    _pending: defaultdict[Path, list[tuple[Path, Node | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By folder: names that came (with what they name) or went since it was flushed."""

    def follow(self, operation: Operation) -> None:
        """Takes note of an operation that was done."""
        path = operation.path
        if operation.name == "mkdir":
            self._name(path, Node(folder=True))
        elif operation.creates:
            self._name(path, Node(folder=False))
        elif operation.name == "rename":
            assert operation.renamed is not None
            node = self._now[operation.renamed]
            self._name(path, node)
            self._unname(operation.renamed)
        elif operation.name in {"unlink", "rmdir"}:
            self._unname(path)
        elif operation.name == "fsync":
            self._flush(path)

    def states(self) -> Iterator[State]:
        """The states that the disk may be in, by names below the root; some of them twice."""
        folders = [folder for folder, names in self._pending.items() if names]
        yield self._state(frozenset(), _LOSSES[0])
        for loss in _LOSSES:
            yield self._state(frozenset(folders), loss)
        for folder in folders:
            yield self._state(frozenset({folder}), _LOSSES[0])

    def _name(self, path: Path, node: Node) -> None:
        self._now[path] = node
        self._pending[path.parent].append((path, node))

    def _unname(self, path: Path) -> None:
        del self._now[path]
        self._pending[path.parent].append((path, None))

    def _flush(self, path: Path) -> None:
        node = self._now.get(path)
        if node is not None and not node.folder:
            node.flushed = path.read_bytes()
            return
        _apply(self._pending.pop(path, []), self._flushed)

    def _state(self, folders: frozenset[Path], loss: Callable[[bytes], bytes]) -> State:
        names = dict(self._flushed)
        for folder in folders:
            _apply(self._pending[folder], names)
        living = {node: path for path, node in self._now.items()}
        state: State = {}
        for path in sorted(names):
            node = names[path]
            inside = path.relative_to(self.root)
            if len(inside.parts) > 1 and inside.parent not in state:
                continue
            state[inside] = None if node.folder else _content(node, living.get(node), loss)
        return state


def _apply(changes: list[tuple[Path, Node | None]], names: dict[Path, Node]) -> None:
    for path, node in changes:
        if node is None:
            names.pop(path, None)
        else:
            names[path] = node


def _content(node: Node, path: Path | None, loss: Callable[[bytes], bytes]) -> bytes:
    if node.flushed is not None:
        return node.flushed
    return loss(path.read_bytes() if path is not None else b"")


def write_state(state: State, root: Path) -> None:
    """Makes the files and folders of a state below `root`."""
    root.mkdir(parents=True)
    for path, content in state.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)


def identify(state: State) -> str:
    """Equal for states that a build cannot tell from each other: scratch names are drawn anew."""
    digest = hashlib.blake2b(digest_size=16)
    for path, content in state.items():
        name = path.name.rsplit(".", 2)[0] if path.suffix == ".tmp" else path.name
        digest.update(f"{path.parent}/{name}\0{content is None}\0".encode())
        digest.update(hashlib.blake2b(content or b"").digest())
    return digest.hexdigest()
