"""What a simulation would do, how large and how long: measured on a few pairs, nothing written."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dfsynth.jobs.pair_maker import PairMaker
from dfsynth.jobs.planning import find_planned
from dfsynth.jobs.simulate import PairRowMaker, check_folders
from dfsynth.jobs.simulate_planning import PairsJob
from dfsynth.options import SimulateOptions
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.plan import pair_item
from dfsynth.threads.pool import available_cores, thread_pool


@dataclass(frozen=True, slots=True)
class SimulationEstimate:
    """A plan that was not carried out."""

    rows: int
    shards: int
    origins: Mapping[str, int]
    splits: Mapping[str, int]
    excluded: Mapping[str, int]
    warnings: tuple[str, ...]
    trials: int
    """Pairs that the estimates below rest on; null estimates where none could be made."""
    bytes_estimate: int | None
    seconds_estimate: float | None
    """Duration of the whole simulation on this machine, in s."""
    pairs_per_s: float | None


def estimate_simulation(options: SimulateOptions, maker: PairMaker) -> SimulationEstimate:
    """Plans, makes one pair to warm up and then one a worker, and scales up.

    Raises:
        UsageError: as a simulation would, a conflict with what lies at `--out` included.
    """
    check_folders(options)
    job = PairsJob(options, maker)
    layout = StoreLayout(options.out)
    find_planned(job, layout)
    draft = job.draft()
    workers = options.workers or available_cores()
    planned = [pair_item(line) for batch in draft.plan for line in batch.to_pylist()]
    items = planned[:workers]
    maker.open()
    record = draft.record
    making = PairRowMaker(maker, format_of(layout), record.arrays, record.manifest_schema)
    making(items[0])  # the first compiles, loads and allocates
    with thread_pool("simulate", workers) as pool:
        started = time.perf_counter()
        tried = list(pool.map(making, items))
        seconds = (time.perf_counter() - started) / len(items)
    sizes = [sum(map(len, t.encoded.chunks)) for t in tried if t.encoded is not None]
    total = draft.record.rows
    return SimulationEstimate(
        rows=total,
        shards=draft.record.shards,
        origins=dict(Counter(item.origin for item in planned)),
        splits=dict(Counter(item.split for item in planned)),
        excluded=draft.record.excluded,
        warnings=draft.warnings,
        trials=len(sizes),
        bytes_estimate=round(sum(sizes) / len(sizes) * total) if sizes else None,
        seconds_estimate=seconds * total if sizes else None,
        pairs_per_s=1 / seconds if sizes else None,
    )
