"""Sentences of other programs without the folders that they name."""

import re
from typing import Final

_FOLDERS: Final = re.compile(r"/?([^\s/:'\"]+/)+")


def without_folders(text: str) -> str:
    """`text` in one line, with the last name alone of each path: folders may name people."""
    return " ".join(_FOLDERS.sub("", text).split())
