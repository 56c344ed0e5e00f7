"""Small objects as files on this machine, for as long as they are read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.files.objects import fetch_file


@contextmanager
def local_copy(path: AnyPath) -> Iterator[Path]:
    """A file on a disk as it is; an object as a file of its name, gone at the end.

    Raises:
        UsageError: there is no such bucket or object.
        DfsynthError: the store refuses.
    """
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="dfsynth-") as folder:
        file = Path(folder) / path.name
        if not fetch_file(path, file):
            raise UsageError(f"there is no object {path}; check its name")
        yield file
