"""Re-reads a whole store against its manifest, and re-queues what is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dfsynth.errors import ConflictError, StoreError
from dfsynth.files.durable import remove_durably, sweep
from dfsynth.files.locks import RunLock
from dfsynth.files.object_path import AnyPath, ObjectPath, to_any_path
from dfsynth.files.parquet_checksum import require_unchanged
from dfsynth.jobs.store_card import update_card, withdraw_card
from dfsynth.manifest import ManifestSchema, read_part
from dfsynth.progress import Progress
from dfsynth.store import ArrayReader, StoreLayout, format_of, remove_shard, row_checksum
from dfsynth.store.plan import Plan, row_and_id
from dfsynth.store.record import StoreRecord, read_record
from dfsynth.store.remote import RemoteStore, mirrored
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch


@dataclass(frozen=True, slots=True)
class Damage:
    """One image, or a whole shard, that is not what was written."""

    shard: int | None
    """None for the metadata of the whole store."""
    image_id: str | None
    """None where the shard's manifest part itself is damaged."""
    what: str
    """One sentence part on what was found."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found."""

    store: str
    command: str
    """What made the store, and mends it after a repair."""
    shards: int
    """Committed shards, all of which were read."""
    images: int
    """Images, or pairs, of those shards."""
    damage: tuple[Damage, ...]
    requeued: tuple[int, ...]
    """Shards that the next run does again; none without repair."""


def verify_store(store: str | AnyPath, repair: bool, progress: Progress) -> Verification:
    """Checks every committed row: the plan's id, and the sum of the values read back.

    With `repair`, the manifest part of each damaged shard is unlinked, so that the next run of
    the command that made the store does the shard again; and damaged array metadata is written
    anew. The whole store is locked for that, from before the first look to the end.

    Raises:
        UsageError: there is no store.
        StoreError: its build record or its plan is damaged.
        ConflictError: repair, while another process is at work on the store.
    """
    root = to_any_path(store)
    if isinstance(root, ObjectPath):
        with mirrored(root) as layout:
            return replace(
                _verify_remote(layout, RemoteStore(root), repair, progress), store=str(root)
            )
    layout = StoreLayout(root)
    # Asked for before the lock, which would make its file in a folder that is no store.
    read_record(layout.build)
    if not repair:
        return _verify(layout, progress)
    with RunLock(layout.lock) as lock:
        locking = lock.supported()
        if locking and not lock.try_whole():
            raise ConflictError(
                f"{layout.root} is not repaired: another process is at work on it; "
                "wait until it has ended"
            )
        return _repair(layout, _verify(layout, progress), alone=locking)


def _verify(layout: StoreLayout, progress: Progress) -> Verification:
    """Reads everything, writes nothing."""
    record = read_record(layout.build)
    require_unchanged(layout.plan, "restore the plan, or build the store again")
    plan = Plan(layout.plan, record.cut, row_and_id)
    damage = list(_check_metadata(layout, record))
    arrays = format_of(layout).array_reader(layout, record.arrays)
    committed = sorted(layout.committed_shards())
    images = sum(len(record.cut.rows_of(shard)) for shard in committed if shard < plan.shards)
    progress.start(images)

    # The plan is read here and not in the threads: it is one open file.
    planned = ((s, plan.items(s) if s < plan.shards else []) for s in committed)

    replaced = layout.replaced_shards()

    def check(shard: tuple[int, list[tuple[int, str]]]) -> list[Damage]:
        half = shard[0] in replaced
        return list(_check_shard(layout, arrays, record.manifest_schema, *shard, half))

    workers = available_cores()
    with thread_pool("verify", workers) as pool:
        for (_, items), found in Prefetch(pool, check, planned, 2 * workers):
            damage += found
            bad = len({d.image_id for d in found})
            progress.advance(ok=max(len(items) - bad, 0), failed=bad)
    return Verification(
        store=str(layout.root),
        command=record.command,
        shards=len(committed),
        images=images,
        damage=tuple(damage),
        requeued=(),
    )


def _verify_remote(
    layout: StoreLayout, remote: RemoteStore, repair: bool, progress: Progress
) -> Verification:
    """Without locks: a repair is for when nobody else is at work, as --partition is for a build."""
    found = _verify(layout, progress)
    if not repair:
        return found
    record = read_record(layout.build)
    repaired = _repair(layout, found, alone=False)
    remote.publish_documents(layout)
    remote.publish_card(layout, replacing=True)
    for shard in repaired.requeued:
        remote.remove_shard(layout, [spec.name for spec in record.arrays], shard)
    return repaired


def _repair(layout: StoreLayout, found: Verification, alone: bool) -> Verification:
    """Mends what `found` names; `alone` says that no other process can be at work."""
    record = read_record(layout.build)
    layout.make_folders()
    if any(damage.shard is None for damage in found.damage):
        # The documents follow from the build record.
        format_of(layout).write_group(layout, record.arrays, record.attributes())
    requeued = tuple(sorted({d.shard for d in found.damage if d.shard is not None}))
    if alone:
        sweep(layout.scratch)
        # What stopped runs have kept of shards that are not committed: nobody can verify it.
        remove_durably(map(layout.partial, range(record.shards)))
    if requeued:
        withdraw_card(layout)
    for shard in requeued:
        sweep(layout.scratch, layout.owner(shard))
        remove_shard(layout, [spec.name for spec in record.arrays], shard)
    update_card(layout)
    return replace(found, requeued=requeued)


def _check_metadata(layout: StoreLayout, record: StoreRecord) -> Iterator[Damage]:
    """Whether the documents of the group are those that follow from the build record."""
    store_format = format_of(layout)
    try:
        intact = store_format.read_group(layout) == (record.arrays, record.attributes())
        what = f"the metadata of {layout.root.name} is not what the build record says"
    except StoreError as error:
        intact, what = False, str(error)
    if not intact:
        yield Damage(None, None, what)
        return
    for what in store_format.find_changed_documents(layout, record.arrays, record.attributes()):
        yield Damage(None, None, what)


def _check_shard(
    layout: StoreLayout,
    arrays: ArrayReader,
    schema: ManifestSchema,
    shard: int,
    items: list[tuple[int, str]],
    half_replaced: bool,
) -> Iterator[Damage]:
    """What is wrong with a shard; where it is half replaced, a failed row may hold values."""
    try:
        require_unchanged(layout.part(shard), "`dfsynth verify --repair` re-queues its shard")
        rows = read_part(layout.part(shard), schema)
    except StoreError as error:
        yield Damage(shard, None, str(error))
        return
    try:
        format_of(layout).check_shard(layout, arrays.specs, shard)
    except StoreError as error:
        yield Damage(shard, None, str(error))
        return
    lines = rows.select(["image_id", "row", "status", "checksum"]).to_pylist()
    if [(line["row"], line["image_id"]) for line in lines] != items:
        yield Damage(shard, None, "its manifest part does not hold the rows of the plan")
        return
    # A failed row holds no values: what is read must be the fill value, and its files intact.
    empty = row_checksum(spec.empty_map() for spec in arrays.specs)
    for line in lines:
        try:
            found = row_checksum(arrays.read(name, line["row"]) for name in arrays.names)
        except StoreError as error:
            yield Damage(shard, line["image_id"], str(error))
            continue
        if line["status"] == "failed" and half_replaced:
            continue
        if found != (line["checksum"] if line["status"] == "ok" else empty):
            yield Damage(shard, line["image_id"], "the stored values are not those written")
