"""Paths as people write them → paths below a root."""

import posixpath
import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.files.object_path import SCHEME, AnyPath, ObjectPath
from dfsynth.source.schema import Column

_UNUSUAL_PATH: Final = r"^/|^[A-Za-z]:/|(^|/)\.{0,2}(/|$)"


def relative_to_root(paths: Column, root: AnyPath) -> Column:
    """Paths relative to `root`, null where they lead out of it; absolute ones may lie below it.

    A path with the letter of a drive lies nowhere; one in an object store below a root there.
    """
    unusual = pc.match_substring_regex(paths, _UNUSUAL_PATH)
    if not pc.any(unusual).as_py():
        return paths
    if isinstance(root, ObjectPath):
        roots: tuple[str, ...] = (str(root),)
    else:
        roots = (str(root.absolute()), str(root.resolve()))
        # Tables of millions of absolute paths: what is plain goes column by column.
        paths = _without_root(paths, roots)
        unusual = pc.match_substring_regex(paths, _UNUSUAL_PATH)
    if not pc.any(unusual).as_py():
        return paths
    return pa.array(
        [
            _below(path, roots) if odd and path else path
            for path, odd in zip(paths.to_pylist(), unusual.to_pylist(), strict=True)
        ],
        pa.string(),
    )


def _without_root(paths: Column, roots: tuple[str, ...]) -> Column:
    """Paths with the first root that they start with taken off, where a plain path remains."""
    for prefix in (root.rstrip("/") + "/" for root in roots):
        rests = pc.utf8_slice_codeunits(paths, len(prefix))
        plain = pc.invert(pc.match_substring_regex(rests, _UNUSUAL_PATH))
        paths = pc.if_else(pc.and_(pc.starts_with(paths, prefix), plain), rests, paths)
    return paths


def _below(path: str, roots: tuple[str, ...]) -> str | None:
    if path.startswith(SCHEME):
        return path[len(roots[0]) + 1 :] if path.startswith(f"{roots[0]}/") else None
    plain = posixpath.normpath(path)
    if re.match(r"[A-Za-z]:/", plain):
        return None
    if posixpath.isabs(plain):
        plain = plain if not plain.startswith("//") else plain[1:]
        prefix = next((root for root in roots if plain.startswith(root.rstrip("/") + "/")), None)
        return None if prefix is None else plain[len(prefix.rstrip("/")) + 1 :]
    return None if plain in (".", "..") or plain.startswith("../") else plain
