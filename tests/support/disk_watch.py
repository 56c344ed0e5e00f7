"""Sees every file operation of this process below a folder before it is done, and after.

Calls into the operating system that Python code makes through `os`, `io` and `fcntl` are seen; what
a C library does by itself is not (pyarrow reads some files so, and writes none).
"""

import builtins
import fcntl
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

_BY_PATH: Final = ("mkdir", "unlink", "rmdir", "rename", "replace", "scandir", "listdir", "stat")
_BY_DESCRIPTOR: Final = ("fsync", "pread")
_real_readlink: Final = os.readlink


@dataclass(frozen=True, slots=True)
class Operation:
    """One call."""

    name: str
    """open, write, read, fsync, lockf, mkdir, unlink, rmdir, rename, scandir, listdir, stat."""
    path: Path
    """What it is about; of a rename, the new name."""
    creates: bool = False
    """Whether an `open` makes the file."""
    renamed: Path | None = None
    """Of a rename, the old name."""


class Watcher(Protocol):
    """Is told of each operation."""

    def before(self, operation: Operation, /) -> None:
        """It is about to be done; an OSError raised here takes its place."""

    def written(self, size_bytes: int, /) -> int:
        """How many of `size_bytes` a write is to take: the system may take fewer."""

    def after(self, operation: Operation, /) -> None:
        """It was done, without an error."""


class _WatchedFile(io.FileIO):
    """A raw file whose reads and writes are operations."""

    watch: "_Watch"

    def write(self, data: Any) -> int:
        operation = Operation("write", Path(str(self.name)))
        view = memoryview(data).cast("B")
        write = super().write

        def take() -> int:
            return write(view[: self.watch.watcher.written(len(view))])

        return int(self.watch.do(operation, take))

    def readinto(self, buffer: Any) -> int:
        read = super().readinto
        return int(self.watch.do(Operation("read", Path(str(self.name))), lambda: read(buffer)))

    def readall(self) -> bytes:
        return bytes(self.watch.do(Operation("read", Path(str(self.name))), super().readall))


@dataclass(slots=True)
class _Watch:
    root: Path
    watcher: Watcher
    _telling: bool = False
    """While the watcher is told, what it does itself is none of its business."""

    def is_ours(self, path: object) -> bool:
        return (
            not self._telling
            and isinstance(path, str | os.PathLike)
            and Path(path).is_relative_to(self.root)
        )

    def do(self, operation: Operation, call: Callable[[], Any]) -> Any:
        self._tell(self.watcher.before, operation)
        result = call()
        self._tell(self.watcher.after, operation)
        return result

    def _tell(self, told: Callable[[Operation], None], operation: Operation) -> None:
        self._telling = True
        try:
            told(operation)
        finally:
            self._telling = False


def watch_disk(root: Path, watcher: Watcher) -> None:
    """From now on and for good, for a process that was forked to be watched."""
    watch = _Watch(root, watcher)
    for name in _BY_PATH:
        setattr(os, name, _by_path(watch, name, getattr(os, name)))
    for name in _BY_DESCRIPTOR:
        setattr(os, name, _by_descriptor(watch, name, getattr(os, name)))
    fcntl.lockf = _by_descriptor(watch, "lockf", fcntl.lockf)
    os.open = _watched_os_open(watch, os.open)
    io.open = builtins.open = _watched_io_open(watch, io.open)


def _by_path(watch: _Watch, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any = ".", *arguments: Any, **named: Any) -> Any:
        renames = name in {"rename", "replace"}
        subject = arguments[0] if renames else path
        if not watch.is_ours(subject):
            return real(path, *arguments, **named)
        operation = Operation(
            "rename" if renames else name, Path(subject), renamed=Path(path) if renames else None
        )
        return watch.do(operation, lambda: real(path, *arguments, **named))

    return call


def _by_descriptor(watch: _Watch, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(descriptor: Any, *arguments: Any) -> Any:
        path = Path(_real_readlink(f"/proc/self/fd/{descriptor}"))
        if not watch.is_ours(path):
            return real(descriptor, *arguments)
        return watch.do(Operation(name, path), lambda: real(descriptor, *arguments))

    return call


def _watched_os_open(watch: _Watch, real: Callable[..., int]) -> Callable[..., int]:
    def call(path: Any, flags: int, *arguments: Any, **named: Any) -> Any:
        if not watch.is_ours(path):
            return real(path, flags, *arguments, **named)
        creates = bool(flags & os.O_CREAT) and not os.path.lexists(path)
        return watch.do(
            Operation("open", Path(path), creates), lambda: real(path, flags, *arguments, **named)
        )

    return call


def _watched_io_open(watch: _Watch, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if not watch.is_ours(file) or "b" not in mode:
            return real(file, mode, *arguments, **named)
        raw_type = type("Watched", (_WatchedFile,), {"watch": watch})
        creates = mode[0] in "wxa" and not os.path.lexists(file)
        operation = Operation("open", Path(file), creates)
        raw = watch.do(operation, lambda: raw_type(file, mode.replace("b", "")))
        if "+" in mode:
            return io.BufferedRandom(raw)
        return io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)

    return call
