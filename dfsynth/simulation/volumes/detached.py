"""Headers whose voxels lie in a file of their own, as NRRD and MetaImage allow."""

import re
from pathlib import Path
from typing import Final

_HEADER_BYTES: Final = 64 * 1024
_REFERENCE: Final = re.compile(r"^(?:data ?file|ElementDataFile)\s*[:=]\s*(.*?)\s*$", re.M | re.I)


def find_data_name(header: Path) -> str | None:
    """The name of the file that a NRRD or MetaImage header says its voxels lie in.

    None where they follow in the same file.
    """
    with header.open("rb") as file:
        text = file.read(_HEADER_BYTES).split(b"\n\n")[0].decode("latin-1")
    found = _REFERENCE.search(text)
    return None if found is None or found.group(1).upper() == "LOCAL" else found.group(1)


def names_a_neighbour(name: str) -> bool:
    """Whether `name` is that of one file in the header's own folder."""
    return re.fullmatch(r"[^/\\:%]+", name) is not None and not name.upper().startswith("LIST")
