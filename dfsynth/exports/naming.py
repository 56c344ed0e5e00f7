"""Names of files for images, which any system and any tool takes."""

import re
from typing import Final

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]+")
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,5}(\.gz)?$")
_MOST_LETTERS: Final = 64


def file_stem(row: int, image_id: str) -> str:
    """The name of an image's files without an ending, such as `0000012-part0_chest_7`.

    The row makes it unique in the store, in letters of either case, and puts files in the order of
    the manifest; of the id, only what is safe everywhere is kept. It holds no dot, at which keys of
    a WebDataset would end, and no separator of folders.
    """
    readable = _UNSAFE.sub("_", _ENDING.sub("", image_id)).strip("_")[:_MOST_LETTERS]
    return f"{row:07d}-{readable}".rstrip("-_")
