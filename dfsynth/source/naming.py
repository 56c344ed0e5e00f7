"""What a source is known by, wherever it lies."""

import os

from dfsynth.files.object_path import AnyPath


def source_name(kind: str, path: AnyPath) -> str:
    """`kind` and the last part of `path`, for example "tar:chests.tar".

    Two folders or files of one kind differ in it, and moving one to another place does not change
    it. Bytes that are not UTF-8 come as `\\xNN`, for the name goes into the manifest.
    """
    last = os.fsencode(path.name or "/").decode(errors="backslashreplace")
    return f"{kind}:{last}"
