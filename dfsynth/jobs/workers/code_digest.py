"""Which code of dfsynth runs: two machines may hold one version number and different files."""

import hashlib
from pathlib import Path
from typing import Final

import dfsynth

_SIZE: Final = 8


def code_digest() -> str:
    """Sixteen hexadecimal digits over the names and contents of all Python files of the package.

    Raises:
        OSError: one of them cannot be read.
    """
    root = Path(dfsynth.__file__).parent
    digest = hashlib.blake2b(digest_size=_SIZE)
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
