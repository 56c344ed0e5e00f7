"""Short text files beside images, and what expressions find in them."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import pyarrow as pa

from dfsynth.errors import DfsynthError
from dfsynth.files.object_errors import object_faults
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.objects import fetch
from dfsynth.source.corpus import Sidecar
from dfsynth.source.labels import LISTS, POSITIVE
from dfsynth.source.schema import Column
from dfsynth.threads.pool import thread_pool
from dfsynth.threads.prefetch import Prefetch

_MOST_BYTES: Final = 64 * 1024
_AT_ONCE: Final = 16
"""Files, each of which may be a request."""


def read_sidecars(
    sidecar: Sidecar, root: AnyPath, images: Mapping[str, Column], rows: int
) -> dict[str, Column]:
    """What each image's file says, by names of facts; null where it is not there.

    Of most facts it is the first text that the expression finds, of findings a list of all.

    Raises:
        DfsynthError: the object store that holds them refuses.
    """
    found: dict[str, list[list[str]]] = {name: [] for name in sidecar.facts}
    paths = sidecar.file.fill(images, rows).to_pylist()
    with thread_pool("sidecar", _AT_ONCE) as pool:
        work = partial(_content, root, sidecar.encoding)
        for _, content in Prefetch(pool, work, paths, len(paths)):
            for name, expression in sidecar.facts.items():
                matches = expression.finditer(content)
                texts = [(match.group(1) or "").strip() for match in matches]
                found[name].append([text for text in texts if text])
    return {name: _column(name, texts) for name, texts in found.items()}


def _column(name: str, found: list[list[str]]) -> Column:
    if name == POSITIVE:
        return pa.array([texts or None for texts in found], LISTS)
    return pa.array([texts[0] if texts else None for texts in found], pa.string())


def _content(root: AnyPath, encoding: str, path: str | None) -> str:
    if path is None:
        return ""
    try:
        return _start(root / path).decode(encoding, errors="replace")
    except OSError:
        return ""


def _start(path: AnyPath) -> bytes:
    if isinstance(path, ObjectPath):
        with object_faults(f"read {path}", path.bucket, DfsynthError):
            return fetch(path, _MOST_BYTES) or b""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)
