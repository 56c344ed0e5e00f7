"""A build as planning takes it: source, checkpoint and options → plan and fingerprint."""

from dataclasses import dataclass, replace

from dfsynth.errors import UsageError
from dfsynth.jobs.generator import GeneratorMaker
from dfsynth.jobs.planning import Draft
from dfsynth.options import DEFAULT_DTYPE, DTYPES, BuildOptions, StoredFloat, ViewChoice
from dfsynth.source import CorpusSource, Source, require_present
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord, Fingerprint, new_record
from dfsynth.store.plan import number_rows


@dataclass(frozen=True, slots=True)
class BuildJob:
    """Implements `dfsynth.jobs.planning.Job`."""

    options: BuildOptions
    source: Source
    maker: GeneratorMaker

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
        precision = self.maker.resolve_precision(options.precision)
        fingerprint = self._fingerprint(precision, DTYPES[options.dtype or DEFAULT_DTYPE])
        if options.views == "frontal" and self._views == "all":
            raise UsageError(
                f"--views frontal: the source {self.source.name} tells no views before its images "
                "are read; leave it out, and filter by the flag lateral"
            )
        if "lung" in options.maps and not facts.has_lung:
            raise UsageError(f"--maps lung: the checkpoint {facts.name} has no lung output")
        listing = self.source.listing()
        require_present(self.source, listing.table)
        plan = number_rows(listing.table, options.shard_size, options.limit)
        excluded = dict(listing.excluded)
        if plan.num_rows < listing.table.num_rows:
            excluded["over_limit"] = listing.table.num_rows - plan.num_rows
        shards = -(-plan.num_rows // options.shard_size)
        license_ = self.source.license
        notes = self.source.notes if isinstance(self.source, CorpusSource) else {}
        record = new_record(fingerprint, facts, license_, plan.num_rows, shards, excluded, notes)
        return Draft(record, plan, listing.warnings)

    def differences(self, held: BuildRecord) -> list[str]:
        """See `Job`.

        `--precision auto` takes what the store has: a machine that resolves it otherwise can
        still finish the store. So do no `--dtype`, whose default was another one, and no
        `--views`.
        """
        options, had = self.options, held.fingerprint
        precision = had.precision if options.precision == "auto" else options.precision
        stored = (had.dtype, had.keepbits) if options.dtype is None else DTYPES[options.dtype]
        asked = self._fingerprint(precision, stored)
        if options.views is None:
            asked = replace(asked, views=had.views)
        return had.differences(asked)

    @property
    def _views(self) -> ViewChoice:
        return self.source.views if isinstance(self.source, CorpusSource) else "all"

    def _fingerprint(self, precision: str, stored: tuple[StoredFloat, int | None]) -> Fingerprint:
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
            maps=options.maps,
            dtype=dtype,
            compression=format_of(StoreLayout(options.out)).compression,
            shard_size=options.shard_size,
            limit=options.limit,
            mc=options.mc,
            views=self._views,
            keepbits=keepbits,
        )
