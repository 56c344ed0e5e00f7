"""Short text files beside images, and what expressions find in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from dfsynth.source.corpus import Sidecar
from dfsynth.source.labels import LISTS, POSITIVE
from dfsynth.source.schema import Column

_MOST_BYTES: Final = 64 * 1024


def read_sidecars(
    sidecar: Sidecar, root: Path, images: Mapping[str, Column], rows: int
) -> dict[str, Column]:
    """What each image's file says, by names of facts; null where it is not there.

    Of most facts it is the first text that the expression finds, of findings a list of all.
    """
    found: dict[str, list[list[str]]] = {name: [] for name in sidecar.facts}
    for path in sidecar.file.fill(images, rows).to_pylist():
        content = "" if path is None else _content(root / path, sidecar.encoding)
        for name, expression in sidecar.facts.items():
            matches = expression.finditer(content)
            texts = [(match.group(1) or "").strip() for match in matches]
            found[name].append([text for text in texts if text])
    return {name: _column(name, texts) for name, texts in found.items()}


def _column(name: str, found: list[list[str]]) -> Column:
    if name == POSITIVE:
        return pa.array([texts or None for texts in found], LISTS)
    return pa.array([texts[0] if texts else None for texts in found], pa.string())


def _content(path: Path, encoding: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode(encoding, errors="replace")
    except OSError:
        return ""
