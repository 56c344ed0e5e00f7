"""The facts of a store that its card and its Croissant file are written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.description.source_facts import CheckpointFacts, SourceFacts, find_checkpoint, sources
from dfsynth.manifest import ManifestSchema, count_findings, score_quantiles
from dfsynth.manifest.findings import UNKNOWN
from dfsynth.options.simulate_tasks import TASK_OPTIONS
from dfsynth.records import Column, Intensity, IntensityRange
from dfsynth.score import NO_SCORES
from dfsynth.store import ArraySpec, Json, StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsFingerprint, PairsRecord
from dfsynth.tasks import Task

_COUNTED: Final = ("origin", "truth", "split", "view", "sex", "opacity")
"""Columns whose values are counted, where the manifest has them."""

_FAST: Final = "one pass of each member (fast)"


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted in the manifest of a finished store."""

    status: Mapping[str, int]
    errors: Mapping[str, int]
    """Failed rows by error code."""
    flags: Mapping[str, int]
    values: Mapping[str, Mapping[str, int]]
    """Column → value → rows, the commonest first; nulls under `UNKNOWN`."""
    findings: Mapping[str, int]
    """Rows that carry each finding; empty for pairs, and where no row says anything."""
    patients: int
    """Different keys of patients; 0 where the source has none."""
    quantiles: Mapping[str, Mapping[str, float]]
    """Column of numbers → quantile → value, over the rows that are ok and have it."""
    known: Mapping[str, int]
    """Column of numbers → the rows that these quantiles are of."""


def counted_columns(schema: ManifestSchema) -> tuple[str, ...]:
    """The columns of a manifest that its facts are counted from; the schema may lack some."""
    numbers = (column.name for column in _number_columns(schema))
    return ("status", "error_code", "flags", "findings", "patient_id", *_COUNTED, *numbers)


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """All that a card and a Croissant file say of a store."""

    task: Task
    """What goes in and what comes out."""
    format: str
    """The name of the format of its arrays."""
    file_name: str
    """Of the store; only a store that must keep its name is described by it."""
    notice: str
    rows: int
    """Images, or pairs, that are planned."""
    shards: int
    plannings: int
    """How often inputs were planned: once, and once more for each extension that found any."""
    arrays: tuple[ArraySpec, ...]
    schema: ManifestSchema
    source: SourceFacts
    checkpoint: CheckpointFacts | None
    """None for pairs."""
    settings: Mapping[str, str]
    """What decided the values, in the words of the options."""
    versions: Mapping[str, str]
    excluded: Mapping[str, int]
    counts: Counts | None
    """None while shards are missing: what is counted then is past at once."""

    @property
    def is_of_pairs(self) -> bool:
        """Whether the store holds simulated pairs; else generated images."""
        return self.schema.is_of_pairs

    @property
    def numbers(self) -> tuple[Column, ...]:
        """The columns whose spread is described."""
        return _number_columns(self.schema)


def gather_facts(
    layout: StoreLayout, record: BuildRecord | PairsRecord, manifest: pa.Table | None
) -> StoreFacts:
    """The facts of a store, from its record and, where all shards are there, its manifest.

    Args:
        layout: Of the store.
        record: What it is made from.
        manifest: The rows, with `counted_columns` at least; None while shards are missing.

    Raises:
        CheckpointError: a packaged checkpoint is damaged.
        UsageError: a packaged corpus file is damaged.
    """
    schema = record.manifest_schema
    return StoreFacts(
        task=record.task,
        format=format_of(layout).name,
        file_name=layout.root.name,
        notice=str(record.provenance()["notice"]),
        rows=record.cut.inputs,
        shards=record.shards,
        plannings=len(record.cut.segments),
        arrays=record.arrays,
        schema=schema,
        source=sources(record),
        checkpoint=find_checkpoint(record) if isinstance(record, BuildRecord) else None,
        settings=_settings(record),
        versions=record.versions,
        excluded=record.excluded,
        counts=None if manifest is None else _count(manifest, schema),
    )


def _number_columns(schema: ManifestSchema) -> tuple[Column, ...]:
    """Of images the scores; of pairs every number that is drawn or measured."""
    floats = (column for column in schema.columns if column.type == "float32")
    if not schema.is_of_pairs:
        return tuple(column for column in floats if column.name in NO_SCORES)
    return tuple(column for column in floats if column.name != "seconds")


def _settings(record: BuildRecord | PairsRecord) -> dict[str, str]:
    held = record.fingerprint
    common = {"seed": str(held.seed), "shard size": str(held.shard_size)}
    if isinstance(record, BuildRecord):
        drawn = record.fingerprint
        return {
            "Monte-Carlo samples": _FAST if drawn.mc == "fast" else str(drawn.mc_samples),
            **({} if drawn.sampling is None else {"sampler": drawn.sampling.words}),
            "members": str(record.members),
            "precision": drawn.precision,
            "views": drawn.views,
            **_intensity(record.intensity),
            **({} if drawn.limit is None else {"limit": str(drawn.limit)}),
            **common,
        }
    made = record.fingerprint
    return {
        "origin": made.origin,
        **(
            _of_bodies(made)
            if TASK_OPTIONS[record.task.name].draws_bodies
            else _plain(made.settings)
        ),
        **common,
    }


def _of_bodies(made: PairsFingerprint) -> dict[str, str]:
    return {
        "severity of emphysema": " to ".join(f"{end:g}" for end in made.severity),
        **_drawn(made),
        "layers that are switched off": ", ".join(made.without) or "none",
    }


def _drawn(made: PairsFingerprint) -> dict[str, str]:
    if made.draws_radiographs:
        return {
            "tube voltage in kV": " to ".join(f"{end:g}" for end in made.kvp),
            "share with implants": f"{made.devices:g}",
        }
    settings = _plain(made.settings)
    return {name: value for name, value in settings.items() if name.startswith("scan ")}


def _plain(settings: Mapping[str, Json]) -> dict[str, str]:
    plain = {name: v for name, v in settings.items() if isinstance(v, int | float | str)}
    return {name.replace("_", " "): f"{value}" for name, value in plain.items()}


def _intensity(intensity: Intensity) -> dict[str, str]:
    if isinstance(intensity, IntensityRange):
        return {f"input range, {intensity.unit}": f"{intensity.low:g} to {intensity.high:g}"}
    low, high = intensity.low_percentile, intensity.high_percentile
    return {"input window, percentiles": f"{low:g} to {high:g}"}


def _count(table: pa.Table, schema: ManifestSchema) -> Counts:
    numbers = [column.name for column in _number_columns(schema)]
    ok = table.select(numbers).filter(pc.equal(table["status"], pa.scalar("ok")))
    held = {column.name for column in schema.columns}
    counted = {name: _by_value(table[name]) for name in _COUNTED if name in held}
    return Counts(
        status=_by_value(table["status"]),
        errors=_by_value(table["error_code"].drop_null()),
        flags=_by_value(pc.list_flatten(table["flags"])),
        values={name: values for name, values in counted.items() if set(values) - {UNKNOWN}},
        findings=_findings(table) if "findings" in held else {},
        patients=pc.count_distinct(table["patient_id"], mode="only_valid").as_py(),
        quantiles=score_quantiles(table, numbers),
        known={name: len(ok) - ok[name].null_count for name in numbers},
    )


def _findings(table: pa.Table) -> dict[str, int]:
    counts = {found.name: found.total for found in count_findings(table, table.slice(0, 0))}
    return counts if set(counts) - {UNKNOWN} else {}


def _by_value(column: Any) -> dict[str, int]:
    """How often each value of an Arrow array comes, the commonest first, then by name."""
    pairs = ((pair["values"], pair["counts"]) for pair in column.value_counts().to_pylist())
    counts = {UNKNOWN if value is None else value: count for value, count in pairs}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
