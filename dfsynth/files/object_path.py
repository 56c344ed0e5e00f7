"""Names in object stores, `s3://bucket/key`, with the little of `pathlib` that makes sense there.

An object store has no folders: a "folder" here is what its keys have in common up to a `/`.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self, TypeAlias

from dfsynth.errors import UsageError

SCHEME: Final = "s3://"


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath:
    """A bucket, and a key in it without `/` at its ends; the empty key is the bucket itself."""

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """The place that `s3://bucket/key` names.

        Raises:
            UsageError: it names no bucket, or holds what may be a password, which is not repeated.
        """
        bucket, _, key = url.removeprefix(SCHEME).partition("/")
        if "@" in bucket or ":" in bucket:
            raise UsageError(
                "the s3:// address holds a name or a password before its bucket: expected "
                "s3://BUCKET/PREFIX; give credentials by the environment (AWS_ACCESS_KEY_ID, "
                "AWS_PROFILE, …), and do not use again what was typed here"
            )
        if not bucket:
            raise UsageError(f"{url} names no bucket: expected s3://BUCKET/PREFIX")
        return cls(bucket, key.strip("/"))

    @property
    def name(self) -> str:
        """The last part of the key; of a bucket itself, the bucket."""
        return self.key.rpartition("/")[2] or self.bucket

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "ObjectPath":
        """What the key lies in; of a bucket, itself."""
        return ObjectPath(self.bucket, self.key.rpartition("/")[0])

    @property
    def address(self) -> str:
        """`bucket/key`, as the library wants it."""
        return f"{self.bucket}/{self.key}"

    @property
    def prefix(self) -> str:
        """What the keys below this one begin with."""
        return f"{self.key}/" if self.key else ""

    def __truediv__(self, below: str) -> "ObjectPath":
        return ObjectPath(self.bucket, self.prefix + below)

    def __str__(self) -> str:
        return f"{SCHEME}{self.address}".rstrip("/")


AnyPath: TypeAlias = Path | ObjectPath
"""A place on a file system, or in an object store."""


def to_any_path(text: str | AnyPath) -> AnyPath:
    """The place that people write as `x.zarr` or as `s3://bucket/x.zarr`.

    Raises:
        UsageError: an address of an object store without a bucket.
    """
    if isinstance(text, str) and text.startswith(SCHEME):
        return ObjectPath.parse(text)
    if isinstance(text, ObjectPath):
        return text
    path = Path(text)
    if path.parts[:1] == (SCHEME.rstrip("/"),):  # a path keeps one of two slashes
        return ObjectPath.parse(SCHEME + "/".join(path.parts[1:]))
    return path
