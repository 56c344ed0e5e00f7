"""A store in an object store, and the folder on this machine that stands for it (decision 0020).

The folder holds what is small: plan, build record, documents of the arrays, manifest. Jobs work in
it as in any store. Shards of arrays lie in it only until they are put.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import ConflictError, DfsynthError, StoreError, UsageError
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.objects import (
    Found,
    create_object,
    list_objects,
    put_file,
    put_object,
    read_object,
    remove_objects,
)
from dfsynth.store.layout import StoreLayout
from dfsynth.store.record import read_record
from dfsynth.store.registry import format_of
from dfsynth.threads.pool import thread_pool
from dfsynth.threads.prefetch import Prefetch

_BUILD: Final = "run/build.json"
_PLAN: Final = "run/plan.pq"
_PLANS: Final = (_PLAN, "run/plan.parquet")
"""The names that a plan may have; see `StoreLayout.plans`."""
_CARD: Final = ("croissant.json", "README.md")
_AT_ONCE: Final = 16
_OURS: Final = ("run/plan-", "run/probe-")
"""What plannings that were cut off leave, beside a store or without one."""


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """What is done to a store of objects, each step whole or not at all."""

    root: ObjectPath

    def probe(self) -> None:
        """Requires that the store can be written, and that it honours "only if absent".

        Raises:
            UsageError: there is no such bucket, or the store ignores the condition.
            StoreError: the store refuses.
        """
        place = self.root / f"run/probe-{secrets.token_hex(6)}"
        create_object(place, b"first")
        honoured = not create_object(place, b"second")
        remove_objects([place])
        if not honoured:
            raise UsageError(
                f"--out {self.root}: the object store ignores If-None-Match, so that two processes "
                "could overwrite each other's work; expected one that honours conditional puts, as "
                "Amazon S3 does; build on a disk and copy the store there"
            )

    def fetch(self, layout: StoreLayout) -> bool:
        """Brings what is small into the folder of `layout`; False where there is no store.

        Raises:
            ConflictError: something else lies there.
            UsageError: there is no such bucket.
            StoreError: the store refuses, or lacks its plan.
        """
        found = {entry.key: entry for entry in list_objects(self.root)}
        if _BUILD not in found:
            if others := [key for key in found if not key.startswith(_OURS)]:
                raise ConflictError(
                    f"{self.root} holds objects and no dfsynth store, the first of them "
                    f"{others[0]}; choose another place"
                )
            return False
        documents = format_of(layout).documents
        small = [
            entry
            for key, entry in found.items()
            if key.startswith("manifest/")
            or key in (_BUILD, *_PLANS, *_CARD)
            or key.rpartition("/")[2] in documents
        ]
        with thread_pool("fetch", _AT_ONCE) as pool:
            # Each is fetched; none gives anything.
            list(Prefetch(pool, partial(self._fetch, layout=layout), small, len(small)))
        if not any(plan in found for plan in _PLANS):
            self._finish_planning(layout, found)
        return True

    def publish_plan(self, layout: StoreLayout) -> bool:
        """Puts a plan that was made in the folder; False where another process was faster.

        The plan goes under a name of its own, so that none is ever replaced; the build record, put
        only if absent, says which one counts.

        Raises:
            StoreError: the store refuses.
        """
        plan = self._plan_of(layout)
        put_file(plan, layout.plan)
        if not create_object(self.root / _BUILD, layout.build.read_bytes()):
            remove_objects([plan])
            return False
        self._name_plan(layout, plan)
        return True

    def publish_documents(self, layout: StoreLayout) -> None:
        """Puts the documents of the arrays, as they follow from the build record.

        Raises:
            StoreError: the store refuses.
        """
        record = read_record(layout.build)
        format_of(layout).write_group(layout, record.arrays, record.attributes())
        for name in format_of(layout).documents:
            for file in (*layout.root.glob(f"*/{name}"), layout.root / name):
                place = self.root / file.relative_to(layout.root).as_posix()
                content = file.read_bytes()
                if read_object(place) != content:
                    put_object(place, content)

    def fetch_parts(self, layout: StoreLayout) -> None:
        """Brings the parts into the folder that other processes have put since `fetch`.

        Raises:
            StoreError: the store refuses.
        """
        held = {layout.part(shard).name for shard in layout.committed_shards()}
        found = list_objects(self.root / layout.manifest.name)
        entries = [entry for entry in found if entry.key not in held]
        for entry in entries:
            self._fetch(replace(entry, key=f"{layout.manifest.name}/{entry.key}"), layout)

    def publish_card(self, layout: StoreLayout, replacing: bool) -> None:
        """Puts the card and the Croissant file that lie in the folder.

        Args:
            layout: Of the folder.
            replacing: Whether those that are there give way. Without it they stay: another process
                may know of more shards than the folder holds.

        Raises:
            StoreError: the store refuses.
        """
        for file in (layout.croissant, layout.card):
            place, content = self.root / file.name, file.read_bytes()
            if not replacing:
                create_object(place, content)
            elif read_object(place) != content:
                put_object(place, content)

    def publish_shard(self, layout: StoreLayout, names: Sequence[str], shard: int) -> None:
        """Puts a shard that is committed in the folder: its arrays, then its part if it is absent.

        Whoever comes second goes on: values that are those of the first are the same objects.

        Raises:
            StoreError: the store refuses, or another process made other values of the shard.
        """
        part = layout.part(shard)
        place = self.root / part.relative_to(layout.root).as_posix()
        files = format_of(layout).shard_files(layout, names, shard)
        if read_object(place) is None:
            for file in files:
                put_file(self.root / file.relative_to(layout.root).as_posix(), file)
            if not create_object(place, part.read_bytes()):
                self._require_equal(place, part, shard)
        for file in files:
            file.unlink()

    def remove_shard(self, layout: StoreLayout, names: Sequence[str], shard: int) -> None:
        """Takes a shard back: first its part, then its arrays.

        Raises:
            StoreError: the store refuses.
        """
        files = [layout.part(shard), *format_of(layout).shard_files(layout, names, shard)]
        remove_objects(self.root / file.relative_to(layout.root).as_posix() for file in files)

    def _require_equal(self, place: ObjectPath, part: Path, shard: int) -> None:
        """Two processes did one shard: whose objects lie there is known only if both are equal."""
        other = read_object(place)
        if other is not None and _checksums(other) == _checksums(part.read_bytes()):
            return
        remove_objects([place])
        raise StoreError(
            f"shard {shard} was made by two processes at once, with other values (another device, "
            "or another version of a library): it is taken back; give each process its own "
            "--partition I/N, and run the same command again"
        )

    def _fetch(self, entry: Found, layout: StoreLayout) -> None:
        content = read_object(self.root / entry.key)
        if content is None:
            return  # taken back since it was listed
        target = layout.root / entry.key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        os.utime(target, (entry.changed_s, entry.changed_s))

    def _plan_of(self, layout: StoreLayout) -> ObjectPath:
        return self.root / f"run/plan-{read_record(layout.build).plan_id}.pq"

    def _name_plan(self, layout: StoreLayout, plan: ObjectPath) -> None:
        put_file(self.root / _PLAN, layout.plan)
        remove_objects([plan])

    def _finish_planning(self, layout: StoreLayout, found: dict[str, Found]) -> None:
        """A process was killed once its record counted, before its plan had its usual name."""
        plan = self._plan_of(layout)
        # That process may also be at it: in this order one of the two names is there.
        content = read_object(plan) or read_object(self.root / _PLAN)
        if content is None:
            raise StoreError(f"the plan of {self.root} is missing; build the store again elsewhere")
        layout.plan.write_bytes(content)
        changed_s = found[_BUILD].changed_s
        os.utime(layout.plan, (changed_s, changed_s))
        self._name_plan(layout, plan)


@contextmanager
def mirrored(root: ObjectPath) -> Iterator[StoreLayout]:
    """A folder with what is small of a store, for reading; its arrays are read where they are.

    Raises:
        UsageError: there is no store.
        StoreError: the object store refuses.
    """
    with staging(root) as folder:
        layout = StoreLayout(folder, root)
        if not RemoteStore(root).fetch(layout):
            raise UsageError(f"{root} is no dfsynth store: run/build.json is not there")
        layout.make_folders()
        yield layout


@contextmanager
def opened_layout(path: AnyPath) -> Iterator[StoreLayout]:
    """The layout of a store wherever it lies, for reading.

    Raises:
        UsageError: there is no store in the object store.
        StoreError: the object store refuses.
    """
    if isinstance(path, ObjectPath):
        with mirrored(path) as layout:
            yield layout
    else:
        yield StoreLayout(path)


@contextmanager
def staging(root: ObjectPath) -> Iterator[Path]:
    """A new folder of the store's name, gone at the end; errors of the body name the store."""
    with tempfile.TemporaryDirectory(prefix="dfsynth-") as folder:
        place = Path(folder) / root.name
        try:
            yield place
        except DfsynthError as error:
            if str(place) not in str(error):
                raise
            raise type(error)(str(error).replace(str(place), str(root))) from error


def _checksums(part: bytes) -> list[tuple[str, str | None]]:
    table = pq.read_table(pa.BufferReader(part), columns=["image_id", "checksum"])
    return [(line["image_id"], line["checksum"]) for line in table.to_pylist()]
