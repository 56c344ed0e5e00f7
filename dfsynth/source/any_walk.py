"""The walk through what lies below a root, wherever that is."""

from typing import TypeAlias

from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.source.glob_pattern import GlobPattern
from dfsynth.source.object_walk import ObjectWalk
from dfsynth.source.walk import FolderWalk

AnyWalk: TypeAlias = FolderWalk | ObjectWalk
"""Gives paths below a root in byte order, and says what is left out of them."""


def walk_below(root: AnyPath, pattern: GlobPattern | None = None) -> AnyWalk:
    """Walks a folder, or lists an object store; what no path of `pattern` lies in is passed over.

    Args:
        root: where to begin.
        pattern: of the paths that are wanted; others may come all the same.
    """
    if isinstance(root, ObjectPath):
        return ObjectWalk(root, "" if pattern is None else pattern.beginning)
    return FolderWalk(root, None if pattern is None else pattern.may_hold)
