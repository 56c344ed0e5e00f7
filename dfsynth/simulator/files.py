"""Small facts about the files that pairs are made of."""

import hashlib
from collections.abc import Iterable


def hash_names(names: Iterable[str]) -> str:
    """BLAKE2b-128 of names in their order, in hexadecimal."""
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update(name.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()
