"""A build as planning takes it: source, checkpoint and options → plan and fingerprint."""

from dataclasses import dataclass, replace
from typing import Protocol

from dfsynth.errors import UsageError
from dfsynth.jobs.generator import GeneratorMaker
from dfsynth.jobs.planning import Draft
from dfsynth.jobs.shard_size import SMALLEST, choose_shard_size, measure_rate
from dfsynth.options import DEFAULT_DTYPE, DTYPES, BuildOptions, StoredFloat, ViewChoice
from dfsynth.source import CorpusSource, Source, require_present
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord, Fingerprint, new_record
from dfsynth.store.plan import NumberedRows
from dfsynth.tasks import task_of


class Machine(Protocol):
    """What planning asks of the machine that is to do the work."""

    @property
    def processes(self) -> int:
        """How many of them take the shards of this run."""

    def resolve_precision(self, wanted: str) -> str:
        """See `GeneratorMaker`."""

    def images_per_s(self, precision: str, grid: tuple[int, int]) -> float:
        """The measured rate of one of them on a grid (height, width).

        Raises:
            DfsynthError: the device cannot do it.
        """


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """Implements `Machine` by the device that the checkpoint is loaded on here."""

    maker: GeneratorMaker
    processes: int = 1

    def resolve_precision(self, wanted: str) -> str:
        """See `Machine`."""
        return self.maker.resolve_precision(wanted)

    def images_per_s(self, precision: str, grid: tuple[int, int]) -> float:
        """See `Machine`."""
        return measure_rate(self.maker.make(precision, grid), grid)


@dataclass(frozen=True, slots=True)
class BuildJob:
    """Implements `dfsynth.jobs.planning.Job`."""

    options: BuildOptions
    source: Source
    maker: GeneratorMaker
    elsewhere: Machine | None = None
    """What does the work, where that is not this process."""

    @property
    def machine(self) -> Machine:
        """What does the work."""
        return ThisMachine(self.maker) if self.elsewhere is None else self.elsewhere

    @property
    def overwrite(self) -> bool:
        return self.options.overwrite

    @property
    def record_type(self) -> type[BuildRecord]:
        return BuildRecord

    def draft(self) -> Draft[BuildRecord]:
        """Lists the source and numbers its rows; writes nothing.

        Raises:
            UsageError: no images, or options that the checkpoint or the device cannot serve.
        """
        options, facts = self.options, self.maker.facts
        precision = self.machine.resolve_precision(options.precision)
        if options.views == "frontal" and self._views == "all":
            raise UsageError(
                f"--views frontal: the source {self.source.name} tells no views before its images "
                "are read; leave it out, and filter by the flag lateral"
            )
        if "lung" in self._maps and not facts.has_lung:
            raise UsageError(f"--maps lung: the checkpoint {facts.name} has no lung output")
        listing = self.source.listing()
        listed = listing.rows.num_rows
        require_present(self.source, listing.rows)
        images = min(listed, options.limit or listed)
        shard_size = options.shard_size or self._shard_size(precision, images)
        stored = DTYPES[options.dtype or DEFAULT_DTYPE]
        fingerprint = self._fingerprint(precision, shard_size, stored)
        plan = NumberedRows(listing.rows, shard_size, options.limit)
        excluded = dict(listing.excluded)
        if images < listed:
            excluded["over_limit"] = listed - images
        shards = -(-images // shard_size)
        license_ = self.source.license
        notes = self.source.notes if isinstance(self.source, CorpusSource) else {}
        record = new_record(fingerprint, facts, license_, images, shards, excluded, notes)
        return Draft(record, plan, listing.warnings)

    def differences(self, held: BuildRecord) -> list[str]:
        """See `Job`.

        `--precision auto` and `--shard-size auto` take what the store has: a machine that resolves
        them otherwise can still finish the store. So do no `--dtype`, whose default was another
        one, and no `--views`. A store that does not record its sampler had the card's.
        """
        options, had = self.options, held.fingerprint
        precision = had.precision if options.precision == "auto" else options.precision
        stored = (had.dtype, had.keepbits) if options.dtype is None else DTYPES[options.dtype]
        shard_size = options.shard_size or held.shard_size
        asked = self._fingerprint(precision, shard_size, stored)
        if options.views is None:
            asked = replace(asked, views=had.views)
        if had.sampling is None:
            had = had.sampled_by(self.maker.facts.card_sampling)
        return had.differences(asked)

    @property
    def _maps(self) -> tuple[str, ...]:
        """Those asked for, or what the task gives.

        Raises:
            UsageError: a map that the task of the checkpoint does not know.
        """
        facts, asked = self.maker.facts, self.options.maps
        task = task_of(facts.task, facts.own_task)
        if asked is None:
            return task.output_maps
        unknown = [name for name in asked if name not in task.map_words]
        if unknown:
            raise UsageError(
                f"--maps {unknown[0]}: the checkpoint {facts.name} is for {task.name}, whose maps "
                f"are {', '.join(task.map_words)}"
            )
        return asked

    @property
    def _views(self) -> ViewChoice:
        return self.source.views if isinstance(self.source, CorpusSource) else "all"

    def _shard_size(self, precision: str, images: int) -> int:
        """By the measured rate, where it matters."""
        if images <= SMALLEST:
            return SMALLEST
        grid = self.options.size or self.maker.facts.grid
        rate = self.machine.images_per_s(precision, grid)
        return choose_shard_size(rate, images, self.options.partition[1] * self.machine.processes)

    def _fingerprint(
        self, precision: str, shard_size: int, stored: tuple[StoredFloat, int | None]
    ) -> Fingerprint:
        """What the options would decide about the values of a store."""
        options, facts = self.options, self.maker.facts
        dtype, keepbits = stored
        return Fingerprint(
            source=self.source.name,
            checkpoint_sha256=facts.sha256,
            size=options.size or facts.grid,
            mc_samples=options.mc_samples,
            seed=options.seed,
            precision=precision,
            maps=self._maps,
            dtype=dtype,
            compression=format_of(StoreLayout(options.folder)).compression,
            shard_size=shard_size,
            limit=options.limit,
            mc=options.mc,
            views=self._views,
            keepbits=keepbits,
        ).sampled_by(facts.sampling)
