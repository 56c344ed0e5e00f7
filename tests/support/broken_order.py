"""Ways to break the order in which a store is written, each of which loses images at a power cut.

They change the code of this process, and stand for mistakes that a change of the code may bring.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import dfsynth.jobs.commit
from dfsynth.files.durable import DurableFile


def leave_data_unflushed() -> None:
    """Files are closed and renamed, and their bytes never flushed."""
    DurableFile.seal = lambda file: file.stream.close()  # type: ignore[method-assign, assignment]


def leave_names_unflushed() -> None:
    """Files get their names, and the folders are never flushed."""
    for name, module in list(sys.modules.items()):
        if name.startswith("dfsynth.") and hasattr(module, "sync_folder"):
            module.sync_folder = lambda _folder: None  # type: ignore[attr-defined]


def rename_before_writing() -> None:
    """Files get their names first, and their bytes are flushed after that."""
    seal, publish = DurableFile.seal, DurableFile.publish

    def publish_and_seal(file: DurableFile) -> None:
        publish(file)
        seal(file)

    DurableFile.seal = publish_and_seal  # type: ignore[method-assign, assignment]
    DurableFile.publish = lambda _file: None  # type: ignore[method-assign, assignment]


class _LateWriter:
    """A shard writer whose `commit` is put off."""

    def __init__(self, writer: Any, late: list[Any]) -> None:
        self._writer, self._late = writer, late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def __enter__(self) -> "_LateWriter":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def commit(self) -> None:
        self._late.append(self._writer)


class _LateFormat:
    """A format whose shard writers commit late."""

    def __init__(self, known: Any, late: list[Any]) -> None:
        self._known, self._late = known, late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def shard_writer(self, *arguments: Any) -> _LateWriter:
        return _LateWriter(self._known.shard_writer(*arguments), self._late)


def commit_before_the_data() -> None:
    """The manifest part, which makes a shard count, is there before the shard's arrays are."""
    commit: Any = dfsynth.jobs.commit
    format_of, write_durably = commit.format_of, commit.write_durably
    late: list[Any] = []

    def write_and_catch_up(*arguments: Any) -> None:
        write_durably(*arguments)
        while late:
            late.pop().commit()

    commit.format_of = lambda layout: _LateFormat(format_of(layout), late)
    commit.write_durably = write_and_catch_up


BREAKS: Final[Mapping[str, Callable[[], None]]] = {
    "data unflushed": leave_data_unflushed,
    "names unflushed": leave_names_unflushed,
    "renamed before written": rename_before_writing,
    "committed before the data": commit_before_the_data,
}
