"""Reads, lists and writes whole objects of an object store, through s3fs (docs/decisions/0020).

Any number of threads may call these at once, and so may forked and spawned processes: s3fs keeps
one client for each process. Credentials, region and endpoint are those that the environment names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dfsynth.errors import DfsynthError
from dfsynth.extras import load_extra
from dfsynth.files.object_errors import code_of, is_missing, object_faults
from dfsynth.files.object_path import ObjectPath

if TYPE_CHECKING:
    from s3fs import S3FileSystem


PAGE_KEYS: Final = 1000
"""Of one answer to a listing; a store gives no more at once."""
_NO_SUCH_RANGE: Final = frozenset({"InvalidRange", "416"})


@dataclass(frozen=True, slots=True)
class Found:
    """An object that a listing names."""

    key: str
    size_bytes: int


def filesystem() -> "S3FileSystem":
    """This process's client.

    Raises:
        UsageError: s3fs, of the extra `s3`, is not installed.
    """
    client: S3FileSystem = load_extra("s3fs", "an s3:// address", "s3").S3FileSystem(
        use_listings_cache=False
    )
    return client


def fetch(path: ObjectPath, size_bytes: int) -> bytes | None:
    """The first bytes of an object, at most so many; None where there is none. One request.

    Raises:
        Exception: what the library raises; call it within `object_faults`.
    """
    try:
        content: bytes = filesystem().cat_file(path.address, start=0, end=size_bytes)
    except OSError as error:
        if is_missing(error):
            return None
        # There is no byte in an empty object, so that no range of it can be given.
        if code_of(error) in _NO_SUCH_RANGE:
            return b""
        raise
    return content


def list_objects(root: ObjectPath) -> Iterator[Found]:
    """Everything below `root`, keys relative to it, a page of the store at a time.

    Raises:
        UsageError: there is no such bucket.
        DfsynthError: the store refuses.
    """
    more: dict[str, str] = {}
    while True:
        page: dict[str, Any]
        with object_faults(f"list {root}", root.bucket, DfsynthError):
            page = filesystem().call_s3(
                "list_objects_v2",
                Bucket=root.bucket,
                Prefix=root.prefix,
                MaxKeys=PAGE_KEYS,
                **more,
            )
        for entry in page.get("Contents", ()):
            yield Found(entry["Key"][len(root.prefix) :], entry["Size"])
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
