"""What a store of images was built from, and the fingerprint that a resume must match."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from dfsynth.files.json_record import (
    encode_json,
    record_fields,
    stored_entries,
    with_checksum,
)
from dfsynth.files.toml_record import record_entries
from dfsynth.manifest import IMAGE_SCHEMAS, SCHEMA_VERSION, ManifestSchema
from dfsynth.options import StoredFloat, ViewChoice
from dfsynth.records import (
    GeneratorFacts,
    Intensity,
    MonteCarloMode,
    SamplerChoice,
    SamplerName,
    SamplerSettings,
)
from dfsynth.store import ArraySpec, Json
from dfsynth.store.cut import Cut
from dfsynth.store.intensity_entry import described_intensity, read_intensity, stored_intensity
from dfsynth.store.provenance import (
    LAYOUT_VERSION,
    StoredArray,
    array_specs,
    group_attributes,
    name_differences,
    software_versions,
)
from dfsynth.tasks import DEFAULT_TASK, Task, parse_own_task, task_of

_NO_UNIT: Final = "1"
_OF_SAMPLERS: Final = ("sampler", "sampler_steps", "guidance")
_VERSIONS_OF: Final = (
    "torch",
    "numpy",
    "zarr",
    "h5py",
    "opencv-python-headless",
    "pydicom",
    "imagecodecs",
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that decides the values in a store; not where, how fast or in what order."""

    source: str
    """The name of the corpus or source."""
    checkpoint_sha256: str
    size: tuple[int, int]
    """(height, width) of the maps in pixels."""
    mc_samples: int
    seed: int
    precision: str
    maps: tuple[str, ...]
    """The names of the stored maps."""
    dtype: StoredFloat
    compression: str
    shard_size: int
    """Images in one shard."""
    limit: int | None
    """At most so many images of the source; null for all."""
    mc: MonteCarloMode = "full"
    """How samples are drawn; stores from before there was a choice have `full`."""
    views: ViewChoice = "all"
    """Which views of a corpus that tells them; stores from before there was a choice have all."""
    keepbits: int | None = None
    """Mantissa bits to which values are rounded; null for all that `dtype` has."""
    sampler: SamplerName | None = None
    """What led from noise to samples. Absent, as the two below, of a generator that draws none and
    in stores from before there was a choice, which were made as the checkpoint's card says."""
    sampler_steps: int | None = None
    """Passes of the network to a sample."""
    guidance: float | None = None
    """Weight of classifier-free guidance; 0 is none."""

    def sampled_by(self, settings: SamplerSettings | None) -> Self:
        """The same, with samples drawn in this way."""
        if settings is None:
            return self
        return replace(
            self,
            sampler=settings.sampler,
            sampler_steps=settings.steps,
            guidance=settings.guidance,
        )

    @property
    def sampler_choice(self) -> SamplerChoice:
        """How samples were drawn out of noise, as far as it is recorded."""
        return SamplerChoice(self.sampler, self.sampler_steps, self.guidance)

    @property
    def sampling(self) -> SamplerSettings | None:
        """How samples were drawn out of noise; None where none were or it is not recorded."""
        if self.sampler is None or self.sampler_steps is None or self.guidance is None:
            return None
        return SamplerSettings(self.sampler, self.sampler_steps, self.guidance)

    def differences(self, wanted: Self) -> list[str]:
        """One sentence part for each entry in which `wanted` differs from this store."""
        return name_differences(asdict(self), asdict(wanted))


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """The content of `build.json` of a store that `dfsynth build` makes; a `StoreRecord`."""

    command: ClassVar[str] = "dfsynth build"
    known_versions: ClassVar[tuple[int, ...]] = tuple(IMAGE_SCHEMAS)

    plan_id: str
    fingerprint: Fingerprint
    checkpoint: str
    """The name of the generator."""
    unit: str
    """Of the dark-field values."""
    window: tuple[float, float]
    """Display window of the dark-field image, in its unit."""
    intensity: Intensity
    """How values became the generator's input."""
    checkpoint_license: str
    source_license: str
    rows: int
    shards: int
    excluded: Mapping[str, int]
    versions: Mapping[str, str]
    schema_version: int = SCHEMA_VERSION
    """Of the manifest; a store keeps that of the dfsynth which planned it."""
    segments: tuple[int, ...] = ()
    """Inputs of each planning of an extended store; empty where there was one."""
    members: int = 1
    """Networks among which the samples were shared out."""
    source_notes: Mapping[str, Json] = field(default_factory=dict)
    """What a corpus says of itself: title, citation, homepage, and whether it is of children."""
    layout_version: int = 1
    """See `StoreRecord`."""
    task_name: str = DEFAULT_TASK
    """What the generator is for; records from before there were tasks name none."""
    own_task: Task | None = None
    """The task itself; None, and absent from `build.json`, where it comes with dfsynth."""

    @property
    def task(self) -> Task:
        """What the generator is for."""
        return task_of(self.task_name, self.own_task)

    @property
    def main_map(self) -> str:
        """The map that the store is for."""
        return self.task.output.array

    @property
    def manifest_schema(self) -> ManifestSchema:
        """See `StoreRecord`."""
        schema = IMAGE_SCHEMAS[self.schema_version]
        if self.task_name == DEFAULT_TASK and self.unit == _NO_UNIT:
            return schema
        return schema.of_output(self.task.output.noun, self.unit)

    @property
    def shard_size(self) -> int:
        """See `StoreRecord`."""
        return self.fingerprint.shard_size

    @property
    def cut(self) -> Cut:
        """See `StoreRecord`."""
        return Cut(self.shard_size, self.segments or (self.rows,))

    @property
    def arrays(self) -> tuple[ArraySpec, ...]:
        """See `StoreRecord`."""
        held, words, units = self.fingerprint, self.task.map_words, self.task.map_units(self.unit)
        arrays = (
            StoredArray(
                name=name,
                dtype=held.dtype,
                units=units[name],
                long_name=words[name],
                keepbits=held.keepbits,
            )
            for name in held.maps
        )
        return array_specs(arrays, self.layout_version, self.rows, held.size, held.shard_size)

    def packed(self, compression: str) -> Self:
        """The record of the same store in a format that packs values in another way."""
        return replace(self, fingerprint=replace(self.fingerprint, compression=compression))

    def to_json(self) -> bytes:
        """See `StoreRecord`."""
        entries = stored_entries(self)
        entries["intensity"] = stored_intensity(self.intensity)
        if self.fingerprint.sampling is None:
            for name in _OF_SAMPLERS:
                del entries["fingerprint"][name]
        del entries["own_task"]
        if self.own_task is not None:
            entries["own_task"] = record_entries(self.own_task)
        return encode_json(with_checksum(entries))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The record that `to_json` wrote, its kind and its checksum taken away.

        Raises:
            ValueError, LookupError, TypeError, AttributeError: the document is of no such record.
        """
        found = record_fields(document)
        fingerprint = dict(found.pop("fingerprint"))
        for name in ("size", "maps"):
            fingerprint[name] = tuple(fingerprint[name])
        found["window"] = tuple(found["window"])
        found["intensity"] = read_intensity(found["intensity"])
        if "own_task" in found:
            found["own_task"] = parse_own_task(found["task_name"], found["own_task"])
        found["segments"] = tuple(found.get("segments", ()))
        record = cls(fingerprint=Fingerprint(**fingerprint), **found)
        if not record.task.map_words.keys() >= set(record.fingerprint.maps):
            raise ValueError("a map that no generator gives")
        return record

    def attributes(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        return group_attributes(self.provenance(), self.layout_version)

    def provenance(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        held = self.fingerprint
        # A store of version 1 keeps its documents to the byte: `verify` compares them.
        sampling: dict[str, Json] = {"mc": held.mc, "members": self.members}
        drawn: dict[str, Json] = {}
        if held.sampling is not None:
            drawn = {name: getattr(held, name) for name in _OF_SAMPLERS}
        output = self.task.output.array
        return {
            "schema_version": self.schema_version,
            "notice": self.task.notice,
            **({} if self.task_name == DEFAULT_TASK else {"task": self.task_name}),
            "generator": {
                "name": self.checkpoint,
                "sha256": held.checkpoint_sha256,
                "licence": self.checkpoint_license,
            },
            "source": {
                "name": held.source,
                "licence": self.source_license,
                **self.source_notes,
            },
            "grid_size": list(held.size),
            f"{output}_unit": self.unit,
            f"{output}_window": list(self.window),
            **described_intensity(self.intensity),
            "mc_samples": held.mc_samples,
            **(sampling if self.schema_version > 1 else {}),
            **drawn,
            "seed": held.seed,
            "precision": held.precision,
            "software": dict(self.versions),
        }


def new_record(
    fingerprint: Fingerprint,
    facts: GeneratorFacts,
    source_license: str,
    rows: int,
    shards: int,
    excluded: Mapping[str, int],
    source_notes: Mapping[str, Json] = MappingProxyType({}),
) -> BuildRecord:
    """The record of a store of images that is about to be planned.

    Args:
        fingerprint: What decides the values.
        facts: What is known of the generator.
        source_license: The license of the source's images, or "unknown".
        rows: Images that are planned.
        shards: Shards that they fill.
        excluded: Inputs that are not planned, by reason.
        source_notes: What a corpus says of itself.
    """
    return BuildRecord(
        plan_id=uuid.uuid4().hex,
        fingerprint=fingerprint,
        checkpoint=facts.name,
        unit=facts.unit,
        window=facts.window,
        intensity=facts.intensity,
        checkpoint_license=facts.license,
        source_license=source_license,
        rows=rows,
        shards=shards,
        excluded=dict(excluded),
        versions=software_versions(_VERSIONS_OF),
        members=facts.members,
        source_notes=dict(source_notes),
        layout_version=LAYOUT_VERSION,
        task_name=facts.task,
        own_task=facts.own_task,
    )
