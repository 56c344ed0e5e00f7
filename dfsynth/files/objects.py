"""Reads, lists and writes whole objects of an object store, through s3fs (docs/decisions/0020).

Any number of threads may call these at once, and so may forked and spawned processes: s3fs keeps
one client for each process. Credentials, region and endpoint are those that the environment names.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dfsynth.errors import DfsynthError, StoreError
from dfsynth.extras import load_extra
from dfsynth.files.object_errors import code_of, is_missing, object_faults
from dfsynth.files.object_path import ObjectPath

if TYPE_CHECKING:
    from s3fs import S3FileSystem


PAGE_KEYS: Final = 1000
"""Of one answer to a listing; a store gives no more at once."""
_TAKEN: Final = frozenset(
    {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "FileExistsError"}
)
_NO_SUCH_RANGE: Final = frozenset({"InvalidRange", "416"})


@dataclass(frozen=True, slots=True)
class Found:
    """An object that a listing names."""

    key: str
    size_bytes: int
    changed_s: float
    """Since 1970, by the store's clock."""


def filesystem() -> "S3FileSystem":
    """This process's client.

    Raises:
        UsageError: s3fs, of the extra `s3`, is not installed.
    """
    return client_of(os.getpid())


@cache
def client_of(_process: int) -> "S3FileSystem":
    """One client for all threads of a process: left to itself, s3fs makes one for each."""
    client: S3FileSystem = load_extra("s3fs", "an s3:// address", "s3").S3FileSystem(
        use_listings_cache=False, skip_instance_cache=True
    )
    return client


def fetch(path: ObjectPath, end: int | None, start: int = 0) -> bytes | None:
    """Bytes [start, end) of an object, fewer where it ends before; None where there is none.

    A negative `start`, with no `end`, counts from the object's end. One request.

    Raises:
        Exception: what the library raises; call it within `object_faults`.
    """
    try:
        content: bytes = filesystem().cat_file(path.address, start=start, end=end)
    except OSError as error:
        if is_missing(error):
            return None
        # There is no byte in an empty object, so that no range of it can be given.
        if code_of(error) in _NO_SUCH_RANGE:
            return b""
        raise
    return content


def list_objects(root: ObjectPath, beginning: str = "", deeper: bool = True) -> Iterator[Found]:
    """What lies below `root`, keys relative to it, a page of the store at a time.

    Args:
        root: Where to begin.
        beginning: What the relative keys begin with.
        deeper: Whether keys with a `/` behind that beginning are listed too.

    Raises:
        UsageError: there is no such bucket.
        DfsynthError: the store refuses.
    """
    more = {} if deeper else {"Delimiter": "/"}
    while True:
        page: dict[str, Any]
        with object_faults(f"list {root}", root.bucket, DfsynthError):
            page = filesystem().call_s3(
                "list_objects_v2",
                Bucket=root.bucket,
                Prefix=root.prefix + beginning,
                MaxKeys=PAGE_KEYS,
                **more,
            )
        for entry in page.get("Contents", ()):
            yield Found(
                entry["Key"][len(root.prefix) :], entry["Size"], entry["LastModified"].timestamp()
            )
        if not page.get("IsTruncated"):
            return
        more["ContinuationToken"] = page["NextContinuationToken"]


def read_object(path: ObjectPath) -> bytes | None:
    """The whole of an object; None where there is none.

    Raises:
        UsageError: there is no such bucket.
        StoreError: the store refuses.
    """
    with object_faults(f"read {path}", path.bucket, StoreError):
        return fetch(path, None)


def fetch_file(path: ObjectPath, file: Path) -> bool:
    """Copies an object into a file, in parts where it is large; False where there is none.

    Raises:
        UsageError: there is no such bucket.
        DfsynthError: the store refuses.
    """
    with object_faults(f"read {path}", path.bucket, DfsynthError):
        try:
            filesystem().get_file(path.address, str(file))
        except OSError as error:
            if is_missing(error):
                return False
            raise
    return True


def put_object(path: ObjectPath, content: bytes) -> None:
    """Makes an object, or replaces it, whole.

    Raises:
        UsageError: there is no such bucket.
        StoreError: the store refuses.
    """
    with object_faults(f"write {path}", path.bucket, StoreError):
        filesystem().pipe_file(path.address, content)


def put_file(path: ObjectPath, file: Path) -> None:
    """Makes an object of a file, or replaces it; in parts where it is large.

    Raises:
        UsageError: there is no such bucket.
        StoreError: the store refuses.
    """
    with object_faults(f"write {path}", path.bucket, StoreError):
        filesystem().put_file(str(file), path.address)


def create_object(path: ObjectPath, content: bytes) -> bool:
    """Makes an object that is not there yet; False where it is, and stays as it was.

    An answer that was lost on the way is asked for again, and then finds what it made itself.

    Raises:
        UsageError: there is no such bucket.
        StoreError: the store refuses.
    """
    with object_faults(f"write {path}", path.bucket, StoreError):
        try:
            filesystem().pipe_file(path.address, content, mode="create")
        except OSError as error:
            if code_of(error) not in _TAKEN:
                raise
        else:
            return True
    return read_object(path) == content


def remove_objects(paths: Iterable[ObjectPath]) -> None:
    """Removes objects one after the other; missing ones are passed over.

    Raises:
        UsageError: there is no such bucket.
        StoreError: the store refuses.
    """
    for path in paths:
        with object_faults(f"remove {path}", path.bucket, StoreError):
            filesystem().call_s3("delete_object", Bucket=path.bucket, Key=path.key)
