"""What is to be made of each claimed shard of a build, and what of it is there already."""

from collections.abc import Collection, Iterable, Iterator

from dfsynth.files.durable import remove_durably
from dfsynth.jobs.claims import ShardQueue
from dfsynth.jobs.commit import Written
from dfsynth.jobs.failure_counts import count_failures
from dfsynth.jobs.kept_rows import KeptRows, RowCopier, read_kept
from dfsynth.records import SourceItem
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.plan import Plan, source_item


class WorkList:
    """The inputs to read of each shard, less the rows that stay as they are.

    For one thread: that which claims shards and commits them.
    """

    def __init__(
        self, layout: StoreLayout, record: BuildRecord, codes: Collection[str] | None
    ) -> None:
        """Opens the plan, and looks for failed rows where any are to be made anew.

        Args:
            layout: Of the store.
            record: What it is made from.
            codes: Error codes of the failed rows to make anew; None for none.

        Raises:
            StoreError: the plan or the manifest is damaged.
        """
        self._layout = layout
        self._record = record
        self._codes = codes
        self._plan = Plan(layout.plan, record.cut, source_item)
        self._kept: dict[int, KeptRows] = {}
        store_format = format_of(layout)
        arrays = store_format.array_reader(layout, record.arrays)
        self._copier = RowCopier(store_format, record.arrays, arrays)
        failures = count_failures(layout) if codes is not None else {}
        self.again = frozenset(shard for shard, code in failures if code in (codes or ()))
        """Committed shards that hold rows to make anew."""

    def count(self, shards: Iterable[int]) -> int:
        """Rows of these shards that are to be made."""
        return sum(len(self._rows(shard)) for shard in shards)

    def claimed_items(self, shards: ShardQueue) -> Iterator[SourceItem]:
        """The inputs to make of one shard after the other, each claimed when its turn comes.

        Raises:
            ConflictError, StoreError: as the queue and `items` do.
        """
        for shard in shards:
            items = self.items(shard)
            if not items:
                # Killed between its part and the end of its replacement.
                remove_durably([self._layout.replacing(shard)])
                shards.release(shard)
            yield from items

    def items(self, shard: int) -> list[SourceItem]:
        """The inputs of a shard that are to be made, asked for once the shard is claimed.

        Raises:
            StoreError: the plan, or what is kept of the shard, is damaged.
        """
        self._kept[shard] = self._read(shard)
        wanted = self._rows(shard, self._kept[shard])
        return [item for item in self._plan.items(shard) if item.row in wanted]

    def known(self, shard: int) -> list[SourceItem]:
        """The inputs of a committed shard that were made.

        Raises:
            StoreError: the plan, or the shard's part, is damaged.
        """
        held = self._read(shard).held
        return [item for item in self._plan.items(shard) if held[item.row].status == "ok"]

    def whole(self, shard: int, made: Iterable[Written]) -> Iterator[Written]:
        """All rows of a shard in order: those that are kept, and those that were made.

        Raises:
            StoreError: a kept row is damaged.
        """
        return self._copier.merge(self._kept.pop(shard), self._record.cut.rows_of(shard), made)

    def _read(self, shard: int) -> KeptRows:
        return read_kept(self._layout, self._record.manifest_schema, shard, self._codes)

    def _rows(self, shard: int, kept: KeptRows | None = None) -> frozenset[int]:
        found = self._read(shard) if kept is None else kept
        return frozenset(row for row in self._record.cut.rows_of(shard) if not found.keeps(row))
