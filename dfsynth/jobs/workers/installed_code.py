"""Which code of dfsynth runs: two machines may hold one version number and different files."""

import hashlib
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[2]
_SIZE: Final = 8


def code_digest() -> str:
    """Sixteen hexadecimal digits over the names and contents of all Python files of the package.

    Raises:
        OSError: one of them cannot be read.
    """
    digest = hashlib.blake2b(digest_size=_SIZE)
    for path in sorted(_PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
