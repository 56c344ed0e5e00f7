"""The second job: plan → make → write → manifest, for pairs of images with known truth."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace

from dfsynth.errors import UsageError
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import ShardStore, Tally, Written, commit_shard
from dfsynth.jobs.engine import RunReport, Work, partition_shards, report_run, run_claimed
from dfsynth.jobs.model_inputs import Failure, attempt
from dfsynth.jobs.pair_maker import PairMaker
from dfsynth.jobs.planning import Planned, find_planned, is_finished, plan_or_resume
from dfsynth.jobs.simulate_planning import PairsJob
from dfsynth.jobs.store_card import finish_card, mend_card
from dfsynth.manifest import PAIRS_KIND, ManifestSchema, check_parameters, null_parameters
from dfsynth.options import SimulateOptions
from dfsynth.progress import Progress
from dfsynth.records import PairItem, PairRow
from dfsynth.source.metadata import is_table
from dfsynth.store import ArraySpec, StoreFormat, StoreLayout, format_of
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.plan import Plan, pair_item
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

_AHEAD_PER_WORKER = 3


def run_simulation(options: SimulateOptions, maker: PairMaker, progress: Progress) -> RunReport:
    """Makes a store of pairs, or goes on where an earlier run of the same command stopped.

    Raises:
        UsageError: wrong options, no usable input, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
    """
    started = time.monotonic()
    check_folders(options)
    job, layout, partition = PairsJob(options, maker), StoreLayout(options.out), options.partition
    held = find_planned(job, layout)
    if held is not None and is_finished(layout, held, partition):
        progress.start(0)
        mend_card(layout, progress)
        return report_run(Work(layout, held, partition, True, started), Tally(0, 0))
    with plan_or_resume(job, layout, progress) as planned:
        tally = simulate_partition(options, planned, maker, progress)
        finish_card(layout, planned.lock)
        work = Work(layout, planned.record, partition, planned.resumed, started)
        return report_run(work, tally)


def simulate_partition(
    options: SimulateOptions, planned: Planned[PairsRecord], maker: PairMaker, progress: Progress
) -> Tally:
    """Every uncommitted shard of this process's partition, from plan to manifest."""
    record, layout = planned.record, planned.layout
    shards = partition_shards(record, options.partition)
    claims = Claims(layout, planned.lock, record, shards)
    plan = Plan(layout.plan, record.cut, pair_item)
    progress.start(sum(len(record.cut.rows_of(shard)) for shard in claims.pending))
    if not claims.pending:
        return Tally(0, 0)
    progress.message(f"{maker.open()}, {options.size}x{options.size} pixels")
    schema = record.manifest_schema
    making = PairRowMaker(maker, format_of(layout), record.arrays, schema)
    store = ShardStore(layout, record.arrays, record.cut, schema, progress)
    workers = options.workers or available_cores()
    with thread_pool("simulate", workers) as pool:
        items = (item for shard in claims for item in plan.items(shard))
        made = Prefetch[PairItem, Written](pool, making, items, workers * _AHEAD_PER_WORKER)

        def commit(shard: int, rows: Iterator[tuple[PairItem, Written]]) -> Tally:
            return commit_shard(store, shard, (written for _, written in rows))

        return run_claimed(claims, made, commit)


@dataclass(frozen=True, slots=True)
class PairRowMaker:
    """Turns planned pairs into rows; shared by all threads."""

    maker: PairMaker
    format: StoreFormat
    specs: tuple[ArraySpec, ...]
    schema: ManifestSchema

    def __call__(self, item: PairItem) -> Written:
        """Never raises for a pair that cannot be made, only where the whole run may be wrong.

        Raises:
            DfsynthError: no pair can be made, or the maker breaks its contract.
        """
        written = attempt(lambda: self._make(item), item.image_id)
        if isinstance(written, Failure):
            failed = replace(
                planned_row(item, self.schema),
                status="failed",
                error_code=written.code.value,
                error=written.sentence,
            )
            return Written(failed, None)
        return written

    def _make(self, item: PairItem) -> Written:
        started = time.perf_counter()
        made = self.maker.make(item)
        check_parameters(self.schema, made.facts.parameters)
        encoded = self.format.encode_row(self.specs, made.arrays)
        row = replace(
            planned_row(item, self.schema),
            **{field.name: getattr(made.facts, field.name) for field in fields(made.facts)},
            checksum=encoded.checksum,
            seconds=time.perf_counter() - started,
        )
        return Written(row, encoded)


def planned_row(item: PairItem, schema: ManifestSchema) -> PairRow:
    """What the plan alone says of a pair, as a row that is ok."""
    laid_over = item.origin == "cxr" and schema.kind == PAIRS_KIND
    return PairRow(
        status="ok",
        truth="semi-synthetic" if laid_over else "simulated",
        parameters=null_parameters(schema),
        **asdict(item),
    )


def check_folders(options: SimulateOptions) -> None:
    """Requires the folders of the options to be there; radiographs may be those of a table as well.

    Raises:
        UsageError: one is missing, or a file.
    """
    folders = {"ct": options.ct, "cxr": options.cxr, "volumes": options.volumes}
    for name, folder in folders.items():
        if folder is None or folder.is_dir():
            continue
        if name == "cxr" and folder.is_file() and is_table(folder.name):
            continue
        expected = "a folder, or a .csv or .parquet table" if name == "cxr" else "a folder"
        found = "a file" if folder.exists() else "nothing"
        raise UsageError(f"--{name} {folder}: expected {expected}, found {found} there")
