"""Short text files beside images, and what expressions find in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from dfsynth.source.corpus import Sidecar
from dfsynth.source.schema import Column

_MOST_BYTES: Final = 64 * 1024


def read_sidecars(
    sidecar: Sidecar, root: Path, images: Mapping[str, Column], rows: int
) -> dict[str, Column]:
    """The texts that each image's file holds, by names of facts; null where it is not there."""
    found: dict[str, list[str | None]] = {name: [] for name in sidecar.facts}
    for path in sidecar.file.fill(images, rows).to_pylist():
        content = "" if path is None else _content(root / path, sidecar.encoding)
        for name, expression in sidecar.facts.items():
            match = expression.search(content)
            found[name].append(None if match is None else (match.group(1) or "").strip() or None)
    return {name: pa.array(texts, pa.string()) for name, texts in found.items()}


def _content(path: Path, encoding: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode(encoding, errors="replace")
    except OSError:
        return ""
