"""Files that a description names, looked for below a root, wherever that is; no walk."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dfsynth.files.object_file import version_of
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.objects import list_objects
from dfsynth.source.corpus_pattern import CorpusPattern
from dfsynth.source.glob_pattern import GlobPattern, is_pattern

_NAMED_PART = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class FilesOnDisk:
    """Paths are relative to the folder `root`, with `/`."""

    root: Path

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return (self.root / path).is_file()

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        return (self.root / path).is_dir()

    def paths_in(self, folder: str) -> list[str]:
        """What lies right in a folder; nothing where there is no such folder."""
        place = self.root / folder
        return [self._below(path) for path in place.iterdir()] if place.is_dir() else []

    def fitting(self, pattern: str) -> list[str]:
        """The files that fit a path with `*` for parts of names, in byte order."""
        found = self.root.glob(pattern)
        return sorted(self._below(path) for path in found if path.is_file())

    def holds(self, pattern: CorpusPattern) -> bool:
        """Whether anything fits a pattern."""
        text = _NAMED_PART.sub("*", pattern.text)
        return next(self.root.glob(text), None) is not None

    def _below(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@dataclass(frozen=True, slots=True)
class FilesInStore:
    """The same for an object store, with one request, or one listing, for each question."""

    root: ObjectPath
    _listed: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def is_file(self, path: str) -> bool:
        """See `FilesOnDisk`."""
        return version_of(self.root / path) is not None

    def is_folder(self, path: str) -> bool:
        """See `FilesOnDisk`."""
        return next(list_objects(self.root / path), None) is not None

    def paths_in(self, folder: str) -> list[str]:
        """See `FilesOnDisk`; objects alone, asked for once."""
        if folder not in self._listed:
            beginning = f"{folder}/" if folder else ""
            found = list_objects(self.root, beginning, deeper=False)
            self._listed[folder] = [entry.key for entry in found]
        return self._listed[folder]

    def fitting(self, pattern: str) -> list[str]:
        """See `FilesOnDisk`."""
        glob = GlobPattern(pattern)
        deeper = is_pattern(pattern.rpartition("/")[0])
        found = list_objects(self.root, glob.beginning, deeper)
        return sorted(entry.key for entry in found if glob.matches(entry.key))

    def holds(self, pattern: CorpusPattern) -> bool:
        """See `FilesOnDisk`."""
        varied = pattern.text.removeprefix(pattern.beginning)
        found = list_objects(self.root, pattern.beginning, deeper="/" in varied)
        return any(pattern.match(entry.key) is not None for entry in found)


NamedFiles: TypeAlias = FilesOnDisk | FilesInStore
"""What is asked of a root whose layout is known."""


def files_below(root: AnyPath) -> NamedFiles:
    """Looks for files below a root."""
    return FilesInStore(root) if isinstance(root, ObjectPath) else FilesOnDisk(root)
